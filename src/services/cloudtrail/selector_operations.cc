#include "base/text.h"
#include "objects/bucket_name.h"
#include "services/cloudtrail/find_trail.h"
#include "services/cloudtrail/request.h"
#include "services/cloudtrail/trail_change.h"
#include "services/cloudtrail/trail_views.h"
#include "services/cloudtrail/validation.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace opentrail::services::cloudtrail {
namespace {

constexpr std::size_t kSelectorsMax = 5;
constexpr std::size_t kDataResourceValuesMax = 250;
constexpr std::size_t kValueBytesMax = 2048;

std::unexpected<ApiError> invalid(std::string message) {
  return refuse("InvalidEventSelectorsException", std::move(message));
}

/// "arn:aws:s3", "arn:aws:s3:::", "arn:aws:s3:::bucket/", "arn:aws:s3:::bucket/prefix".
bool is_s3_value(std::string_view value) {
  constexpr std::string_view kAll = "arn:aws:s3:::";
  if (value == "arn:aws:s3" || value == kAll) {
    return true;
  }
  const auto slash = value.find('/');
  return value.starts_with(kAll) && slash != std::string_view::npos &&
         objects::is_bucket_name(value.substr(kAll.size(), slash - kAll.size()));
}

/// "arn:aws:SERVICE" or "arn:aws:SERVICE:region:account:RESOURCE...".
bool is_regional_value(std::string_view value, std::string_view service,
                       std::string_view resource) {
  const std::string all = fmt::format("arn:aws:{}", service);
  if (value == all) {
    return true;
  }
  constexpr std::size_t kResourceAt = 5;
  const auto parts = split(value, ':');
  if (!value.starts_with(all + ":") || parts.size() <= kResourceAt) {
    return false;
  }
  const auto* const at = parts[kResourceAt].data();
  const std::string_view rest(at, static_cast<std::size_t>(value.data() + value.size() - at));
  return !parts[3].empty() && is_digits(parts[4]) && rest.starts_with(resource) &&
         rest.size() > resource.size();
}

bool is_value_of(std::string_view type, std::string_view value) {
  if (value.size() > kValueBytesMax || value.find('*') != std::string_view::npos) {
    return false;
  }
  if (type == "AWS::S3::Object") {
    return is_s3_value(value);
  }
  return type == "AWS::Lambda::Function" ? is_regional_value(value, "lambda", "function:")
                                         : is_regional_value(value, "dynamodb", "table/");
}

ApiResult<std::vector<record::DataResource>> read_data_resources(const json::array& items) {
  static constexpr std::array<std::string_view, 3> kTypes = {
      "AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table"};
  std::vector<record::DataResource> resources;
  for (const json::value& item : items) {
    record::DataResource resource;
    resource.type = string_member(item.get_object(), "Type");
    if (std::ranges::find(kTypes, resource.type) == kTypes.end()) {
      return invalid(
          fmt::format("Value {} for DataResources.Type is invalid.", shown(resource.type)));
    }
    for (const json::value& value : list_of(item.get_object(), "Values")) {
      const std::string_view text = value.get_string();
      if (!is_value_of(resource.type, text)) {
        return invalid(fmt::format("Value {} for DataResources.Values is invalid.", shown(text)));
      }
      resource.values.emplace_back(text);
    }
    resources.push_back(std::move(resource));
  }
  return resources;
}

ApiResult<record::EventSelector> read_selector(const json::object& item) {
  static constexpr std::array<std::string_view, 2> kSources = {"kms.amazonaws.com",
                                                               "rdsdata.amazonaws.com"};
  record::EventSelector selector;
  const std::string type = text_of(item, "ReadWriteType").value_or("All");
  const auto parsed = record::parse_read_write_type(type);
  if (!parsed) {
    return invalid(fmt::format("Value {} for ReadWriteType is invalid.", shown(type)));
  }
  selector.read_write_type = *parsed;
  selector.include_management_events = flag_of(item, "IncludeManagementEvents").value_or(true);
  OT_TRY(selector.data_resources, read_data_resources(list_of(item, "DataResources")));
  for (const json::value& source : list_of(item, "ExcludeManagementEventSources")) {
    const std::string_view text = source.get_string();
    if (std::ranges::find(kSources, text) == kSources.end()) {
      return invalid(
          fmt::format("Value {} for ExcludeManagementEventSources is invalid.", shown(text)));
    }
    selector.exclude_management_event_sources.emplace_back(text);
  }
  return selector;
}

ApiResult<std::vector<record::EventSelector>> read_selectors(const json::array& items) {
  if (items.size() > kSelectorsMax) {
    return invalid(fmt::format("A trail can have at most {} event selectors.", kSelectorsMax));
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
    return invalid(fmt::format("The event selectors of a trail can name at most {} data resources.",
                               kDataResourceValuesMax));
  }
  return selectors;
}

/// The selectors that a call asks for. Some clients send an empty AdvancedEventSelectors beside, or
/// instead of, the basic ones; alone it stands for the default selector.
ApiResult<std::vector<record::EventSelector>> wanted_selectors(const json::object& input) {
  const json::array& basic = list_of(input, "EventSelectors");
  if (!list_of(input, "AdvancedEventSelectors").empty()) {
    if (!basic.empty()) {
      return invalid("A trail can have either EventSelectors or AdvancedEventSelectors, not both.");
    }
    return refuse("UnsupportedOperationException",
                  "OpenTrail does not offer advanced event selectors: use EventSelectors.");
  }
  if (!basic.empty()) {
    return read_selectors(basic);
  }
  if (input.contains("EventSelectors") || !input.contains("AdvancedEventSelectors")) {
    return invalid("At least one event selector must be given.");
  }
  return std::vector<record::EventSelector>(1);
}

}  // namespace

ApiResult<Answer> put_event_selectors(Request& request) {
  const MutexLock lock(request.change_mutex);
  OT_TRY(catalog::Trail trail,
         find_for_change(request, text_of(request.input, "TrailName").value_or("")));
  OT_TRY(trail.config.selectors, wanted_selectors(request.input));
  trail.config.custom_selectors = true;
  const auto version = request.parts.trails.update(trail, request.parts.clock.now());
  if (!version) {
    return std::unexpected(own_trouble(version.error()));
  }
  Answer answer;
  answer.body = event_selectors(trail);
  if (*version) {
    answer.on_recorded =
        takes_effect(request.parts.trails, trail.id, **version, InForce::AfterItsRecord);
  }
  return answer;
}

ApiResult<Answer> get_event_selectors(Request& request) {
  OT_TRY(const catalog::Trail trail,
         find_for_read(request, text_of(request.input, "TrailName").value_or(""), Shadows::ByArn,
                       NamedAs::Arn));
  return Answer{event_selectors(trail), {}, {}};
}

}  // namespace opentrail::services::cloudtrail
