#include "server/unknown_service.h"

#include "aws/query_protocol.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "services/query_answer.h"

#include <fmt/format.h>

namespace opentrail::server {
namespace {

constexpr std::size_t kNameBytesMax = 64;

/// Only what a service name can hold: the text goes into records and messages.
std::string clean_name(std::string_view text) {
  std::string name;
  for (const char c : text.substr(0, kNameBytesMax)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    name += plain ? c : '_';
  }
  return name.empty() ? "unknown" : name;
}

/// The operation as far as the request names one: the target, the Action, or the method and path.
/// Never empty.
std::string operation_name(const services::Call& call) {
  constexpr std::size_t kOperationBytesMax = 256;
  const net::RequestHead& head = call.exchange.request();
  const std::string_view target = head.headers.get("x-amz-target");
  if (const auto name = target.substr(target.rfind('.') + 1); !name.empty()) {
    return std::string(cut_utf8(name, kOperationBytesMax));
  }
  if (const auto query = aws::QueryRequest::parse(head, call.body)) {
    return std::string(cut_utf8(query->action(), kOperationBytesMax));
  }
  return std::string(cut_utf8(fmt::format("{} {}", head.method, head.path()), kOperationBytesMax));
}

}  // namespace

UnknownService::UnknownService(std::string_view scope_service, const net::RequestHead& head)
    : name_(clean_name(scope_service)),
      event_source_(name_ + ".amazonaws.com"),
      form_(head.headers.get("content-type").starts_with("application/x-www-form-urlencoded")) {}

iam::ErrorStyle UnknownService::error_style() const {
  return form_ ? iam::ErrorStyle::Query : iam::ErrorStyle::Json;
}

services::Operation UnknownService::identify(const services::Call& call) const {
  services::Operation operation;
  operation.name = operation_name(call);
  operation.event_name = operation.name;
  operation.action = name_ + ":" + operation.name;
  operation.resource = "*";
  operation.error = services::ApiError{
      form_ ? "InvalidAction" : "UnknownOperationException",
      fmt::format("OpenTrail does not serve '{}': the services here are cloudtrail, iam, sts and "
                  "s3. Check the endpoint that this client is configured for.",
                  name_),
      form_ ? 400 : 404,
      {}};
  return operation;
}

boost::asio::awaitable<services::Outcome> UnknownService::handle(
    services::Call& call, const services::Operation& operation) {
  OT_CHECK(operation.error.has_value());  // the pipeline answers an operation with an error itself
  co_return error_answer(call.exchange.request(), *operation.error, call.request_id);
}

services::Outcome UnknownService::error_answer(const net::RequestHead&,
                                               const services::ApiError& error,
                                               std::string_view request_id) const {
  if (form_) {
    return services::query_error_answer("", error, request_id);
  }
  services::Outcome outcome;
  outcome.head.status = error.status;
  outcome.head.headers.add("Content-Type", "application/x-amz-json-1.1");
  outcome.head.headers.add("x-amzn-ErrorType", error.code);
  JsonWriter body;
  body.begin_object().field("__type", error.code).field("message", error.message).end_object();
  outcome.body = std::move(body).text();
  return outcome;
}

}  // namespace opentrail::server
