#include "catalog/trail_rows.h"

#include "base/json.h"

#include <fmt/format.h>

namespace opentrail::catalog {
namespace {

json::array to_json(const std::vector<std::string>& values) {
  json::array out;
  for (const std::string& value : values) {
    out.emplace_back(value);
  }
  return out;
}

json::object to_json(const record::EventSelector& selector) {
  json::array resources;
  for (const record::DataResource& resource : selector.data_resources) {
    resources.push_back(
        json::object{{"type", resource.type}, {"values", to_json(resource.values)}});
  }
  return {{"read_write_type", record::to_string(selector.read_write_type)},
          {"include_management_events", selector.include_management_events},
          {"data_resources", std::move(resources)},
          {"exclude_sources", to_json(selector.exclude_management_event_sources)}};
}

std::unexpected<Error> corrupt(std::string_view what) {
  return fail(ErrorCode::Corruption, fmt::format("the catalog's {} cannot be read", what));
}

const json::array& array_member(const json::object& object, std::string_view name) {
  static const json::array none;
  const json::value* member = object.if_contains(name);
  return member != nullptr && member->is_array() ? member->get_array() : none;
}

Result<std::vector<std::string>> strings(const json::array& values) {
  std::vector<std::string> out;
  for (const json::value& value : values) {
    if (!value.is_string()) {
      return corrupt("trail configuration");
    }
    out.emplace_back(value.get_string());
  }
  return out;
}

Result<record::DataResource> parse_resource(const json::value& value) {
  if (!value.is_object()) {
    return corrupt("trail configuration");
  }
  record::DataResource resource;
  resource.type = string_member(value.get_object(), "type");
  OT_TRY(resource.values, strings(array_member(value.get_object(), "values")));
  return resource;
}

Result<record::EventSelector> parse_selector(const json::value& value) {
  if (!value.is_object()) {
    return corrupt("trail configuration");
  }
  const json::object& object = value.get_object();
  record::EventSelector selector;
  const auto type = record::parse_read_write_type(string_member(object, "read_write_type"));
  if (!type) {
    return corrupt("trail configuration");
  }
  selector.read_write_type = *type;
  selector.include_management_events = bool_member(object, "include_management_events", true);
  for (const json::value& item : array_member(object, "data_resources")) {
    OT_TRY(record::DataResource resource, parse_resource(item));
    selector.data_resources.push_back(std::move(resource));
  }
  OT_TRY(selector.exclude_management_event_sources,
         strings(array_member(object, "exclude_sources")));
  return selector;
}

}  // namespace

const std::vector<std::string_view>& trail_tables() {
  static const std::vector<std::string_view> steps = {
      "CREATE TABLE trail_ids (next_id BIGINT NOT NULL)",
      "INSERT INTO trail_ids VALUES (1)",
      "CREATE TABLE trails (id BIGINT PRIMARY KEY, account_id TEXT NOT NULL, name TEXT NOT NULL, "
      "home_region TEXT NOT NULL, created_at BIGINT NOT NULL, started_at BIGINT, "
      "stopped_at BIGINT, deleted BIGINT NOT NULL, tags TEXT NOT NULL)",
      "CREATE TABLE trail_versions (trail_id BIGINT NOT NULL, version BIGINT NOT NULL, "
      "effective_from BIGINT, config TEXT NOT NULL, made_at BIGINT NOT NULL, "
      "deleted BIGINT NOT NULL, PRIMARY KEY (trail_id, version))",
  };
  return steps;
}

std::string to_json_text(const TrailConfig& config) {
  json::array selectors;
  for (const record::EventSelector& selector : config.selectors) {
    selectors.push_back(to_json(selector));
  }
  return to_text(
      json::object{{"bucket", config.bucket},
                   {"key_prefix", config.key_prefix},
                   {"include_global_service_events", config.include_global_service_events},
                   {"multi_region", config.multi_region},
                   {"log_file_validation", config.log_file_validation},
                   {"logging", config.logging},
                   {"custom_selectors", config.custom_selectors},
                   {"selectors", std::move(selectors)}});
}

Result<TrailConfig> parse_trail_config(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed || !parsed->is_object()) {
    return corrupt("trail configuration");
  }
  const json::object& object = parsed->get_object();
  TrailConfig config;
  config.bucket = string_member(object, "bucket");
  config.key_prefix = string_member(object, "key_prefix");
  config.include_global_service_events = bool_member(object, "include_global_service_events", true);
  config.multi_region = bool_member(object, "multi_region", false);
  config.log_file_validation = bool_member(object, "log_file_validation", false);
  config.logging = bool_member(object, "logging", false);
  config.custom_selectors = bool_member(object, "custom_selectors", false);
  for (const json::value& item : array_member(object, "selectors")) {
    OT_TRY(record::EventSelector selector, parse_selector(item));
    config.selectors.push_back(std::move(selector));
  }
  return config;
}

std::string to_json_text(const Tags& tags) {
  json::object object;
  for (const auto& [key, value] : tags) {
    object[key] = value;
  }
  return to_text(object);
}

Result<Tags> parse_tags(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed || !parsed->is_object()) {
    return corrupt("trail tags");
  }
  Tags tags;
  for (const auto& [key, value] : parsed->get_object()) {
    if (!value.is_string()) {
      return corrupt("trail tags");
    }
    tags.emplace(key, value.get_string());
  }
  return tags;
}

std::int64_t to_column(Timestamp time) { return time.time_since_epoch().count(); }

sql::Value to_column(const std::optional<Timestamp>& time) {
  return time ? sql::Value(to_column(*time)) : sql::Value(sql::Null{});
}

Timestamp from_column(std::int64_t milliseconds) {
  return Timestamp(std::chrono::milliseconds(milliseconds));
}

}  // namespace opentrail::catalog
