#include "base/json_writer.h"
#include "base/text.h"
#include "services/cloudtrail/find_trail.h"
#include "services/cloudtrail/request.h"
#include "services/cloudtrail/validation.h"

#include <fmt/format.h>

namespace opentrail::services::cloudtrail {
namespace {

constexpr std::size_t kResourcesInRequestMax = 20;

/// Refuses what is no trail with the error of what it is. Event data stores, channels and
/// dashboards do not exist here, so none is ever found.
ApiResult<void> check_is_trail_arn(std::string_view arn) {
  constexpr std::size_t kResourceAt = 5;
  const auto parts = split(arn, ':');
  if (parts.size() <= kResourceAt || parts[0] != "arn" || parts[2] != "cloudtrail") {
    return refuse("CloudTrailARNInvalidException",
                  fmt::format("{} is not the ARN of a trail: "
                              "arn:aws:cloudtrail:region:account:trail/name",
                              shown(arn)));
  }
  const std::string_view type = parts[kResourceAt].substr(0, parts[kResourceAt].find('/'));
  if (type == "trail") {
    return {};
  }
  if (type == "eventdatastore") {
    return refuse("EventDataStoreNotFoundException",
                  fmt::format("Event data store {} was not found.", shown(arn)));
  }
  if (type == "channel") {
    return refuse("ChannelNotFoundException", fmt::format("Channel {} was not found.", shown(arn)));
  }
  if (type == "dashboard") {
    return refuse("ResourceNotFoundException",
                  fmt::format("Resource {} was not found.", shown(arn)));
  }
  return refuse("ResourceTypeNotSupportedException",
                fmt::format("Resources of the type {} have no tags.", shown(type)));
}

ApiResult<catalog::Trail> find_tagged(const Request& request, std::string_view arn) {
  OT_TRY_DO(check_is_trail_arn(arn));
  OT_TRY(const TrailReference reference, parse_trail_reference(arn));
  OT_TRY_DO(check_account(request, reference));
  if (reference.region != request.region) {
    return wrong_region(request);
  }
  auto trail = request.parts.trails.find(request.account_id, request.region, reference.name);
  if (!trail) {
    return refuse("ResourceNotFoundException", fmt::format("Resource {} was not found.", arn));
  }
  return *std::move(trail);
}

ApiResult<Answer> save(Request& request, const catalog::Trail& trail) {
  const auto saved = request.parts.trails.set_tags(trail.id, trail.tags);
  if (!saved) {
    return std::unexpected(own_trouble(saved.error()));
  }
  return Answer{};
}

std::string resource_of(const Request& request) {
  return text_of(request.input, "ResourceId").value_or("");
}

}  // namespace

ApiResult<Answer> add_tags(Request& request) {
  const MutexLock lock(request.change_mutex);
  OT_TRY(catalog::Trail trail, find_tagged(request, resource_of(request)));
  OT_TRY(const catalog::Tags added, read_tags(list_of(request.input, "TagsList")));
  for (const auto& [key, value] : added) {
    trail.tags[key] = value;
  }
  OT_TRY_DO(check_tag_count(trail.tags));
  return save(request, trail);
}

/// Only the keys count; a key that is not there is no mistake.
ApiResult<Answer> remove_tags(Request& request) {
  const MutexLock lock(request.change_mutex);
  OT_TRY(catalog::Trail trail, find_tagged(request, resource_of(request)));
  OT_TRY(const catalog::Tags removed, read_tags(list_of(request.input, "TagsList")));
  for (const auto& [key, value] : removed) {
    trail.tags.erase(key);
  }
  return save(request, trail);
}

ApiResult<Answer> list_tags(Request& request) {
  const json::array& arns = list_of(request.input, "ResourceIdList");
  if (request.input.contains("NextToken")) {
    return refuse("InvalidTokenException", "The token is not valid: ListTags has no pages.");
  }
  if (arns.size() > kResourcesInRequestMax) {
    return refuse(
        "ValidationException",
        fmt::format("1 validation error detected: Value at 'resourceIdList' failed to "
                    "satisfy constraint: Member must have length less than or equal to {}",
                    kResourcesInRequestMax));
  }
  JsonWriter out;
  out.begin_object().key("ResourceTagList").begin_array();
  for (const json::value& arn : arns) {
    OT_TRY(const catalog::Trail trail, find_tagged(request, arn.get_string()));
    out.begin_object().field("ResourceId", trail.arn()).key("TagsList").begin_array();
    for (const auto& [key, value] : trail.tags) {
      out.begin_object().field("Key", key).field("Value", value).end_object();
    }
    out.end_array().end_object();
  }
  out.end_array().end_object();
  return Answer{std::move(out).text(), {}, {}};
}

}  // namespace opentrail::services::cloudtrail
