#include "record/selector_matcher.h"

#include "record/short_bytes.h"

#include <algorithm>
#include <utility>

namespace opentrail::record {
namespace {

/// How the values of one data resource type are compared (spec api §4.1 and §4.5).
struct DataResourceType {
  std::string_view name;
  std::string_view service;  ///< In ARNs.
  ValueSet::Kind compared;   ///< S3 names key prefixes, the others whole ARNs.
};
constexpr std::array<DataResourceType, 3> kTypes = {{
    {"AWS::S3::Object", "s3", ValueSet::Kind::Prefixes},
    {"AWS::Lambda::Function", "lambda", ValueSet::Kind::Exact},
    {"AWS::DynamoDB::Table", "dynamodb", ValueSet::Kind::Exact},
}};

/// What stands behind "arn:PARTITION:" when `arn` is one.
std::string_view after_partition(std::string_view arn) {
  if (!arn.starts_with("arn:")) {
    return {};
  }
  const auto colon = arn.find(':', 4);
  return colon == std::string_view::npos ? std::string_view() : arn.substr(colon + 1);
}

/// "arn:aws:s3" and "arn:aws:s3:::" both stand for everything of the service.
bool is_whole_service(std::string_view value, std::string_view service) {
  const std::string_view rest = after_partition(value);
  return rest.starts_with(service) &&
         rest.find_first_not_of(':', service.size()) == std::string_view::npos;
}

bool is_negative(SelectorOperator op) {
  return op == SelectorOperator::NotEquals || op == SelectorOperator::NotStartsWith ||
         op == SelectorOperator::NotEndsWith;
}

ValueSet::Kind kind_of(SelectorOperator op) {
  switch (op) {
    case SelectorOperator::Equals:
    case SelectorOperator::NotEquals:
      return ValueSet::Kind::Exact;
    case SelectorOperator::StartsWith:
    case SelectorOperator::NotStartsWith:
      return ValueSet::Kind::Prefixes;
    case SelectorOperator::EndsWith:
    case SelectorOperator::NotEndsWith:
      return ValueSet::Kind::Suffixes;
  }
  return ValueSet::Kind::Exact;
}

std::size_t number(Category category) { return static_cast<std::size_t>(category); }

}  // namespace

SelectorMatcher::SelectorMatcher(std::span<const EventSelector> selectors) {
  for (const EventSelector& selector : selectors) {
    add(selector);
  }
}

SelectorMatcher::SelectorMatcher(std::span<const AdvancedEventSelector> selectors) {
  for (const AdvancedEventSelector& selector : selectors) {
    for (const auto category : {Category::Management, Category::Data, Category::NetworkActivity}) {
      add(selector, category);
    }
  }
}

void SelectorMatcher::add(Category category, Rule rule) {
  if (rule.reads || rule.writes) {
    rules_[number(category)].push_back(std::move(rule));
  }
}

void SelectorMatcher::add(const EventSelector& selector) {
  Rule rule;
  rule.reads = selector.read_write_type != ReadWriteType::WriteOnly;
  rule.writes = selector.read_write_type != ReadWriteType::ReadOnly;
  for (const DataResource& resource : selector.data_resources) {
    if (auto condition = compile(resource)) {
      Rule of_data = rule;
      of_data.resource = std::move(condition);
      add(Category::Data, std::move(of_data));
    }
  }
  if (!selector.include_management_events) {
    return;
  }
  if (!selector.exclude_management_event_sources.empty()) {
    rule.conditions.push_back(
        {Part::EventSource, true,
         ValueSet(ValueSet::Kind::Exact, selector.exclude_management_event_sources)});
  }
  add(Category::Management, std::move(rule));
}

std::optional<SelectorMatcher::ResourceCondition> SelectorMatcher::compile(
    const DataResource& resource) {
  const auto* const type = std::ranges::find(kTypes, resource.type, &DataResourceType::name);
  if (type == kTypes.end()) {
    return std::nullopt;
  }
  ResourceCondition condition{resource.type, std::nullopt};
  const bool all = std::ranges::any_of(resource.values, [&](const std::string& value) {
    return is_whole_service(value, type->service);
  });
  if (!all) {
    condition.arns.emplace(type->compared, resource.values);
  }
  return condition;
}

void SelectorMatcher::add(const AdvancedEventSelector& selector, Category category) {
  Rule rule;
  for (const FieldSelector& field : selector.field_selectors) {
    for (const SelectorOperator op : kSelectorOperators) {
      if (field[op].empty()) {
        continue;
      }
      ValueSet values(kind_of(op), field[op]);
      const bool negative = is_negative(op);
      if (field.field == "eventCategory") {
        if (values.hits(to_string(category)) == negative) {
          return;
        }
      } else if (field.field == "readOnly") {
        rule.reads = rule.reads && values.hits("true") != negative;
        rule.writes = rule.writes && values.hits("false") != negative;
      } else {
        rule.conditions.push_back({part_named(field.field), negative, std::move(values)});
      }
    }
  }
  add(category, std::move(rule));
}

SelectorMatcher::Part SelectorMatcher::part_named(std::string_view field) {
  static constexpr std::array<std::pair<std::string_view, Part>, 9> kNames = {{
      {"eventName", Part::EventName},
      {"eventSource", Part::EventSource},
      {"eventType", Part::EventType},
      {"errorCode", Part::ErrorCode},
      {"vpcEndpointId", Part::VpcEndpointId},
      {"userIdentity.arn", Part::UserIdentityArn},
      {"sessionCredentialFromConsole", Part::SessionCredentialFromConsole},
      {"resources.type", Part::ResourceType},
      {"resources.ARN", Part::ResourceArn},
  }};
  const auto* const found =
      std::ranges::find(kNames, field, &std::pair<std::string_view, Part>::first);
  return found == kNames.end() ? Part::None : found->second;
}

std::string_view SelectorMatcher::text_of(const SelectorSubject& subject, Part part) {
  switch (part) {
    case Part::EventName:
      return subject.event_name;
    case Part::EventSource:
      return subject.event_source;
    case Part::EventType:
      return subject.event_type;
    case Part::ErrorCode:
      return subject.error_code;
    case Part::VpcEndpointId:
      return subject.vpc_endpoint_id;
    case Part::UserIdentityArn:
      return subject.user_identity_arn;
    case Part::SessionCredentialFromConsole:
      return subject.session_credential_from_console;
    case Part::ResourceType:
    case Part::ResourceArn:
    case Part::None:
      return {};
  }
  return {};
}

bool SelectorMatcher::is_hit(const Condition& condition, const SelectorSubject& subject) {
  const auto hits = [&condition](std::string_view text) {
    return !text.empty() && condition.values.hits(text);
  };
  if (condition.part == Part::ResourceType || condition.part == Part::ResourceArn) {
    const auto half =
        condition.part == Part::ResourceType ? &SelectorResource::type : &SelectorResource::arn;
    return std::ranges::any_of(subject.resources, hits, half);
  }
  return hits(text_of(subject, condition.part));
}

bool SelectorMatcher::holds(const Rule& rule, const SelectorSubject& subject) {
  if (!(subject.read_only ? rule.reads : rule.writes)) {
    return false;
  }
  const bool all = std::ranges::all_of(rule.conditions, [&](const Condition& condition) {
    return is_hit(condition, subject) != condition.negative;
  });
  if (!all || !rule.resource) {
    return all;
  }
  return std::ranges::any_of(subject.resources, [&](const SelectorResource& resource) {
    return equal_short(resource.type, rule.resource->type) &&
           (!rule.resource->arns || rule.resource->arns->hits(resource.arn));
  });
}

bool SelectorMatcher::matches(const SelectorSubject& subject) const {
  return std::ranges::any_of(rules_[number(subject.category)],
                             [&](const Rule& rule) { return holds(rule, subject); });
}

std::optional<bool> SelectorMatcher::answer_for(Category category) const {
  const auto& rules = rules_[number(category)];
  if (rules.empty()) {
    return false;
  }
  const bool all = std::ranges::any_of(rules, [](const Rule& rule) {
    return rule.reads && rule.writes && rule.conditions.empty() && !rule.resource;
  });
  return all ? std::optional(true) : std::nullopt;
}

}  // namespace opentrail::record
