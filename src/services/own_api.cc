#include "services/own_api.h"

#include "base/json_writer.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::services {

namespace {

constexpr int kNotFound = 404;
constexpr int kServiceUnavailable = 503;
constexpr std::size_t kUnknownBodyBytesMax = 64 << 10;
constexpr std::string_view kRetryAfterSeconds = "1";

std::string known_calls(const std::vector<OwnApi::Route>& routes) {
  std::string text;
  for (const OwnApi::Route& route : routes) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", route.method, route.path);
  }
  return text;
}

}  // namespace

Service* OwnApi::service_of(const net::RequestHead& head) const {
  const auto route = std::ranges::find_if(routes_, [&](const Route& one) {
    return one.method == head.method && one.path == head.path();
  });
  return route == routes_.end() ? nullptr : route->service;
}

bool OwnApi::streams(const net::RequestHead& head) const {
  const Service* service = service_of(head);
  return service != nullptr && service->streams(head);
}

std::size_t OwnApi::body_bytes_max_of(const net::RequestHead& head) const {
  const Service* service = service_of(head);
  return service == nullptr ? kUnknownBodyBytesMax : service->body_bytes_max_of(head);
}

Operation OwnApi::identify(const Call& call) const {
  const net::RequestHead& head = call.exchange.request();
  if (const Service* service = service_of(head)) {
    return service->identify(call);
  }
  Operation operation;
  operation.name = operation.event_name = "UnknownOperation";
  operation.action = "opentrail:UnknownOperation";
  operation.resource = "*";
  operation.read_only = head.method == "GET" || head.method == "HEAD";
  operation.error = ApiError{
      .code = "UnknownOperationException",
      .message = fmt::format("There is no such operation. Known are {}.", known_calls(routes_)),
      .status = kNotFound,
      .record_code = {}};
  return operation;
}

asio::awaitable<Outcome> OwnApi::handle(Call& call, const Operation& operation) {
  Service* service = service_of(call.exchange.request());
  OT_CHECK(service != nullptr);  // identify() has let it through
  return service->handle(call, operation);
}

Outcome OwnApi::error_answer(const net::RequestHead& request, const ApiError& error,
                             std::string_view request_id) const {
  const Service* service = service_of(request);
  return service == nullptr ? own_api_error(error, request_id)
                            : service->error_answer(request, error, request_id);
}

Outcome own_api_answer(std::string body, std::string_view request_id) {
  Outcome outcome;
  outcome.head.headers.add("Content-Type", "application/json");
  outcome.head.headers.add("x-amzn-RequestId", std::string(request_id));
  outcome.body = std::move(body);
  return outcome;
}

Outcome own_api_error(const ApiError& error, std::string_view request_id) {
  JsonWriter writer;
  writer.begin_object().field("__type", error.code).field("message", error.message).end_object();
  Outcome outcome = own_api_answer(std::move(writer).text(), request_id);
  outcome.head.status = error.status;
  if (error.status == kServiceUnavailable) {
    outcome.head.headers.add("Retry-After", std::string(kRetryAfterSeconds));
  }
  outcome.error = error;
  return outcome;
}

}  // namespace opentrail::services
