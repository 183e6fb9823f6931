#pragma once
#include "services/cloudtrail/request.h"

#include <string>
#include <string_view>

/// CloudTrail's rules for the values of a call, with its error names and texts (spec api §3). Pure.
namespace opentrail::services::cloudtrail {

inline constexpr std::size_t kTrailsPerRegionMax = 5;
inline constexpr std::size_t kTagsMax = 50;  ///< Of one resource.
inline constexpr std::size_t kTagsInRequestMax = 200;

/// InvalidTrailNameException, checked in AWS's order: length, first, last, characters.
ApiResult<void> check_trail_name(std::string_view name);
/// InvalidS3BucketNameException.
ApiResult<void> check_bucket_name(std::string_view bucket);
/// InvalidS3PrefixException.
ApiResult<void> check_key_prefix(std::string_view prefix);
/// InvalidParameterCombinationException: a multi-Region trail without global service events.
ApiResult<void> check_combination(bool multi_region, bool global_service_events);
/// What this server does not offer: SNS topics, CloudWatch Logs, KMS keys, organizations. Empty
/// strings, which clear such a setting, are accepted.
ApiResult<void> check_offered(const json::object& input);

/// TagsList as a map. InvalidTagParameterException, TagsLimitExceededException.
ApiResult<catalog::Tags> read_tags(const json::array& tags);
ApiResult<void> check_tag_count(const catalog::Tags& tags);

/// Where a trail of that name and reach would stand in the way of the account's other trails (or
/// they in its): TrailAlreadyExistsException, MaximumNumberOfTrailsExceededException. `others` are
/// the account's trails, `candidate` itself (by id) is left out.
ApiResult<void> check_room(const std::vector<catalog::Trail>& others,
                           const catalog::Trail& candidate,
                           const std::vector<std::string>& regions);

/// A trail as a caller names it.
struct TrailReference {
  std::string given;  ///< As sent.
  std::string name;
  std::string region;      ///< Of the ARN; empty when a name was given.
  std::string account_id;  ///< The same.
  [[nodiscard]] bool is_arn() const { return !region.empty(); }
};
/// InvalidTrailNameException, CloudTrailARNInvalidException.
ApiResult<TrailReference> parse_trail_reference(std::string_view text);

/// In characters, not bytes.
[[nodiscard]] std::size_t length_of(std::string_view text);
/// At most the first part of what a caller sent, for messages.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace opentrail::services::cloudtrail
