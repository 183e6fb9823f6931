#include "server/refused_requests.h"

#include "aws/regions.h"
#include "base/json.h"
#include "base/text.h"

namespace opentrail::server {
namespace {

constexpr std::size_t kPathBytesMax = 256;
constexpr int kTimeout = 408;
constexpr int kTooLarge = 431;

std::string_view code_of(int status) {
  return status == kTooLarge  ? "RequestHeaderSectionTooLarge"
         : status == kTimeout ? "RequestTimeout"
                              : "MalformedHttpRequest";
}

/// "GET /path": the request line up to its query.
json::object parameters_of(std::string_view raw) {
  const std::string_view line = raw.substr(0, raw.find_first_of("\r\n"));
  const auto space = line.find(' ');
  json::object parameters;
  if (space == std::string_view::npos) {
    return parameters;
  }
  const std::string_view target = line.substr(space + 1);
  const auto show = [](std::string_view text) {
    return std::string(cut_utf8(to_valid_utf8(text), kPathBytesMax));
  };
  parameters["method"] = show(line.substr(0, space));
  parameters["path"] = show(target.substr(0, target.find_first_of("? ")));
  return parameters;
}

}  // namespace

record::CallFacts refused_request_facts(const net::RefusedRequest& refused,
                                        std::string_view account_id) {
  record::CallFacts facts;
  facts.identity.type = "Unknown";
  facts.identity.account_id = account_id;
  facts.event_source = "opentrail";
  facts.event_name = "RefusedRequest";
  facts.region = aws::kGlobalRegion;
  facts.source_ip_address = refused.peer_address;
  facts.error_code = code_of(refused.status);
  facts.error_message = refused.reason;
  facts.request_parameters_json = to_text(json::value(parameters_of(refused.raw)));
  facts.recipient_account_id = account_id;
  // It changed nothing: a flood of them does not wait for the disk one by one.
  facts.read_only = true;
  if (refused.tls) {
    facts.tls = record::TlsInfo{refused.tls->version, refused.tls->cipher_suite, {}};
  }
  return facts;
}

}  // namespace opentrail::server
