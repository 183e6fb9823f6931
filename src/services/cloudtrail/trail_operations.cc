#include "services/cloudtrail/find_trail.h"
#include "services/cloudtrail/request.h"
#include "services/cloudtrail/trail_change.h"
#include "services/cloudtrail/trail_views.h"
#include "services/cloudtrail/validation.h"

#include <fmt/format.h>

namespace opentrail::services::cloudtrail {
namespace {

/// What CreateTrail and UpdateTrail have in common; absent members stay as they are.
void apply_settings(const json::object& input, catalog::TrailConfig& config) {
  config.bucket = text_of(input, "S3BucketName").value_or(config.bucket);
  config.key_prefix = text_of(input, "S3KeyPrefix").value_or(config.key_prefix);
  config.include_global_service_events =
      flag_of(input, "IncludeGlobalServiceEvents").value_or(config.include_global_service_events);
  config.multi_region = flag_of(input, "IsMultiRegionTrail").value_or(config.multi_region);
  config.log_file_validation =
      flag_of(input, "EnableLogFileValidation").value_or(config.log_file_validation);
}

ApiResult<void> check_config(const catalog::TrailConfig& config) {
  OT_TRY_DO(check_bucket_name(config.bucket));
  return check_key_prefix(config.key_prefix);
}

/// The combination is looked at before the name is (spec api §3.1).
ApiResult<void> check_sent_combination(const json::object& input) {
  return check_combination(flag_of(input, "IsMultiRegionTrail").value_or(false),
                           flag_of(input, "IncludeGlobalServiceEvents").value_or(true));
}

ApiResult<void> check_bucket(Request& request, const catalog::Trail& trail) {
  const auto checked = request.parts.delivery.check_bucket(trail);
  if (checked) {
    return {};
  }
  switch (checked.error().code()) {
    case ErrorCode::NotFound:
      return refuse("S3BucketDoesNotExistException",
                    fmt::format("S3 bucket {} does not exist!", trail.config.bucket));
    case ErrorCode::PermissionDenied:
      return refuse("InsufficientS3BucketPolicyException",
                    fmt::format("Incorrect S3 bucket policy is detected for bucket: {}",
                                trail.config.bucket));
    default:
      return std::unexpected(own_trouble(checked.error()));
  }
}

ApiResult<void> check_place(const Request& request, const catalog::Trail& candidate) {
  return check_room(request.parts.trails.trails(request.account_id), candidate,
                    request.parts.regions);
}

/// A changed trail needs room only where it was not seen before.
ApiResult<void> check_new_shadows(const Request& request, const catalog::Trail& before,
                                  const catalog::Trail& after) {
  if (before.config.multi_region || !after.config.multi_region) {
    return {};
  }
  return check_place(request, after);
}

/// Between the call's checks and its change the trail may have been deleted, or made anew.
ApiResult<catalog::Trail> find_again(const Request& request, const catalog::Trail& before) {
  OT_TRY(catalog::Trail now, find_for_change(request, before.name));
  if (now.id != before.id) {
    return refuse("ConflictException",
                  fmt::format("Trail {} was changed by another call at the same time. Try again.",
                              before.arn()));
  }
  return now;
}

ApiResult<catalog::Trail> read_new_trail(const Request& request) {
  const json::object& input = request.input;
  OT_TRY_DO(check_sent_combination(input));
  catalog::Trail trail;
  trail.account_id = request.account_id;
  trail.home_region = request.region;
  trail.name = text_of(input, "Name").value_or("");
  OT_TRY_DO(check_trail_name(trail.name));
  apply_settings(input, trail.config);
  trail.config.selectors.resize(1);  // all management events (spec api §4.4)
  OT_TRY_DO(check_config(trail.config));
  OT_TRY_DO(check_offered(input));
  OT_TRY(trail.tags, read_tags(list_of(input, "TagsList")));
  OT_TRY_DO(check_tag_count(trail.tags));
  return trail;
}

/// Saves and, when that made a version, arranges for its place.
ApiResult<void> save(Request& request, const catalog::Trail& trail, InForce in_force,
                     Answer& answer) {
  const auto version = request.parts.trails.update(trail, request.parts.clock.now());
  if (!version) {
    return std::unexpected(own_trouble(version.error()));
  }
  if (*version) {
    answer.on_recorded = takes_effect(request.parts.trails, trail.id, **version, in_force);
  }
  return {};
}

std::string name_of(const Request& request) { return text_of(request.input, "Name").value_or(""); }

/// Repeating the call changes nothing, not even the time of the first one.
ApiResult<Answer> set_logging(Request& request, bool logging) {
  const MutexLock lock(request.change_mutex);
  OT_TRY(catalog::Trail trail, find_for_change(request, name_of(request)));
  Answer answer;
  if (trail.config.logging == logging) {
    return answer;
  }
  trail.config.logging = logging;
  (logging ? trail.started_at : trail.stopped_at) = request.parts.clock.now();
  OT_TRY_DO(save(request, trail, logging ? InForce::AtItsRecord : InForce::AfterItsRecord, answer));
  return answer;
}

}  // namespace

ApiResult<Answer> create_trail(Request& request) {
  OT_TRY(catalog::Trail trail, read_new_trail(request));
  // Asked before the bucket is, so that a refused call leaves no object there; and again below.
  OT_TRY_DO(check_place(request, trail));
  OT_TRY_DO(check_bucket(request, trail));
  const MutexLock lock(request.change_mutex);
  OT_TRY_DO(check_place(request, trail));
  std::int64_t version = 0;
  const auto made =
      request.parts.trails.create(std::move(trail), request.parts.clock.now(), version);
  if (!made) {
    return std::unexpected(own_trouble(made.error()));
  }
  Answer answer;
  answer.body = trail_settings(*made);
  answer.on_recorded = takes_effect(request.parts.trails, made->id, version, InForce::AtItsRecord);
  return answer;
}

ApiResult<Answer> update_trail(Request& request) {
  const json::object& input = request.input;
  OT_TRY_DO(check_sent_combination(input));
  OT_TRY(const catalog::Trail before, find_for_change(request, name_of(request)));
  catalog::Trail wanted = before;
  apply_settings(input, wanted.config);
  OT_TRY_DO(
      check_combination(wanted.config.multi_region, wanted.config.include_global_service_events));
  OT_TRY_DO(check_config(wanted.config));
  OT_TRY_DO(check_offered(input));
  OT_TRY_DO(check_new_shadows(request, before, wanted));
  if (input.contains("S3BucketName") || input.contains("S3KeyPrefix")) {
    OT_TRY_DO(check_bucket(request, wanted));
  }
  const MutexLock lock(request.change_mutex);
  OT_TRY(const catalog::Trail current, find_again(request, before));
  catalog::Trail trail = current;
  apply_settings(input, trail.config);
  OT_TRY_DO(
      check_combination(trail.config.multi_region, trail.config.include_global_service_events));
  OT_TRY_DO(check_new_shadows(request, current, trail));
  Answer answer;
  OT_TRY_DO(save(request, trail, InForce::AfterItsRecord, answer));
  answer.body = trail_settings(trail);
  return answer;
}

ApiResult<Answer> delete_trail(Request& request) {
  const MutexLock lock(request.change_mutex);
  OT_TRY(const catalog::Trail trail, find_for_change(request, name_of(request)));
  const auto version = request.parts.trails.remove(trail.id, request.parts.clock.now());
  if (!version) {
    return std::unexpected(own_trouble(version.error()));
  }
  Answer answer;
  answer.on_recorded =
      takes_effect(request.parts.trails, trail.id, *version, InForce::AfterItsRecord);
  return answer;
}

ApiResult<Answer> start_logging(Request& request) { return set_logging(request, true); }
ApiResult<Answer> stop_logging(Request& request) { return set_logging(request, false); }

}  // namespace opentrail::services::cloudtrail
