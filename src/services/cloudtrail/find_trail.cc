#include "services/cloudtrail/find_trail.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::services::cloudtrail {
namespace {

std::unexpected<ApiError> not_found(const Request& request, const TrailReference& reference,
                                    NamedAs named_as) {
  catalog::Trail here;
  here.account_id = request.account_id;
  here.home_region = request.region;
  here.name = reference.name;
  const bool as_given = named_as == NamedAs::Given || reference.is_arn();
  return refuse("TrailNotFoundException",
                fmt::format("Unknown trail: {} for the user: {}",
                            as_given ? reference.given : here.arn(), request.account_id));
}

std::optional<catalog::Trail> shadow_of_name(const Request& request, std::string_view name) {
  const auto trails = request.parts.trails.trails(request.account_id);
  const auto found = std::ranges::find_if(trails, [&](const catalog::Trail& trail) {
    return trail.name == name && trail.config.multi_region;
  });
  return found == trails.end() ? std::nullopt : std::optional(*found);
}

std::unexpected<ApiError> wrong_home(const catalog::Trail& trail) {
  return refuse("InvalidHomeRegionException",
                fmt::format("Trail {} can be changed only in its home region {}.", trail.arn(),
                            trail.home_region));
}

}  // namespace

bool is_visible(const Request& request, const catalog::Trail& trail) {
  return trail.home_region == request.region || trail.config.multi_region;
}

ApiResult<void> check_account(const Request& request, const TrailReference& reference) {
  if (reference.is_arn() && reference.account_id != request.account_id) {
    return refuse("CloudTrailARNInvalidException",
                  fmt::format("AccountID in ARN is wrong, you can only access resources with "
                              "AccountID {}.",
                              request.account_id));
  }
  return {};
}

std::unexpected<ApiError> wrong_region(const Request& request) {
  return refuse("CloudTrailARNInvalidException",
                fmt::format("Region in ARN is wrong, you can only access resources in region {}.",
                            request.region));
}

ApiResult<catalog::Trail> find_for_read(const Request& request, std::string_view text,
                                        Shadows shadows, NamedAs named_as) {
  OT_TRY(const TrailReference reference, parse_trail_reference(text));
  OT_TRY_DO(check_account(request, reference));
  const std::string& home = reference.is_arn() ? reference.region : request.region;
  if (auto trail = request.parts.trails.find(request.account_id, home, reference.name);
      trail && is_visible(request, *trail)) {
    return *std::move(trail);
  }
  if (home != request.region) {
    return wrong_region(request);
  }
  if (shadows == Shadows::ByNameToo && !reference.is_arn()) {
    if (auto trail = shadow_of_name(request, reference.name)) {
      return *std::move(trail);
    }
  }
  return not_found(request, reference, named_as);
}

ApiResult<catalog::Trail> find_for_change(const Request& request, std::string_view text) {
  OT_TRY(const TrailReference reference, parse_trail_reference(text));
  OT_TRY_DO(check_account(request, reference));
  const std::string& home = reference.is_arn() ? reference.region : request.region;
  auto trail = request.parts.trails.find(request.account_id, home, reference.name);
  if (home != request.region) {
    return trail && trail->config.multi_region ? wrong_home(*trail) : wrong_region(request);
  }
  if (trail) {
    return *std::move(trail);
  }
  if (const auto shadow = shadow_of_name(request, reference.name); shadow && !reference.is_arn()) {
    return wrong_home(*shadow);
  }
  return not_found(request, reference, NamedAs::Arn);
}

}  // namespace opentrail::services::cloudtrail
