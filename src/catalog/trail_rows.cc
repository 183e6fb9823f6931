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

/// An operator that has no values is left out.
json::object to_json(const record::FieldSelector& selector) {
  json::object out{{"field", selector.field}};
  for (const record::SelectorOperator op : record::kSelectorOperators) {
    if (!selector[op].empty()) {
      out[record::to_string(op)] = to_json(selector[op]);
    }
  }
  return out;
}

json::object to_json(const record::AdvancedEventSelector& selector) {
  json::array fields;
  for (const record::FieldSelector& field : selector.field_selectors) {
    fields.push_back(to_json(field));
  }
  return {{"name", selector.name}, {"fields", std::move(fields)}};
}

template <typename T>
json::array to_json(const std::vector<T>& selectors) {
  json::array out;
  for (const T& selector : selectors) {
    out.push_back(to_json(selector));
  }
  return out;
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

Result<record::FieldSelector> parse_field_selector(const json::value& value) {
  if (!value.is_object()) {
    return corrupt("trail configuration");
  }
  record::FieldSelector selector;
  selector.field = string_member(value.get_object(), "field");
  for (const record::SelectorOperator op : record::kSelectorOperators) {
    OT_TRY(selector[op], strings(array_member(value.get_object(), record::to_string(op))));
  }
  return selector;
}

Result<record::AdvancedEventSelector> parse_advanced_selector(const json::value& value) {
  if (!value.is_object()) {
    return corrupt("trail configuration");
  }
  record::AdvancedEventSelector selector;
  selector.name = string_member(value.get_object(), "name");
  for (const json::value& item : array_member(value.get_object(), "fields")) {
    OT_TRY(record::FieldSelector field, parse_field_selector(item));
    selector.field_selectors.push_back(std::move(field));
  }
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
  json::object out{{"bucket", config.bucket},
                   {"key_prefix", config.key_prefix},
                   {"include_global_service_events", config.include_global_service_events},
                   {"multi_region", config.multi_region},
                   {"log_file_validation", config.log_file_validation},
                   {"logging", config.logging},
                   {"custom_selectors", config.custom_selectors},
                   {"selectors", to_json(config.selectors)}};
  if (!config.advanced_selectors.empty()) {  // rows of trails without them stay as they were
    out["advanced_selectors"] = to_json(config.advanced_selectors);
  }
  return to_text(out);
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
  for (const json::value& item : array_member(object, "advanced_selectors")) {
    OT_TRY(record::AdvancedEventSelector selector, parse_advanced_selector(item));
    config.advanced_selectors.push_back(std::move(selector));
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
