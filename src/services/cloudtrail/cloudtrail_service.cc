#include "services/cloudtrail/cloudtrail_service.h"

#include "aws/json_protocol.h"
#include "io/offload.h"
#include "services/cloudtrail/operations.h"
#include "services/cloudtrail/validation.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::services::cloudtrail {
namespace {

constexpr std::string_view kAccountHeader = "x-opentrail-account";
constexpr std::string_view kUnknown = "Unknown";

std::string resource_arn(const CloudTrailOperation& row, const Call& call,
                         const json::object& input) {
  const std::string named = row.resource_member.empty()
                                ? std::string()
                                : text_of(input, row.resource_member).value_or("");
  if (named.empty()) {
    return "*";
  }
  if (named.starts_with("arn:")) {
    return shown(named);
  }
  return fmt::format("arn:aws:cloudtrail:{}:{}:trail/{}", call.region, call.account_id,
                     shown(named));
}

ApiError to_request_error(const Error& error) { return {error.reason(), error.message(), 400, {}}; }

/// Only a header that the signature covers is the caller's own word; and a call that cannot heed it
/// is refused, lest it does in one account what was meant for another.
ApiResult<std::optional<std::string>> other_account(const Call& call, const Operation& operation) {
  const auto header = call.exchange.request().headers.find(kAccountHeader);
  if (!header) {
    return std::nullopt;
  }
  if (std::ranges::find(call.claim.signed_headers, kAccountHeader) ==
      call.claim.signed_headers.end()) {
    return refuse("ValidationException",
                  fmt::format("The header {} must be among the signed headers.", kAccountHeader));
  }
  if (operation.name != "LookupEvents") {
    return refuse("ValidationException",
                  fmt::format("Only LookupEvents takes the header {}.", kAccountHeader));
  }
  return std::string(*header);
}

/// What the record shows of a change's answer; nothing of an empty one.
json::value recorded_response(const std::string& body) {
  const auto parsed = parse_json(body);
  if (!parsed || !parsed->is_object() || parsed->get_object().empty()) {
    return nullptr;
  }
  return aws::with_record_member_names(*parsed);
}

}  // namespace

Operation CloudTrailService::identify(const Call& call) const {
  Operation operation;
  operation.resource = "*";
  const auto name = aws::json_operation(call.exchange.request());
  operation.name = operation.event_name = name.value_or(std::string(kUnknown));
  operation.action = "cloudtrail:" + operation.name;
  const CloudTrailOperation* row = name ? find_cloudtrail_operation(*name) : nullptr;
  if (row == nullptr) {
    operation.error = ApiError{
        "UnknownOperationException",
        name ? fmt::format("CloudTrail has no operation {}", *name)
             : "The header X-Amz-Target must name an operation: CloudTrail_20131101.Operation",
        400,
        {}};
    return operation;
  }
  operation.read_only = row->read_only;
  operation.reads_history = row->run == lookup_events;
  const auto body = aws::parse_json_body(call.body);
  if (!body) {
    operation.error = to_request_error(body.error());
    return operation;
  }
  aws::ShapedInput shaped = row->input.read(*body);
  operation.resource = resource_arn(*row, call, shaped.input);
  operation.request_parameters = std::move(shaped.recorded);
  if (shaped.error) {
    operation.error = to_request_error(*shaped.error);
  }
  return operation;
}

asio::awaitable<Outcome> CloudTrailService::handle(Call& call, const Operation& operation) {
  const CloudTrailOperation* row = find_cloudtrail_operation(operation.name);
  const auto body = aws::parse_json_body(call.body);
  OT_CHECK(row != nullptr && body.has_value());  // identify() has let it through
  const aws::ShapedInput shaped = row->input.read(*body);
  OT_CHECK(!shaped.error.has_value());
  ApiResult<Answer> answer =
      refuse("UnsupportedOperationException",
             fmt::format("The operation {} is not supported: OpenTrail does not offer it.",
                         operation.name));
  if (row->run != nullptr) {
    auto account = other_account(call, operation);
    if (account) {
      Request request{parts_,      change_mutex_, call.account_id,    call.region,
                      call.caller, shaped.input,  *std::move(account)};
      auto job = [&]() { return row->run(request); };
      answer = co_await io::offload(parts_.workers, std::move(job));
    } else {
      answer = std::unexpected(std::move(account).error());
    }
  }
  if (!answer) {
    Outcome refused = error_answer(call.exchange.request(), answer.error(), call.request_id);
    refused.error = std::move(answer).error();
    co_return refused;
  }
  Outcome outcome;
  outcome.head.headers.add("Content-Type", std::string(aws::kJsonContentType));
  if (!row->read_only) {
    outcome.response_elements = recorded_response(answer->body);
  }
  outcome.body = std::move(answer->body);
  outcome.on_recorded = std::move(answer->on_recorded);
  outcome.additional_event_data = std::move(answer->additional_event_data);
  co_return outcome;
}

Outcome CloudTrailService::error_answer(const net::RequestHead&, const ApiError& error,
                                        std::string_view) const {
  Outcome outcome;
  outcome.head.status = error.status;
  outcome.head.headers.add("Content-Type", std::string(aws::kJsonContentType));
  outcome.head.headers.add("x-amzn-ErrorType", error.code);
  outcome.body = aws::json_error(error.code, error.message);
  return outcome;
}

}  // namespace opentrail::services::cloudtrail
