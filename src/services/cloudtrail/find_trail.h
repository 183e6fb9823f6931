#pragma once
#include "services/cloudtrail/request.h"
#include "services/cloudtrail/validation.h"

#include <string>
#include <string_view>

/// Which trail a caller means, seen from the region that was called (spec api §3.1, §3.6).
namespace opentrail::services::cloudtrail {

/// What a read may name from a region that is not the trail's home.
enum class Shadows : std::uint8_t { ByArn, ByNameToo };
/// How TrailNotFoundException names the trail: as it was given, or by its ARN in this region.
enum class NamedAs : std::uint8_t { Given, Arn };

/// Errors: InvalidTrailNameException, CloudTrailARNInvalidException, TrailNotFoundException.
ApiResult<catalog::Trail> find_for_read(const Request& request, std::string_view text,
                                        Shadows shadows, NamedAs named_as);
/// A trail can be changed from its home region only. Errors: the same and
/// InvalidHomeRegionException.
ApiResult<catalog::Trail> find_for_change(const Request& request, std::string_view text);

/// CloudTrailARNInvalidException when an ARN names another account.
ApiResult<void> check_account(const Request& request, const TrailReference& reference);
/// CloudTrailARNInvalidException: "Region in ARN is wrong, ...".
[[nodiscard]] std::unexpected<ApiError> wrong_region(const Request& request);
/// True when the trail is at home here or has a shadow here.
[[nodiscard]] bool is_visible(const Request& request, const catalog::Trail& trail);

}  // namespace opentrail::services::cloudtrail
