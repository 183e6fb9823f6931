#include "gateway/refusal.h"

#include "aws/query_protocol.h"
#include "base/json_writer.h"

#include <fmt/format.h>

namespace opentrail::gateway {
namespace {

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  }
  return out;
}

bool speaks_query(const ObservedRequest& request) {
  if (request.call) {
    return request.call->protocol == aws::model::Protocol::Query ||
           request.call->protocol == aws::model::Protocol::Ec2;
  }
  return request.head->headers.get("content-type").starts_with("application/x-www-form-urlencoded");
}

bool speaks_xml(const ObservedRequest& request) {
  return request.call ? request.call->protocol == aws::model::Protocol::RestXml
                      : request.signing_name == "s3";
}

}  // namespace

RefusalAnswer make_refusal(const ObservedRequest& request, const Refusal& refusal,
                           std::string_view request_id) {
  RefusalAnswer answer;
  answer.head.status = refusal.status;
  net::Headers& headers = answer.head.headers;
  if (speaks_query(request)) {
    headers.add("Content-Type", "text/xml");
    answer.body = aws::query_error("", refusal.code, refusal.message, false, request_id);
  } else if (speaks_xml(request)) {
    headers.add("Content-Type", "application/xml");
    answer.body = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>"
        "<RequestId>{}</RequestId></Error>",
        refusal.code, xml_text(refusal.message), request_id);
  } else {
    headers.add("Content-Type", "application/x-amz-json-1.1");
    headers.add("x-amzn-ErrorType", refusal.code);
    JsonWriter body;
    body.begin_object()
        .field("__type", refusal.code)
        .field("message", refusal.message)
        .end_object();
    answer.body = std::move(body).text();
  }
  headers.add("x-amzn-RequestId", std::string(request_id));
  return answer;
}

}  // namespace opentrail::gateway
