#pragma once
#include "services/service.h"

#include <memory>
#include <string_view>
#include <vector>

namespace opentrail::services {

/// OpenTrail's own API, SigV4 service name "opentrail", JSON: several services behind one name,
/// chosen by method and path. Errors are {"__type","message"}.
class OwnApi final : public Service {
 public:
  struct Route {
    std::string_view method;
    std::string_view path;
    Service* service;  ///< Outlives the API.
  };
  explicit OwnApi(std::vector<Route> routes) : routes_(std::move(routes)) {}

  [[nodiscard]] std::string_view signing_name() const override { return "opentrail"; }
  [[nodiscard]] std::string_view event_source() const override { return "opentrail"; }
  [[nodiscard]] bool streams(const net::RequestHead& head) const override;
  [[nodiscard]] std::size_t body_bytes_max_of(const net::RequestHead& head) const override;
  [[nodiscard]] Operation identify(const Call& call) const override;
  asio::awaitable<Outcome> handle(Call& call, const Operation& operation) override;
  [[nodiscard]] Outcome error_answer(const net::RequestHead& request, const ApiError& error,
                                     std::string_view request_id) const override;

 private:
  /// Null for a call that is none.
  [[nodiscard]] Service* service_of(const net::RequestHead& head) const;

  const std::vector<Route> routes_;
};

/// A JSON answer of this API, status 200.
[[nodiscard]] Outcome own_api_answer(std::string body, std::string_view request_id);
/// An error of it; one that says 503 says also when to try again.
[[nodiscard]] Outcome own_api_error(const ApiError& error, std::string_view request_id);

}  // namespace opentrail::services
