#include "services/cloudtrail/validation.h"

#include "base/text.h"
#include "objects/bucket_name.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::services::cloudtrail {
namespace {

constexpr std::size_t kNameLengthMin = 3;
constexpr std::size_t kNameLengthMax = 128;
constexpr std::size_t kPrefixLengthMax = 200;
constexpr std::size_t kTagKeyLengthMax = 128;
constexpr std::size_t kTagValueLengthMax = 256;
constexpr std::size_t kShownBytesMax = 256;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_punctuation(char c) { return c == '.' || c == '-' || c == '_'; }

bool has_adjacent_punctuation(std::string_view name) {
  return std::ranges::adjacent_find(name, [](char a, char b) {
           return is_punctuation(a) && is_punctuation(b);
         }) != name.end();
}

bool is_ip_address(std::string_view name) {
  constexpr std::size_t kParts = 4;
  constexpr std::size_t kDigitsMax = 3;
  const auto parts = split(name, '.');
  return parts.size() == kParts && std::ranges::all_of(parts, [](std::string_view part) {
           return !part.empty() && part.size() <= kDigitsMax && is_digits(part);
         });
}

std::unexpected<ApiError> bad_name(std::string message) {
  return refuse("InvalidTrailNameException", std::move(message));
}

bool is_control(char c) {
  constexpr unsigned char kFirstPrintable = 0x20;
  constexpr unsigned char kDelete = 0x7F;
  const auto code = static_cast<unsigned char>(c);
  return code < kFirstPrintable || code == kDelete;
}

ApiResult<void> check_cloudwatch_logs(const json::object& input) {
  const std::string group = text_of(input, "CloudWatchLogsLogGroupArn").value_or("");
  const std::string role = text_of(input, "CloudWatchLogsRoleArn").value_or("");
  if (!group.empty() && role.empty()) {
    return refuse("InvalidCloudWatchLogsRoleArnException",
                  "You must specify a role ARN as well as a log group.");
  }
  if (group.empty() && !role.empty()) {
    return refuse("InvalidCloudWatchLogsLogGroupArnException",
                  "You must specify a log group as well as a role ARN.");
  }
  if (!group.empty()) {
    return refuse("CloudWatchLogsDeliveryUnavailableException",
                  "OpenTrail does not deliver to CloudWatch Logs: leave out "
                  "CloudWatchLogsLogGroupArn and CloudWatchLogsRoleArn.");
  }
  return {};
}

bool is_visible_in(const catalog::Trail& trail, std::string_view region) {
  return trail.home_region == region || trail.config.multi_region;
}

}  // namespace

std::size_t length_of(std::string_view text) {
  constexpr unsigned char kTopBits = 0xC0;
  constexpr unsigned char kContinuation = 0x80;
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & kTopBits) != kContinuation; }));
}

std::string shown(std::string_view text) {
  const std::string_view cut = cut_utf8(text, kShownBytesMax);
  return cut.size() == text.size() ? std::string(text) : fmt::format("{}...", cut);
}

ApiResult<void> check_trail_name(std::string_view name) {
  if (trim(name).empty()) {
    return bad_name("Trail name cannot be blank!");
  }
  const std::size_t characters = length_of(name);
  if (characters < kNameLengthMin) {
    return bad_name(
        fmt::format("Trail name too short. Minimum allowed length: {} characters. Specified name "
                    "length: {} characters.",
                    kNameLengthMin, characters));
  }
  if (characters > kNameLengthMax) {
    return bad_name(
        fmt::format("Trail name too long. Maximum allowed length: {} characters. Specified name "
                    "length: {} characters.",
                    kNameLengthMax, characters));
  }
  if (!is_letter_or_digit(name.front())) {
    return bad_name("Trail name must starts with a letter or number.");
  }
  if (!is_letter_or_digit(name.back())) {
    return bad_name("Trail name must ends with a letter or number.");
  }
  if (!std::ranges::all_of(name,
                           [](char c) { return is_letter_or_digit(c) || is_punctuation(c); })) {
    return bad_name(
        "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, "
        "periods (.), hyphens (-), and underscores (_).");
  }
  if (has_adjacent_punctuation(name)) {
    return bad_name(
        "Trail name must not have two adjacent periods (.), hyphens (-), or underscores (_).");
  }
  if (is_ip_address(name)) {
    return bad_name("Trail name must not be formatted as an IP address.");
  }
  return {};
}

ApiResult<void> check_bucket_name(std::string_view bucket) {
  if (trim(bucket).empty()) {
    return refuse("InvalidS3BucketNameException", "Bucket name cannot be blank!");
  }
  if (!objects::is_bucket_name(bucket)) {
    return refuse("InvalidS3BucketNameException",
                  fmt::format("S3 bucket name {} is not valid.", shown(bucket)));
  }
  return {};
}

ApiResult<void> check_key_prefix(std::string_view prefix) {
  if (length_of(prefix) > kPrefixLengthMax) {
    return refuse(
        "InvalidS3PrefixException",
        fmt::format("S3 prefix is longer than maximum length of {} characters.", kPrefixLengthMax));
  }
  if (prefix.starts_with('/') || prefix.ends_with('/') || std::ranges::any_of(prefix, is_control)) {
    return refuse("InvalidS3PrefixException",
                  "S3 prefix must not begin or end with a slash (/) and must not have control "
                  "characters.");
  }
  return {};
}

ApiResult<void> check_combination(bool multi_region, bool global_service_events) {
  if (multi_region && !global_service_events) {
    return refuse("InvalidParameterCombinationException",
                  "Multi-Region trail must include global service events.");
  }
  return {};
}

ApiResult<void> check_offered(const json::object& input) {
  OT_TRY_DO(check_cloudwatch_logs(input));
  if (!text_of(input, "KmsKeyId").value_or("").empty()) {
    return refuse("UnsupportedOperationException",
                  "OpenTrail has no KMS keys: leave out KmsKeyId. Log files are encrypted as the "
                  "bucket's own default says.");
  }
  if (flag_of(input, "IsOrganizationTrail").value_or(false)) {
    return refuse("OrganizationsNotInUseException",
                  "This account does not belong to an organization: OpenTrail has none. Leave out "
                  "IsOrganizationTrail.");
  }
  if (!text_of(input, "SnsTopicName").value_or("").empty()) {
    return refuse("UnsupportedOperationException",
                  "OpenTrail does not notify SNS topics: leave out SnsTopicName.");
  }
  return {};
}

ApiResult<catalog::Tags> read_tags(const json::array& tags) {
  constexpr auto kInvalid = "InvalidTagParameterException";
  if (tags.size() > kTagsInRequestMax) {
    return refuse("TagsLimitExceededException",
                  fmt::format("A request can have at most {} tags.", kTagsInRequestMax));
  }
  catalog::Tags out;
  for (const json::value& tag : tags) {
    const std::string key = string_member(tag.get_object(), "Key");
    const std::string value = string_member(tag.get_object(), "Value");
    if (key.empty() || length_of(key) > kTagKeyLengthMax || length_of(value) > kTagValueLengthMax) {
      return refuse(kInvalid,
                    fmt::format("Tag keys have 1 to {} characters, tag values at most {}.",
                                kTagKeyLengthMax, kTagValueLengthMax));
    }
    if (to_lower(key.substr(0, 4)) == "aws:") {
      return refuse(kInvalid, fmt::format("Tag key {} begins with aws:, which is reserved.", key));
    }
    if (!out.emplace(key, value).second) {
      return refuse(kInvalid, fmt::format("Tag key {} is there more than once.", key));
    }
  }
  return out;
}

ApiResult<void> check_tag_count(const catalog::Tags& tags) {
  if (tags.size() > kTagsMax) {
    return refuse("TagsLimitExceededException",
                  fmt::format("The number of tags per trail has exceeded the permitted amount. "
                              "Currently, the limit is {}.",
                              kTagsMax));
  }
  return {};
}

ApiResult<void> check_room(const std::vector<catalog::Trail>& others,
                           const catalog::Trail& candidate,
                           const std::vector<std::string>& regions) {
  const auto is_other = [&](const catalog::Trail& other) { return other.id != candidate.id; };
  for (const catalog::Trail& other : others) {
    if (is_other(other) && other.name == candidate.name &&
        (is_visible_in(other, candidate.home_region) || candidate.config.multi_region)) {
      return refuse("TrailAlreadyExistsException",
                    fmt::format("Trail {} already exists for customer: {}", candidate.name,
                                candidate.account_id));
    }
  }
  std::vector<std::string> reached = {candidate.home_region};
  if (candidate.config.multi_region) {
    reached.insert(reached.end(), regions.begin(), regions.end());
  }
  for (const std::string& region : reached) {
    const auto count = std::ranges::count_if(others, [&](const catalog::Trail& other) {
      return is_other(other) && is_visible_in(other, region);
    });
    if (static_cast<std::size_t>(count) >= kTrailsPerRegionMax) {
      return refuse("MaximumNumberOfTrailsExceededException",
                    fmt::format("User: {} already has {} trails in {}.", candidate.account_id,
                                count, region));
    }
  }
  return {};
}

ApiResult<TrailReference> parse_trail_reference(std::string_view text) {
  TrailReference reference;
  reference.given = text;
  if (!text.starts_with("arn:")) {
    OT_TRY_DO(check_trail_name(text));
    reference.name = text;
    return reference;
  }
  constexpr std::string_view kTrail = "trail/";
  enum Part : std::uint8_t { Arn, Partition, ServiceName, Region, Account, Resource, Count };
  const auto parts = split(text, ':');
  const bool well_formed =
      parts.size() == Part::Count && parts[Part::ServiceName] == "cloudtrail" &&
      parts[Part::Partition] == "aws" && !parts[Part::Region].empty() &&
      parts[Part::Resource].starts_with(kTrail) &&
      check_trail_name(parts[Part::Resource].substr(kTrail.size())).has_value();
  if (!well_formed) {
    return refuse("CloudTrailARNInvalidException",
                  fmt::format("{} is not the ARN of a trail: "
                              "arn:aws:cloudtrail:region:account:trail/name",
                              shown(text)));
  }
  reference.region = parts[Part::Region];
  reference.account_id = parts[Part::Account];
  reference.name = parts[Part::Resource].substr(kTrail.size());
  return reference;
}

}  // namespace opentrail::services::cloudtrail
