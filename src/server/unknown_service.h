#pragma once
#include "services/service.h"

#include <string>
#include <string_view>

namespace opentrail::server {

/// Stands in for a service that is not ours: its calls are refused in the caller's own protocol,
/// and recorded, because an unknown call is the one to see.
class UnknownService final : public services::Service {
 public:
  /// `scope_service`: the service of the SigV4 scope, set by the caller; may be empty or nonsense.
  UnknownService(std::string_view scope_service, const net::RequestHead& head);

  [[nodiscard]] std::string_view signing_name() const override { return name_; }
  [[nodiscard]] std::string_view event_source() const override { return event_source_; }
  [[nodiscard]] iam::ErrorStyle error_style() const override;
  [[nodiscard]] services::Operation identify(const services::Call& call) const override;
  boost::asio::awaitable<services::Outcome> handle(services::Call& call,
                                                   const services::Operation& operation) override;
  [[nodiscard]] services::Outcome error_answer(const net::RequestHead& request,
                                               const services::ApiError& error,
                                               std::string_view request_id) const override;

 private:
  std::string name_;
  std::string event_source_;
  bool form_;  ///< The caller speaks the Query protocol.
};

}  // namespace opentrail::server
