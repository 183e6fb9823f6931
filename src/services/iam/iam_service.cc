#include "services/iam/iam_service.h"

#include "base/text.h"
#include "io/offload.h"
#include "services/bounded_name.h"
#include "services/iam/iam_operations.h"
#include "services/own_trouble.h"
#include "services/query_answer.h"

#include <fmt/format.h>

namespace opentrail::services {
namespace {

constexpr std::string_view kNamespace = "https://iam.amazonaws.com/doc/2010-05-08/";
constexpr std::string_view kVersion = "2010-05-08";
constexpr std::string_view kHomeRegion = "us-east-1";

/// "UserName" -> "userName".
std::string record_name(std::string_view name) {
  std::string lowered(name);
  lowered[0] = to_lower(name.substr(0, 1))[0];
  return lowered;
}

json::value record_value(const IamParameter& parameter, const aws::QueryRequest& request) {
  const std::string_view text = request.get(parameter.name);
  switch (parameter.kind) {
    case ParameterKind::Boolean:
      return text == "true";
    case ParameterKind::Integer: {
      const auto number = parse_int(text);
      return number ? json::value(*number) : json::value(text);
    }
    case ParameterKind::Tags: {
      json::array tags;
      for (const auto& [key, value] : request.tags()) {
        tags.push_back({{"key", key}, {"value", value}});
      }
      return tags;
    }
    case ParameterKind::Text:
    case ParameterKind::Secret:
      return json::value(text);
  }
  return nullptr;
}

bool is_present(const IamParameter& parameter, const aws::QueryRequest& request) {
  return parameter.kind == ParameterKind::Tags ? !request.tags().empty()
                                               : request.has(parameter.name);
}

json::value recorded_parameters(const IamOperation& row, const aws::QueryRequest& request) {
  json::object recorded;
  for (const IamParameter& parameter : row.parameters) {
    if (parameter.kind != ParameterKind::Secret && is_present(parameter, request)) {
      recorded[record_name(parameter.name)] = record_value(parameter, request);
    }
  }
  return recorded.empty() ? json::value(nullptr) : json::value(std::move(recorded));
}

ApiError invalid_parameter(const IamParameter& parameter, std::string_view value,
                           std::string_view rule) {
  return {"ValidationError",
          fmt::format("1 validation error detected: Value {} at '{}' failed to satisfy constraint: "
                      "{}",
                      value, record_name(parameter.name), rule),
          400, "ValidationException"};
}

/// A required parameter that is missing, or one that is there and empty: no parameter of IAM may
/// be. An empty UserName above all: it must not be taken for the root user's.
std::optional<ApiError> check_parameters(const IamOperation& row,
                                         const aws::QueryRequest& request) {
  for (const IamParameter& parameter : row.parameters) {
    if (!is_present(parameter, request)) {
      if (parameter.required) {
        return invalid_parameter(parameter, "null", "Member must not be null");
      }
    } else if (parameter.kind != ParameterKind::Tags && request.get(parameter.name).empty()) {
      return invalid_parameter(parameter, "''",
                               "Member must have length greater than or equal to 1");
    }
  }
  return std::nullopt;
}

std::string user_of(const IamOperation& row, const Call& call, const aws::QueryRequest& request) {
  if (request.has("UserName")) {
    return std::string(request.get("UserName"));
  }
  return row.user_defaults_to_caller ? call.caller.user_name : std::string();
}

ApiError to_api_error(const Error& error) {
  const std::string& reason = error.reason();
  if (reason.empty()) {
    ApiError trouble = own_trouble(error);
    if (trouble.code == "ServiceUnavailable") {
      trouble.code = "ServiceFailure";  // as IAM calls it
    }
    return trouble;
  }
  const int status =
      reason == "NoSuchEntity" ? 404
      : reason == "DeleteConflict" || reason == "EntityAlreadyExists" || reason == "LimitExceeded"
          ? 409
          : 400;
  // IAM's wire codes are logged with "Exception" behind them (spec records §1.5; ValidationError is
  // the one whose stem differs).
  const std::string record_code =
      reason == "ValidationError" ? "ValidationException" : reason + "Exception";
  return {reason, error.message(), status, record_code};
}

}  // namespace

Operation IamService::identify(const Call& call) const {
  Operation operation;
  operation.region_override = kHomeRegion;
  operation.resource = "*";
  const auto request = aws::QueryRequest::parse(call.exchange.request(), call.body);
  if (!request) {
    operation.name = operation.event_name = "Unknown";
    operation.action = "iam:Unknown";
    operation.error = ApiError{request.error().reason(), request.error().message(), 400, {}};
    return operation;
  }
  operation.name = operation.event_name = bounded_name(request->action());
  operation.action = "iam:" + operation.name;
  const IamOperation* row = find_iam_operation(request->action());
  if (row == nullptr || (!request->version().empty() && request->version() != kVersion)) {
    operation.error =
        ApiError{"InvalidAction",
                 fmt::format("Could not find operation {} for version {}", operation.name,
                             request->version().empty() ? std::string(kVersion)
                                                        : bounded_name(request->version())),
                 400,
                 {}};
    return operation;
  }
  operation.read_only = row->read_only;
  operation.resource =
      fmt::format("arn:aws:iam::{}:user/{}", call.account_id, user_of(*row, call, *request));
  operation.request_parameters = recorded_parameters(*row, *request);
  operation.error = check_parameters(*row, *request);
  return operation;
}

asio::awaitable<Outcome> IamService::handle(Call& call, const Operation& operation) {
  const auto request = aws::QueryRequest::parse(call.exchange.request(), call.body);
  const IamOperation* row = find_iam_operation(operation.name);
  OT_CHECK(request.has_value() && row != nullptr);  // identify() has let it through
  auto job = [&]() {
    return row->run({iam_, call.caller, *request, user_of(*row, call, *request)});
  };
  auto result = co_await io::offload(workers_, std::move(job));
  if (!result) {
    const ApiError error = to_api_error(result.error());
    Outcome outcome = error_answer(call.exchange.request(), error, call.request_id);
    outcome.error = error;
    co_return outcome;
  }
  Outcome outcome = query_answer(operation.name, kNamespace, result->wire, call.request_id);
  outcome.response_elements = std::move(result->recorded);
  co_return outcome;
}

Outcome IamService::error_answer(const net::RequestHead&, const ApiError& error,
                                 std::string_view request_id) const {
  return query_error_answer(kNamespace, error, request_id);
}

}  // namespace opentrail::services
