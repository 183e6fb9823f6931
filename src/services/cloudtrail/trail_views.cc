#include "services/cloudtrail/trail_views.h"

#include <optional>
#include <string_view>

namespace opentrail::services::cloudtrail {
namespace {

void write_settings(JsonWriter& out, const catalog::Trail& trail) {
  out.field("Name", trail.name)
      .field("S3BucketName", trail.config.bucket)
      .optional_field("S3KeyPrefix", trail.config.key_prefix);
  out.key("IncludeGlobalServiceEvents").boolean(trail.config.include_global_service_events);
  out.key("IsMultiRegionTrail").boolean(trail.config.multi_region);
}

void write_identity(JsonWriter& out, const catalog::Trail& trail) {
  out.field("TrailARN", trail.arn());
  out.key("LogFileValidationEnabled").boolean(trail.config.log_file_validation);
}

void write_time(JsonWriter& out, std::string_view name, const std::optional<Timestamp>& time) {
  if (time) {
    out.key(name).raw(to_epoch_number(*time));
  }
}

/// The members that are "no longer in use": text, and there even when they are empty.
void write_text_time(JsonWriter& out, std::string_view name, const std::optional<Timestamp>& time) {
  out.field(name, time ? to_iso_seconds(*time) : std::string());
}

void write_strings(JsonWriter& out, const std::vector<std::string>& values) {
  out.begin_array();
  for (const std::string& value : values) {
    out.string(value);
  }
  out.end_array();
}

void write_selector(JsonWriter& out, const record::EventSelector& selector) {
  out.begin_object();
  out.field("ReadWriteType", record::to_string(selector.read_write_type));
  out.key("IncludeManagementEvents").boolean(selector.include_management_events);
  out.key("DataResources").begin_array();
  for (const record::DataResource& resource : selector.data_resources) {
    out.begin_object().field("Type", resource.type).key("Values");
    write_strings(out, resource.values);
    out.end_object();
  }
  out.end_array().key("ExcludeManagementEventSources");
  write_strings(out, selector.exclude_management_event_sources);
  out.end_object();
}

void write_selector(JsonWriter& out, const record::AdvancedEventSelector& selector) {
  out.begin_object().optional_field("Name", selector.name).key("FieldSelectors").begin_array();
  for (const record::FieldSelector& field : selector.field_selectors) {
    out.begin_object().field("Field", field.field);
    for (const record::SelectorOperator op : record::kSelectorOperators) {
      if (!field[op].empty()) {
        out.key(record::to_string(op));
        write_strings(out, field[op]);
      }
    }
    out.end_object();
  }
  out.end_array().end_object();
}

template <typename T>
void write_selectors(JsonWriter& out, std::string_view name, const std::vector<T>& selectors) {
  out.key(name).begin_array();
  for (const T& selector : selectors) {
    write_selector(out, selector);
  }
  out.end_array();
}

}  // namespace

std::string trail_settings(const catalog::Trail& trail) {
  JsonWriter out;
  out.begin_object();
  write_settings(out, trail);
  write_identity(out, trail);
  out.key("IsOrganizationTrail").boolean(false).end_object();
  return std::move(out).text();
}

void write_trail(JsonWriter& out, const catalog::Trail& trail) {
  out.begin_object();
  write_settings(out, trail);
  out.field("HomeRegion", trail.home_region);
  write_identity(out, trail);
  out.key("HasCustomEventSelectors").boolean(trail.config.custom_selectors);
  out.key("HasInsightSelectors").boolean(false);
  out.key("IsOrganizationTrail").boolean(false).end_object();
}

std::string trail_status(const catalog::Trail& trail, const delivery::DeliveryStatus& status) {
  JsonWriter out;
  out.begin_object().key("IsLogging").boolean(trail.config.logging);
  out.optional_field("LatestDeliveryError", status.latest_delivery_error);
  write_time(out, "LatestDeliveryTime", status.latest_delivery);
  write_time(out, "StartLoggingTime", trail.started_at);
  write_time(out, "StopLoggingTime", trail.stopped_at);
  write_time(out, "LatestDigestDeliveryTime", status.latest_digest_delivery);
  out.optional_field("LatestDigestDeliveryError", status.latest_digest_delivery_error);
  write_text_time(out, "LatestDeliveryAttemptTime", status.latest_delivery_attempt);
  write_text_time(out, "LatestNotificationAttemptTime", std::nullopt);
  write_text_time(out, "LatestNotificationAttemptSucceeded", std::nullopt);
  write_text_time(out, "LatestDeliveryAttemptSucceeded", status.latest_delivery);
  write_text_time(out, "TimeLoggingStarted", trail.started_at);
  write_text_time(out, "TimeLoggingStopped", trail.stopped_at);
  out.end_object();
  return std::move(out).text();
}

std::string event_selectors(const catalog::Trail& trail) {
  JsonWriter out;
  out.begin_object().field("TrailARN", trail.arn());
  if (trail.config.advanced_selectors.empty()) {
    write_selectors(out, "EventSelectors", trail.config.selectors);
  } else {
    write_selectors(out, "AdvancedEventSelectors", trail.config.advanced_selectors);
  }
  out.end_object();
  return std::move(out).text();
}

}  // namespace opentrail::services::cloudtrail
