#include "services/cloudtrail/selector_arns.h"
#include "services/cloudtrail/selector_rules.h"
#include "services/cloudtrail/validation.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace opentrail::services::cloudtrail {
namespace {

/// The text for DataResources.Values is AWS's own; the others follow it.
std::unexpected<ApiError> refuse_value(std::string_view value, std::string_view member) {
  return refuse_selectors(fmt::format("Value {} for {} is invalid.", shown(value), member));
}

ApiResult<record::DataResource> read_data_resource(const json::object& item) {
  static constexpr std::array<std::string_view, 3> kTypes = {
      "AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table"};
  record::DataResource resource;
  resource.type = string_member(item, "Type");
  if (std::ranges::find(kTypes, resource.type) == kTypes.end()) {
    return refuse_value(resource.type, "DataResources.Type");
  }
  for (const json::value& value : list_of(item, "Values")) {
    const std::string_view text = value.get_string();
    if (text.size() > kSelectorValueLengthMax || !is_data_resource_value(resource.type, text)) {
      return refuse_value(text, "DataResources.Values");
    }
    resource.values.emplace_back(text);
  }
  return resource;
}

ApiResult<std::vector<std::string>> read_excluded_sources(const json::array& items) {
  static constexpr std::array<std::string_view, 2> kSources = {"kms.amazonaws.com",
                                                               "rdsdata.amazonaws.com"};
  std::vector<std::string> sources;
  for (const json::value& item : items) {
    const std::string_view source = item.get_string();
    if (std::ranges::find(kSources, source) == kSources.end()) {
      return refuse_value(source, "ExcludeManagementEventSources");
    }
    sources.emplace_back(source);
  }
  return sources;
}

ApiResult<record::EventSelector> read_selector(const json::object& item) {
  record::EventSelector selector;
  const std::string type = text_of(item, "ReadWriteType").value_or("All");
  const auto parsed = record::parse_read_write_type(type);
  if (!parsed) {
    return refuse_value(type, "ReadWriteType");
  }
  selector.read_write_type = *parsed;
  selector.include_management_events = flag_of(item, "IncludeManagementEvents").value_or(true);
  for (const json::value& resource : list_of(item, "DataResources")) {
    OT_TRY(record::DataResource read, read_data_resource(resource.get_object()));
    selector.data_resources.push_back(std::move(read));
  }
  OT_TRY(selector.exclude_management_event_sources,
         read_excluded_sources(list_of(item, "ExcludeManagementEventSources")));
  return selector;
}

}  // namespace

ApiResult<std::vector<record::EventSelector>> read_basic_selectors(const json::array& items) {
  if (items.size() > kBasicSelectorsMax) {
    return refuse_selectors(
        fmt::format("A trail can have at most {} event selectors.", kBasicSelectorsMax));
  }
  std::vector<record::EventSelector> selectors;
  std::size_t values = 0;
  for (const json::value& item : items) {
    OT_TRY(record::EventSelector selector, read_selector(item.get_object()));
    for (const record::DataResource& resource : selector.data_resources) {
      values += resource.values.size();
    }
    selectors.push_back(std::move(selector));
  }
  if (values > kDataResourceValuesMax) {
    return refuse_selectors(
        fmt::format("The event selectors of a trail can name at most {} data resources.",
                    kDataResourceValuesMax));
  }
  return selectors;
}

}  // namespace opentrail::services::cloudtrail
