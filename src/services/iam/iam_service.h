#pragma once
#include "iam/iam.h"
#include "services/service.h"

#include <boost/asio/thread_pool.hpp>

namespace opentrail::services {

/// AWS IAM 2010-05-08 over the Query protocol: users, access keys, login profiles and attached
/// managed policies. IAM is a global service: its records belong to us-east-1 whatever region the
/// caller signed for (spec records §2.3).
class IamService final : public Service {
 public:
  IamService(iam::Iam& iam, boost::asio::thread_pool& workers) : iam_(iam), workers_(workers) {}

  [[nodiscard]] std::string_view signing_name() const override { return "iam"; }
  [[nodiscard]] std::string_view event_source() const override { return "iam.amazonaws.com"; }
  [[nodiscard]] iam::ErrorStyle error_style() const override { return iam::ErrorStyle::Query; }
  [[nodiscard]] Operation identify(const Call& call) const override;
  asio::awaitable<Outcome> handle(Call& call, const Operation& operation) override;
  [[nodiscard]] Outcome error_answer(const net::RequestHead& request, const ApiError& error,
                                     std::string_view request_id) const override;

 private:
  iam::Iam& iam_;
  boost::asio::thread_pool& workers_;
};

}  // namespace opentrail::services
