#include "record/selectors.h"

#include "record/json_document.h"

#include <algorithm>
#include <array>

namespace opentrail::record {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kAll = "All";
constexpr std::string_view kReadOnly = "ReadOnly";
constexpr std::string_view kWriteOnly = "WriteOnly";

/// How the values of one data resource type are compared (spec api §4.1 and §4.5).
struct DataResourceType {
  std::string_view name;
  std::string_view service;  ///< In ARNs.
  bool by_prefix;            ///< S3 names key prefixes, the others whole ARNs.
};
constexpr std::array<DataResourceType, 3> kTypes = {{
    {"AWS::S3::Object", "s3", true},
    {"AWS::Lambda::Function", "lambda", false},
    {"AWS::DynamoDB::Table", "dynamodb", false},
}};

/// What stands behind "arn:PARTITION:" when `arn` is one.
std::string_view after_partition(std::string_view arn) {
  if (!arn.starts_with("arn:")) {
    return {};
  }
  const auto colon = arn.find(':', 4);
  return colon == std::string_view::npos ? std::string_view() : arn.substr(colon + 1);
}

bool is_of_service(std::string_view arn, std::string_view service) {
  const std::string_view rest = after_partition(arn);
  return rest.starts_with(service) && rest.substr(service.size()).starts_with(':');
}

/// "arn:aws:s3" and "arn:aws:s3:::" both stand for everything of the service.
bool is_whole_service(std::string_view value, std::string_view service) {
  const std::string_view rest = after_partition(value);
  return rest.starts_with(service) &&
         rest.find_first_not_of(':', service.size()) == std::string_view::npos;
}

/// Values that name a bucket end with "/". A call on the bucket as such, a listing for instance,
/// has the bucket's own ARN, and is a call on what "arn:aws:s3:::bucket/" names.
bool has_prefix(std::string_view arn, std::string_view prefix) {
  if (arn.starts_with(prefix)) {
    return true;
  }
  return prefix.ends_with('/') && arn == prefix.substr(0, prefix.size() - 1);
}

bool names(const DataResourceType& type, std::string_view value, std::string_view arn) {
  if (!is_of_service(arn, type.service)) {
    return false;
  }
  if (is_whole_service(value, type.service)) {
    return true;
  }
  return type.by_prefix ? has_prefix(arn, value) : arn == value;
}

bool names(const DataResource& resource, const SelectorSubject& subject) {
  const auto* const type = std::ranges::find(kTypes, resource.type, &DataResourceType::name);
  if (type == kTypes.end()) {
    return false;
  }
  return std::ranges::any_of(resource.values, [&](const std::string& value) {
    return std::ranges::any_of(subject.resource_arns,
                               [&](const std::string& arn) { return names(*type, value, arn); });
  });
}

bool selects(const EventSelector& selector, const SelectorSubject& subject) {
  if (selector.read_write_type != ReadWriteType::All &&
      subject.read_only != (selector.read_write_type == ReadWriteType::ReadOnly)) {
    return false;
  }
  switch (subject.category) {
    case Category::Management:
      return selector.include_management_events &&
             std::ranges::find(selector.exclude_management_event_sources, subject.event_source) ==
                 selector.exclude_management_event_sources.end();
    case Category::Data:
      return std::ranges::any_of(selector.data_resources, [&](const DataResource& resource) {
        return names(resource, subject);
      });
    case Category::NetworkActivity:  // only advanced selectors name these
    case Category::Insight:
    case Category::Other:
      return false;
  }
  return false;
}

bool read_only_of(const dom::element& record) {
  const auto value = find(record, "readOnly");
  if (!value) {
    return false;
  }
  bool flag = false;
  if (value->get_bool().get(flag) == simdjson::SUCCESS) {
    return flag;
  }
  return scalar_text(*value) == "true";
}

std::vector<std::string> resource_arns_of(const dom::element& record) {
  std::vector<std::string> arns;
  dom::array items;
  const auto resources = find(record, "resources");
  if (!resources || resources->get_array().get(items) != simdjson::SUCCESS) {
    return arns;
  }
  for (const dom::element item : items) {
    // A listing has "ARNPrefix" where other calls have "ARN".
    for (const std::string_view member : {"ARN", "ARNPrefix"}) {
      std::string arn = text_at(item, member);
      if (!arn.empty()) {
        arns.push_back(std::move(arn));
      }
    }
  }
  return arns;
}

}  // namespace

std::string_view to_string(ReadWriteType type) {
  switch (type) {
    case ReadWriteType::All:
      return kAll;
    case ReadWriteType::ReadOnly:
      return kReadOnly;
    case ReadWriteType::WriteOnly:
      return kWriteOnly;
  }
  return kAll;
}

std::optional<ReadWriteType> parse_read_write_type(std::string_view text) {
  for (const auto type : {ReadWriteType::All, ReadWriteType::ReadOnly, ReadWriteType::WriteOnly}) {
    if (text == to_string(type)) {
      return type;
    }
  }
  return std::nullopt;
}

Result<SelectorSubject> selector_subject(const Record& record) {
  OT_TRY(const JsonDocument document, JsonDocument::parse(record.json));
  SelectorSubject subject;
  subject.category = record.category;
  subject.read_only = read_only_of(document.root());
  subject.event_source = text_at(document.root(), "eventSource");
  subject.resource_arns = resource_arns_of(document.root());
  return subject;
}

bool selects(const std::vector<EventSelector>& selectors, const SelectorSubject& subject) {
  return std::ranges::any_of(
      selectors, [&](const EventSelector& selector) { return selects(selector, subject); });
}

bool is_global_service(std::string_view event_source) {
  // STS is not one of them: its regional endpoints record in their own region.
  static constexpr std::array<std::string_view, 6> kSources = {
      "iam.amazonaws.com",     "cloudfront.amazonaws.com",    "signin.amazonaws.com",
      "route53.amazonaws.com", "organizations.amazonaws.com", "account.amazonaws.com",
  };
  return std::ranges::find(kSources, event_source) != kSources.end();
}

}  // namespace opentrail::record
