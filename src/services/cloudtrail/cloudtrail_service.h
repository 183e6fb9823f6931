#pragma once
#include "services/cloudtrail/request.h"
#include "services/service.h"

#include <string_view>

namespace opentrail::services::cloudtrail {

/// The CloudTrail API 2013-11-01 over JSON 1.1: trails, basic event selectors, tags, public keys
/// and event history. Its other operations are known and refused with
/// UnsupportedOperationException.
class CloudTrailService final : public Service {
 public:
  explicit CloudTrailService(CloudTrailParts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] std::string_view signing_name() const override { return "cloudtrail"; }
  [[nodiscard]] std::string_view event_source() const override {
    return "cloudtrail.amazonaws.com";
  }
  [[nodiscard]] Operation identify(const Call& call) const override;
  asio::awaitable<Outcome> handle(Call& call, const Operation& operation) override;
  [[nodiscard]] Outcome error_answer(const net::RequestHead& request, const ApiError& error,
                                     std::string_view request_id) const override;

 private:
  CloudTrailParts parts_;
  Mutex change_mutex_;
};

}  // namespace opentrail::services::cloudtrail
