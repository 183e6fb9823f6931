#include "server/pipeline.h"

#include "aws/regions.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "io/offload.h"
#include "server/unknown_service.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace opentrail::server {
namespace {

namespace sigv4 = crypto::sigv4;
using services::ApiError;
using services::Operation;
using services::Outcome;

constexpr std::string_view kS3 = "s3";
constexpr std::string_view kContentSha256 = "x-amz-content-sha256";
constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
/// What is read before anything is known of the caller.
constexpr std::size_t kStrangersBodyBytesMax = 1 << 20;
constexpr std::string_view kLookupEvents = "cloudtrail:LookupEvents";
/// They look into the history, which has imported records of any region there is.
constexpr std::string_view kLooksAnywhere[] = {kLookupEvents, "opentrail:SearchEvents",
                                               "opentrail:CountEvents"};

sigv4::SignedRequest to_signed_request(const net::RequestHead& head) {
  sigv4::SignedRequest request{head.method, head.path(), head.query(), {}};
  for (const auto& [name, value] : head.headers.fields()) {
    request.headers.emplace_back(name, value);
  }
  return request;
}

/// S3 request ids are 16 characters, all others UUIDs (spec records §7.3).
std::string make_request_id(io::Random& random, bool s3) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  constexpr std::size_t kLength = 16;
  return s3 ? io::make_token(random, kLength, kAlphabet) : io::make_uuid(random);
}

ApiError access_denied(iam::ErrorStyle style, const std::string& reason) {
  switch (style) {
    case iam::ErrorStyle::Json:
      // Logged without "Exception", as CloudTrail's own records are.
      return {"AccessDeniedException", reason, 400, "AccessDenied"};
    case iam::ErrorStyle::Query:
      return {"AccessDenied", reason, 403, {}};
    case iam::ErrorStyle::S3:
      return {"AccessDenied", "Access Denied", 403, {}};
  }
  return {"AccessDenied", reason, 403, {}};
}

/// Failed signature checks are 403 but for what cannot be read, S3's session tokens included (spec
/// api §1.2).
int authentication_status(std::string_view code) {
  const bool malformed = code.starts_with("IncompleteSignature") ||
                         code == "AuthorizationHeaderMalformed" || code == "InvalidRequest" ||
                         code == "AuthorizationQueryParametersError" || code == "InvalidToken";
  return malformed ? 400 : 403;
}

/// The answer to a call that is not on the record.
ApiError unrecorded(bool handled) {
  const std::string_view text =
      handled
          ? "The call could not be recorded, so its outcome is not confirmed. Look at the "
            "server's log; when the disk is well again, look up what happened and repeat the "
            "call."
          : "The journal cannot be written, so nothing was done. Look at the server's log, mend "
            "the disk and restart the server.";
  return {"InternalFailure", std::string(text), 500, {}};
}

const metrics::Counter& refused_counter() {
  static const metrics::Counter kCounter =
      metrics::counter("opentrail_calls_unattributed_total",
                       "Refused calls that name no known account, and so are on nobody's record");
  return kCounter;
}

}  // namespace

/// One request on its way through the pipeline. A stage that sets `error` ends the way: what
/// follows records and answers it.
struct Pipeline::Attempt {
  explicit Attempt(net::Exchange& exchange_in)
      : exchange(exchange_in),
        head(exchange_in.request()),
        call{.exchange = exchange_in,
             .received_at = {},
             .request_id = {},
             .event_id = {},
             .region = {},
             .account_id = {},
             .caller = {},
             .body = {},
             .signing_key = {},
             .claim = {}} {}

  net::Exchange& exchange;
  const net::RequestHead& head;
  Result<sigv4::Claim> claim = fail(ErrorCode::NotFound, "not read yet");
  std::unique_ptr<UnknownService> unknown;
  services::Service* service = nullptr;
  services::Call call;
  std::optional<iam::Caller> caller;  ///< Named, perhaps not verified.
  Operation operation;
  bool authorised = false;  ///< The record may show parameters.
  bool handled = false;     ///< The service ran: there may be effects.
  std::optional<ApiError> error;
  Outcome outcome;

  [[nodiscard]] bool is_s3() const { return service->error_style() == iam::ErrorStyle::S3; }
};

Pipeline::Pipeline(Parts parts) : parts_(std::move(parts)), lookup_limiter_(parts_.lookup_rate) {}

boost::asio::awaitable<void> Pipeline::answer(net::Exchange& exchange) {
  Attempt attempt(exchange);
  attempt.call.received_at = parts_.clock.now();
  attempt.claim = sigv4::parse_claim(to_signed_request(attempt.head));
  attempt.service = choose_service(attempt);
  if (attempt.service == nullptr) {
    attempt.unknown = std::make_unique<UnknownService>(
        attempt.claim ? std::string_view(attempt.claim->scope.service) : "", attempt.head);
    attempt.service = attempt.unknown.get();
  }
  attempt.call.request_id = make_request_id(parts_.random, attempt.is_s3());
  attempt.call.event_id = io::make_uuid(parts_.random);
  co_await run(attempt);
  if (attempt.error) {
    Outcome refused =
        attempt.service->error_answer(attempt.head, *attempt.error, attempt.call.request_id);
    refused.additional_event_data = std::move(attempt.outcome.additional_event_data);
    refused.error = std::move(attempt.error);
    attempt.outcome = std::move(refused);
  }
  co_await record(attempt);
  co_await send(attempt);
}

/// Up to the service's answer; leaves either `error` or `outcome`.
boost::asio::awaitable<void> Pipeline::run(Attempt& attempt) {
  co_await read_body(attempt);
  authenticate(attempt);
  // Identified even when refused: the record says which operation was tried.
  attempt.operation = attempt.service->identify(attempt.call);
  check_region(attempt);
  if (!attempt.error && attempt.operation.error) {
    attempt.authorised = true;  // the caller is who it says; its own mistake may be shown
    attempt.error = attempt.operation.error;
  }
  authorise(attempt);
  throttle(attempt);
  check_journal(attempt);
  if (attempt.error) {
    co_return;
  }
  attempt.authorised = true;
  attempt.handled = true;
  attempt.outcome = co_await attempt.service->handle(attempt.call, attempt.operation);
}

services::Service* Pipeline::find_service(std::string_view signing_name) const {
  const auto found = std::ranges::find(parts_.services, signing_name,
                                       [](const auto& service) { return service->signing_name(); });
  return found == parts_.services.end() ? nullptr : found->get();
}

/// The scope says which service is meant. Without one the request's shape does, so that an unsigned
/// call gets its refusal in the words it understands.
services::Service* Pipeline::choose_service(const Attempt& attempt) const {
  if (attempt.claim) {
    return find_service(attempt.claim->scope.service);
  }
  return find_service(guess_service(attempt.head));
}

std::string_view Pipeline::guess_service(const net::RequestHead& head) const {
  if (head.headers.find("x-amz-target")) {
    return "cloudtrail";
  }
  if (head.headers.get("content-type").starts_with("application/x-www-form-urlencoded")) {
    return "iam";
  }
  return head.path().starts_with("/opentrail/") ? "opentrail" : kS3;
}

boost::asio::awaitable<void> Pipeline::read_body(Attempt& attempt) {
  if (attempt.service->streams(attempt.head)) {
    co_return;
  }
  const std::size_t bytes_max = attempt.service->body_bytes_max_of(attempt.head);
  if (bytes_max > kStrangersBodyBytesMax && !may_send_much(attempt)) {
    co_return;  // refused by authenticate(), whatever the body is
  }
  auto admission = attempt.service->admit(attempt.head);
  if (!admission) {
    attempt.error = std::move(admission).error();
    attempt.exchange.close_after();
    co_return;
  }
  attempt.call.admission = *std::move(admission);
  auto body = co_await attempt.exchange.read_all(bytes_max);
  if (body) {
    attempt.call.body = std::move(*body);
    co_return;
  }
  const Error& error = body.error();
  const bool too_large = attempt.head.content_length.value_or(0) > bytes_max ||
                         error.message().find("larger") != std::string::npos;
  if (too_large) {
    attempt.error =
        ApiError{attempt.is_s3() ? "EntityTooLarge" : "RequestEntityTooLarge",
                 fmt::format("The request body is larger than the {} bytes that are accepted here",
                             bytes_max),
                 413,
                 {}};
  } else if (error.code() == ErrorCode::Timeout) {
    attempt.error = ApiError{"RequestTimeout", "The request body did not arrive in time", 408, {}};
  } else {
    attempt.error =
        ApiError{"IncompleteBody", "The request body ended before its declared length", 400, {}};
  }
  attempt.exchange.close_after();
}

iam::AuthenticateOptions Pipeline::signed_over(const Attempt& attempt,
                                               std::string payload_hash) const {
  return {.payload_hash = std::move(payload_hash),
          .style = attempt.service->error_style(),
          .expected_service = std::string(attempt.service->signing_name())};
}

/// Large bodies are held in memory only for callers whose signature holds over the hash that they
/// declare, or, where they declare none, who exist.
bool Pipeline::may_send_much(const Attempt& attempt) const {
  const auto declared = attempt.head.headers.find(kContentSha256);
  const auto checked = parts_.iam.authenticate(
      to_signed_request(attempt.head),
      signed_over(attempt, std::string(declared.value_or(kUnsignedPayload))));
  return declared ? checked.error_code.empty() : checked.caller.has_value();
}

void Pipeline::authenticate(Attempt& attempt) {
  const bool s3 = attempt.is_s3();
  const auto declared = attempt.head.headers.find(kContentSha256);
  const bool presigned = attempt.claim && attempt.claim->presigned;
  // A service that reads the body itself compares it with what was signed itself.
  const bool as_declared = s3 || attempt.service->streams(attempt.head);
  auto checked = parts_.iam.authenticate(
      to_signed_request(attempt.head),
      signed_over(attempt, as_declared ? std::string(declared.value_or(kUnsignedPayload))
                                       : crypto::sha256_hex(attempt.call.body)));
  attempt.caller = checked.caller;
  if (checked.caller) {
    attempt.call.account_id = checked.caller->account_id;
    attempt.call.caller = *checked.caller;
  }
  if (attempt.error) {
    return;  // the body could not be read, so the signature says nothing
  }
  if (!checked.error_code.empty()) {
    attempt.error = ApiError{
        checked.error_code, checked.error_message, authentication_status(checked.error_code), {}};
    return;
  }
  attempt.call.signing_key = std::move(checked.signing_key);
  attempt.call.claim = std::move(checked.claim);
  attempt.call.region = attempt.call.claim.scope.region;
  if (s3 && !declared && !presigned) {
    attempt.error = ApiError{"InvalidRequest",
                             "Missing required header for this request: x-amz-content-sha256",
                             400,
                             {}};
  } else if (s3 && declared && *declared != kUnsignedPayload &&
             !declared->starts_with("STREAMING-") && !attempt.service->streams(attempt.head) &&
             !equals_ignore_case(*declared, crypto::sha256_hex(attempt.call.body))) {
    attempt.error =
        ApiError{"XAmzContentSHA256Mismatch",
                 "The provided 'x-amz-content-sha256' header does not match what was computed.",
                 400,
                 {}};
  }
}

bool Pipeline::is_enabled(std::string_view region) const {
  return std::ranges::find(parts_.regions, region) != parts_.regions.end();
}

/// A region that is not enabled answers as AWS's do: the token is not known there. Such a call, and
/// one whose region is not proven, is kept with the global events.
void Pipeline::check_region(Attempt& attempt) {
  const std::string claimed = attempt.claim ? attempt.claim->scope.region : std::string();
  if (is_enabled(claimed)) {
    attempt.call.region = claimed;
    return;
  }
  if (!attempt.error && aws::is_region_name(claimed) &&
      std::ranges::find(kLooksAnywhere, attempt.operation.action) != std::end(kLooksAnywhere)) {
    attempt.call.region = claimed;
    attempt.operation.region_override = aws::kGlobalRegion;
    return;
  }
  attempt.call.region = aws::kGlobalRegion;
  if (attempt.error) {
    return;
  }
  constexpr auto kText = "The security token included in the request is invalid";
  switch (attempt.service->error_style()) {
    case iam::ErrorStyle::Json:
      attempt.error = ApiError{"UnrecognizedClientException", kText, 403, {}};
      break;
    case iam::ErrorStyle::Query:
      attempt.error = ApiError{"InvalidClientTokenId", kText, 403, {}};
      break;
    case iam::ErrorStyle::S3:
      attempt.error = ApiError{
          "AuthorizationHeaderMalformed",
          fmt::format("The authorization header is malformed; the region '{}' is not enabled here",
                      claimed),
          400,
          {}};
      break;
  }
}

void Pipeline::authorise(Attempt& attempt) {
  if (attempt.error) {
    return;
  }
  const auto denied = parts_.iam.deny_reason(attempt.call.caller, attempt.operation.action,
                                             attempt.operation.resource);
  if (denied) {
    attempt.error = access_denied(attempt.service->error_style(), *denied);
    // S3 logs the parameters of denied calls, the others do not (spec records §1.5).
    attempt.authorised = attempt.is_s3();
  }
}

void Pipeline::throttle(Attempt& attempt) {
  if (attempt.error || attempt.operation.action != kLookupEvents) {
    return;
  }
  // Names of regions can be made up without end; those that are not enabled share one allowance.
  const std::string_view region =
      is_enabled(attempt.call.region) ? std::string_view(attempt.call.region) : "other";
  const std::string key = fmt::format("{}/{}", attempt.call.account_id, region);
  if (!lookup_limiter_.allow(key, attempt.call.received_at)) {
    attempt.error = ApiError{"ThrottlingException", "Rate exceeded", 400, {}};
  }
}

/// What cannot be recorded is not done.
void Pipeline::check_journal(Attempt& attempt) {
  if (attempt.error || !parts_.journal.failure()) {
    return;
  }
  attempt.error = unrecorded(false);
}

namespace {

std::string json_or_empty(const json::value& value) {
  return value.is_null() ? std::string() : to_text(value);
}

}  // namespace

boost::asio::awaitable<void> Pipeline::record(Attempt& attempt) {
  if (!attempt.caller) {
    refused_counter().add();
    co_return;  // the call names no account that exists here: there is no record to put it on
  }
  const Operation& operation = attempt.operation;
  const net::Headers& headers = attempt.head.headers;
  const auto& error = attempt.outcome.error;
  record::CallFacts facts;
  facts.identity = attempt.caller->identity();
  facts.event_time = parts_.clock.now();
  facts.event_source = attempt.service->event_source();
  facts.event_name = operation.event_name;
  facts.region =
      operation.region_override.empty() ? attempt.call.region : operation.region_override;
  facts.source_ip_address = attempt.head.peer_address;
  const std::string_view user_agent = headers.get("user-agent");
  facts.user_agent = attempt.is_s3() ? fmt::format("[{}]", user_agent) : std::string(user_agent);
  if (error) {
    facts.error_code = error->record_code.empty() ? error->code : error->record_code;
    facts.error_message = error->message;
  }
  if (attempt.authorised) {
    facts.request_parameters_json = json_or_empty(operation.request_parameters);
    facts.resources =
        attempt.outcome.resources.empty() ? operation.resources : attempt.outcome.resources;
  }
  if (!error) {
    facts.response_elements_json = json_or_empty(attempt.outcome.response_elements);
  }
  facts.additional_event_data_json = json_or_empty(attempt.outcome.additional_event_data.is_null()
                                                       ? operation.additional_event_data
                                                       : attempt.outcome.additional_event_data);
  facts.request_id = attempt.call.request_id;
  facts.event_id = attempt.call.event_id;
  facts.read_only = operation.read_only;
  facts.api_version = operation.api_version;
  facts.recipient_account_id = attempt.call.account_id;
  facts.category = operation.category;
  if (attempt.head.tls) {
    facts.tls = record::TlsInfo{attempt.head.tls->version, attempt.head.tls->cipher_suite,
                                std::string(headers.get("host"))};
  }
  auto recorded = co_await parts_.recorder.record(facts);
  if (!recorded) {
    // What the service changed is in force somewhere all the same; after a failure of the journal
    // only the next start can say where.
    if (attempt.outcome.on_recorded && !parts_.journal.failure()) {
      auto settle = [&]() { attempt.outcome.on_recorded(parts_.journal.end()); };
      co_await io::offload(parts_.workers, std::move(settle));
    }
    // Whatever the service did, the caller must not take it for recorded.
    attempt.outcome = attempt.service->error_answer(attempt.head, unrecorded(attempt.handled),
                                                    attempt.call.request_id);
    co_return;
  }
  if (*recorded && operation.reads_history && parts_.history_read) {
    parts_.history_read(**recorded);
  }
  if (*recorded && attempt.outcome.on_recorded) {
    auto notify = [&]() { attempt.outcome.on_recorded(**recorded); };
    co_await io::offload(parts_.workers, std::move(notify));
  }
}

boost::asio::awaitable<void> Pipeline::send(Attempt& attempt) {
  if (attempt.outcome.sent || attempt.exchange.responded()) {
    co_return;
  }
  net::Headers& headers = attempt.outcome.head.headers;
  headers.set("x-amzn-RequestId", attempt.call.request_id);
  if (attempt.is_s3()) {
    headers.set("x-amz-request-id", attempt.call.request_id);
  }
  const auto sent = co_await attempt.exchange.respond(std::move(attempt.outcome.head),
                                                      std::move(attempt.outcome.body));
  if (!sent) {
    log::debug("an answer could not be sent: {}", sent.error().message());
  }
}

}  // namespace opentrail::server
