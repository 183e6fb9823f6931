#pragma once
#include <array>
#include <string_view>

namespace opentrail::aws {

/// The regions that are enabled in every AWS account without opting in (AWS Account Management
/// guide, "Enable or disable AWS Regions").
inline constexpr std::array<std::string_view, 17> kDefaultEnabledRegions = {
    "us-east-1",      "us-east-2",      "us-west-1",      "us-west-2",      "ap-south-1",
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1",   "eu-central-1",   "eu-west-1",      "eu-west-2",      "eu-west-3",
    "eu-north-1",     "sa-east-1"};

/// Where global services (IAM, sign-in, global STS) are recorded (spec records §2.3).
inline constexpr std::string_view kGlobalRegion = "us-east-1";

/// "us-east-1" or "xx-yyyy-1": lower-case letters, digits and dashes, at most 32 characters.
[[nodiscard]] constexpr bool is_region_name(std::string_view name) {
  constexpr std::size_t kLengthMax = 32;
  if (name.empty() || name.size() > kLengthMax || name.front() == '-' || name.back() == '-') {
    return false;
  }
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
      return false;
    }
  }
  return true;
}

}  // namespace opentrail::aws
