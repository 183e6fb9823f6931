#include "gateway/gateway.h"

#include "aws/model/recognise.h"
#include "aws/regions.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "gateway/call_facts.h"
#include "gateway/forwarder.h"
#include "gateway/refusal.h"

#include <chrono>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace opentrail::gateway {
namespace {

namespace asio = boost::asio;
namespace sigv4 = crypto::sigv4;

constexpr int kBadGateway = 502;
constexpr int kGatewayTimeout = 504;
constexpr int kServiceUnavailable = 503;
constexpr int kBadRequest = 400;
constexpr int kErrorStatusMin = 400;
constexpr std::string_view kOutcomeUnknown = "OutcomeUnknown";
/// How often a journal that takes nothing is tried again.
constexpr std::chrono::milliseconds kRecordRetry{200};

sigv4::SignedRequest to_signed_request(const net::RequestHead& head) {
  sigv4::SignedRequest request{head.method, head.path(), head.query(), {}};
  for (const auto& [name, value] : head.headers.fields()) {
    request.headers.emplace_back(name, value);
  }
  return request;
}

/// The body stands for itself: it is sent on as it comes, and need not be read to know the call.
bool is_content(const std::optional<aws::model::RecognisedCall>& call) {
  if (!call || !call->operation.input) {
    return false;
  }
  const auto payload = call->operation.input.payload();
  return payload && (payload->streaming || payload->shape.streaming());
}

}  // namespace

/// One request on its way.
struct Gateway::Attempt {
  Attempt(net::Exchange& exchange_in, const Destination& destination_in, net::Upstream& upstream_in)
      : exchange(exchange_in),
        destination(destination_in),
        upstream(upstream_in),
        forwarder(exchange_in, upstream_in) {
    request.head = &exchange.request();
    request.signing_name = destination.guessed ? "" : destination.service;
    request.region = destination.region;
  }

  net::Exchange& exchange;
  const Destination& destination;
  net::Upstream& upstream;
  Forwarder forwarder;
  ObservedRequest request;
  ObservedAnswer answer;
  record::UserIdentity identity;
  std::string account_id;
  std::string event_id;
  std::optional<journal::Offset> intent;  ///< Of a call whose outcome is not on the record yet.

  bool body_read = false;  ///< As far as it will be: what the body could say is known.

  void recognise() {
    request.call = aws::model::recognise(*request.head, forwarder.held_request(),
                                         {request.signing_name, destination.bucket});
    if (request.call) {
      request.signing_name = request.call->service->signing_name;
    } else if (request.signing_name.empty() && body_read) {
      request.signing_name = destination.service;
      recognise();
    }
  }
  /// Its record must be durable before it is answered.
  [[nodiscard]] bool mutates() const {
    return !is_read_only(request) && category_of(request) == record::Category::Management;
  }
  void observe() {
    request.body_whole = forwarder.request_whole();
    request.body = forwarder.held_request();
    request.body_bytes = forwarder.request_bytes();
    answer.head = forwarder.answer();
    answer.body_whole = forwarder.answer_whole();
    answer.body = forwarder.held_answer();
    answer.body_bytes = forwarder.answer_bytes();
  }
};

Gateway::Destination Gateway::destination_of(const net::RequestHead& head) const {
  Destination destination;
  const auto host = aws::model::read_host(head.headers.get("host"));
  destination.service = host.signing_name;
  destination.region = host.region;
  if (const auto claimed = sigv4::claimed_credential(to_signed_request(head))) {
    destination.service = claimed->scope.service;
    destination.region = claimed->scope.region;
    destination.access_key_id = claimed->access_key_id;
  }
  if (destination.service.empty()) {
    // An unsigned call, such as Cognito's GetId: X-Amz-Target or the query string names it.
    if (const auto call = aws::model::recognise(head, "", {})) {
      destination.service = call->service->signing_name;
    }
  }
  if (destination.service == "s3") {
    destination.bucket = host.bucket;
  }
  if (!aws::is_region_name(destination.region)) {
    destination.region = aws::kGlobalRegion;
  }
  return destination;
}

bool Gateway::takes(const Destination& destination, bool ours) const {
  return ours ? parts_.routes.takes_over(destination.service, destination.region)
              : parts_.routes.find(destination.service, destination.region) != nullptr;
}

/// Our IAM's word where it knows the key; else what the request says of itself.
void Gateway::identify(Attempt& attempt) const {
  const net::RequestHead& head = *attempt.request.head;
  const bool s3 = attempt.request.signing_name == "s3";
  const auto declared = head.headers.find("x-amz-content-sha256");
  std::string hash = declared ? std::string(*declared)
                     : attempt.forwarder.request_whole() && !s3
                         ? crypto::sha256_hex(attempt.forwarder.held_request())
                         : "UNSIGNED-PAYLOAD";
  const auto checked = parts_.iam.authenticate(
      to_signed_request(head), {.payload_hash = std::move(hash),
                                .style = s3 ? iam::ErrorStyle::S3 : iam::ErrorStyle::Json,
                                .expected_service = {}});
  if (checked.caller) {
    attempt.identity = checked.caller->identity();
    attempt.account_id = checked.caller->account_id;
    return;
  }
  attempt.account_id = parts_.iam.account_id();
  attempt.identity = unknown_identity(attempt.destination.access_key_id, attempt.account_id, s3);
}

asio::awaitable<void> Gateway::answer(net::Exchange& exchange, const Destination& destination) {
  net::Upstream* upstream = parts_.routes.find(destination.service, destination.region);
  OT_CHECK(upstream != nullptr);  // takes() said so
  Attempt attempt(exchange, destination, *upstream);
  attempt.event_id = io::make_uuid(parts_.random);
  attempt.recognise();
  if (!is_content(attempt.request.call)) {
    const auto held = co_await attempt.forwarder.hold_request();
    attempt.body_read = true;
    attempt.recognise();
    if (!held) {
      identify(attempt);
      exchange.close_after();
      co_await refuse(attempt, kBadRequest, "IncompleteBody", held.error().message());
      co_return;
    }
  }
  identify(attempt);
  if (parts_.cannot_record()) {
    co_await refuse(
        attempt, kServiceUnavailable, "ServiceUnavailable",
        "The call cannot be recorded, so it was not sent on. Look at the server's log.");
    co_return;
  }
  if (const auto begun = co_await begin_intent(attempt); !begun) {
    log::error("an intent could not be kept, so its call was not sent on: {}",
               begun.error().message());
    co_await refuse(
        attempt, kServiceUnavailable, "ServiceUnavailable",
        "The call cannot be recorded, so it was not sent on. Look at the server's log.");
    co_return;
  }
  co_await forward(attempt);
}

/// With Mode::Strict: what is about to be done, as the record says it when the server dies now.
asio::awaitable<Result<void>> Gateway::begin_intent(Attempt& attempt) {
  if (parts_.mode != Mode::Strict || !attempt.mutates()) {
    co_return Result<void>{};
  }
  attempt.observe();
  attempt.answer.error_code = kOutcomeUnknown;
  attempt.answer.error_message =
      "The server ended after the call was to be sent to the upstream and before its outcome was "
      "recorded.";
  auto intent = record::build_record(facts_of(attempt));
  attempt.answer = {};
  OT_CO_TRY(attempt.intent, co_await parts_.intents->begin(std::move(intent)));
  co_return Result<void>{};
}

void Gateway::end_intent(Attempt& attempt) {
  if (attempt.intent) {
    parts_.intents->end(*attempt.intent);
    attempt.intent.reset();
  }
}

asio::awaitable<void> Gateway::forward(Attempt& attempt) {
  const std::string_view method = attempt.request.head->method;
  const bool repeatable = method == "GET" || method == "HEAD" || is_read_only(attempt.request);
  const auto sent = co_await attempt.forwarder.send_request(repeatable);
  if (!sent) {
    attempt.exchange.close_after();
    const bool late = sent.error().code() == ErrorCode::Timeout;
    if (attempt.forwarder.client_failed()) {
      co_await refuse(attempt, kBadRequest, "IncompleteBody", sent.error().message());
    } else {
      co_await refuse(attempt, late ? kGatewayTimeout : kBadGateway,
                      late ? "GatewayTimeout" : "BadGateway", sent.error().message());
    }
    co_return;
  }
  const int status = attempt.forwarder.answer()->status;
  const bool read_answer = attempt.mutates() || status >= kErrorStatusMin;
  if (read_answer) {
    if (const auto held = co_await attempt.forwarder.hold_answer(); !held) {
      co_await refuse(attempt, kBadGateway, "BadGateway", held.error().message());
      co_return;
    }
  }
  co_await finish(attempt);
}

/// Record and answer, in the order that the call's kind and the mode ask for.
asio::awaitable<void> Gateway::finish(Attempt& attempt) {
  attempt.observe();
  const bool first = attempt.mutates() && parts_.mode != Mode::Batch;
  if (first && !co_await put_on_record(attempt, Wait::Durable)) {
    attempt.exchange.close_after();
    const auto refused = make_refusal(
        attempt.request,
        {500, "InternalFailure",
         "The call was sent on, but could not be recorded, so its outcome is not confirmed."},
        io::make_uuid(parts_.random));
    static_cast<void>(co_await attempt.exchange.respond(refused.head, refused.body));
    co_return;
  }
  const auto passed = co_await attempt.forwarder.send_answer();
  if (first) {
    co_return;
  }
  attempt.observe();
  if (!passed) {
    attempt.answer.error_code =
        attempt.forwarder.client_failed() ? "ClientDisconnected" : "BadGateway";
    attempt.answer.error_message = passed.error().message();
  }
  co_await record_behind(attempt);
}

/// The answer is out: the record must come. The connection waits until it does.
asio::awaitable<void> Gateway::record_behind(Attempt& attempt) {
  while (!co_await put_on_record(attempt, Wait::Accepted)) {
    if (stopping_.load()) {
      // The last place where it can be kept.
      log::error("a record was not written: {}", record::build_record(facts_of(attempt)).json);
      co_return;
    }
    asio::steady_timer pause(co_await asio::this_coro::executor, kRecordRetry);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<void> Gateway::refuse(Attempt& attempt, int status, std::string code,
                                      std::string message) {
  attempt.observe();
  attempt.answer.head.reset();
  attempt.answer.error_code = code;
  attempt.answer.error_message = message;
  const auto refused = make_refusal(attempt.request, {status, std::move(code), std::move(message)},
                                    io::make_uuid(parts_.random));
  static_cast<void>(co_await put_on_record(
      attempt, attempt.mutates() && parts_.mode != Mode::Batch ? Wait::Durable : Wait::Accepted));
  static_cast<void>(co_await attempt.exchange.respond(refused.head, refused.body));
}

record::CallFacts Gateway::facts_of(const Attempt& attempt) const {
  record::CallFacts facts = make_facts(attempt.request, attempt.answer);
  facts.identity = attempt.identity;
  facts.recipient_account_id = attempt.account_id;
  facts.event_time = parts_.clock.now();
  facts.event_id = attempt.event_id;
  facts.source_ip_address = attempt.request.head->peer_address;
  if (attempt.request.head->tls) {
    facts.tls =
        record::TlsInfo{attempt.request.head->tls->version, attempt.request.head->tls->cipher_suite,
                        std::string(attempt.request.head->headers.get("host"))};
  }
  return facts;
}

asio::awaitable<bool> Gateway::put_on_record(Attempt& attempt, Wait wait) {
  const record::CallFacts facts = facts_of(attempt);
  const auto recorded = co_await parts_.record(facts, wait);
  if (!recorded) {
    log::error("a call through the gateway could not be recorded: {}", recorded.error().message());
    co_return false;
  }
  end_intent(attempt);
  co_return true;
}

std::optional<Mode> parse_mode(std::string_view text) {
  if (text == "strict") {
    return Mode::Strict;
  }
  if (text == "blocking") {
    return Mode::Blocking;
  }
  return text == "batch" ? std::optional(Mode::Batch) : std::nullopt;
}

}  // namespace opentrail::gateway
