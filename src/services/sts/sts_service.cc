#include "services/sts/sts_service.h"

#include "aws/query_protocol.h"
#include "services/bounded_name.h"
#include "services/query_answer.h"

#include <fmt/format.h>

namespace opentrail::services {
namespace {

constexpr std::string_view kNamespace = "https://sts.amazonaws.com/doc/2011-06-15/";
constexpr std::string_view kGlobalHost = "sts.amazonaws.com";

}  // namespace

Operation StsService::identify(const Call& call) const {
  Operation operation;
  operation.read_only = true;
  operation.resource = "*";
  const auto request = aws::QueryRequest::parse(call.exchange.request(), call.body);
  if (!request) {
    operation.name = operation.event_name = "Unknown";
    operation.action = "sts:Unknown";
    operation.error = ApiError{request.error().reason(), request.error().message(), 400, {}};
    return operation;
  }
  operation.name = operation.event_name = bounded_name(request->action());
  operation.action = "sts:" + operation.name;
  const bool global = call.exchange.request().headers.get("host").starts_with(kGlobalHost);
  operation.additional_event_data = {
      {"RequestDetails",
       {{"endpointType", global ? "global" : "regional"}, {"awsServingRegion", call.region}}}};
  if (request->action() != "GetCallerIdentity") {
    operation.error = ApiError{"InvalidAction",
                               fmt::format("Could not find operation {} for version {}",
                                           operation.name, bounded_name(request->version())),
                               400,
                               {}};
  }
  return operation;
}

asio::awaitable<Outcome> StsService::handle(Call& call, const Operation& operation) {
  const json::value result = {
      {"Arn", call.caller.arn}, {"UserId", call.caller.principal_id}, {"Account", call.account_id}};
  co_return query_answer(operation.name, kNamespace, result, call.request_id);
}

Outcome StsService::error_answer(const net::RequestHead&, const ApiError& error,
                                 std::string_view request_id) const {
  return query_error_answer(kNamespace, error, request_id);
}

}  // namespace opentrail::services
