#pragma once
#include "services/service.h"

namespace opentrail::services {

/// AWS STS 2011-06-15 over the Query protocol: GetCallerIdentity. A call on the global endpoint is
/// signed for us-east-1 and belongs there; regional ones belong to their region (spec records
/// §2.3).
class StsService final : public Service {
 public:
  [[nodiscard]] std::string_view signing_name() const override { return "sts"; }
  [[nodiscard]] std::string_view event_source() const override { return "sts.amazonaws.com"; }
  [[nodiscard]] iam::ErrorStyle error_style() const override { return iam::ErrorStyle::Query; }
  [[nodiscard]] Operation identify(const Call& call) const override;
  asio::awaitable<Outcome> handle(Call& call, const Operation& operation) override;
  [[nodiscard]] Outcome error_answer(const net::RequestHead& request, const ApiError& error,
                                     std::string_view request_id) const override;
};

}  // namespace opentrail::services
