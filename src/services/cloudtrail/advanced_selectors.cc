#include "services/cloudtrail/selector_arns.h"
#include "services/cloudtrail/selector_lists.h"
#include "services/cloudtrail/selector_rules.h"
#include "services/cloudtrail/validation.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

namespace opentrail::services::cloudtrail {
namespace {

using record::AdvancedEventSelector;
using record::FieldSelector;
using record::SelectorOperator;
using enum record::SelectorOperator;

constexpr std::string_view kCategory = "eventCategory";
constexpr std::string_view kResourceType = "resources.type";
constexpr std::string_view kResourceArn = "resources.ARN";

// ---- what each category allows
// -------------------------------------------------------------------

/// A set of operators.
using Operators = unsigned;
constexpr Operators bit(SelectorOperator op) { return 1U << static_cast<unsigned>(op); }
constexpr Operators kAnyOperator = ~0U;
constexpr Operators kEqualsOnly = bit(Equals);
constexpr Operators kEqualsOrNot = bit(Equals) | bit(NotEquals);

bool is_any(std::string_view) { return true; }
bool is_boolean(std::string_view value) { return value == "true" || value == "false"; }
bool is_vpce_error(std::string_view value) { return value == "VpceAccessDenied"; }
bool is_excluded_source(std::string_view value) {
  return value == "kms.amazonaws.com" || value == "rdsdata.amazonaws.com";
}

/// One field of one category. Source: API reference, AdvancedFieldSelector (spec api §4.2), and
/// User Guide, "Logging network activity events".
struct FieldRule {
  std::string_view field;
  Operators operators;
  bool (*takes)(std::string_view value) = &is_any;
  bool required_once = false;  ///< Must be there, with one value.
};

constexpr std::array kManagementRules = {
    FieldRule{kCategory, kEqualsOnly, &is_any, true},
    FieldRule{"readOnly", kEqualsOnly, &is_boolean},
    FieldRule{"eventSource", bit(NotEquals), &is_excluded_source},
};
constexpr std::array kDataRules = {
    FieldRule{kCategory, kEqualsOnly, &is_any, true},
    FieldRule{kResourceType, kEqualsOnly, &is_resource_type, true},
    FieldRule{"readOnly", kEqualsOnly, &is_boolean},
    FieldRule{"eventName", kAnyOperator},
    FieldRule{kResourceArn, kAnyOperator},
    FieldRule{"eventSource", kAnyOperator},
    FieldRule{"eventType", kAnyOperator},
    FieldRule{"sessionCredentialFromConsole", kEqualsOrNot, &is_boolean},
    FieldRule{"userIdentity.arn", kAnyOperator},
};
constexpr std::array kNetworkRules = {
    FieldRule{kCategory, kEqualsOnly, &is_any, true},
    FieldRule{"eventSource", kEqualsOnly, &is_network_event_source, true},
    FieldRule{"eventName", kAnyOperator},
    FieldRule{"errorCode", kEqualsOnly, &is_vpce_error},
    FieldRule{"vpcEndpointId", kAnyOperator},
    FieldRule{"userIdentity.arn", kAnyOperator},
};

/// Empty for what a trail has no events of.
std::span<const FieldRule> rules_of(std::string_view category) {
  if (category == "Management") {
    return kManagementRules;
  }
  if (category == "Data") {
    return kDataRules;
  }
  return category == "NetworkActivity" ? std::span<const FieldRule>(kNetworkRules)
                                       : std::span<const FieldRule>();
}

// ---- reading
// -------------------------------------------------------------------------------------

ApiResult<std::vector<std::string>> read_values(const json::array& items, std::string_view field,
                                                SelectorOperator op) {
  if (items.empty()) {
    return refuse_selectors(fmt::format("The operator {} of the field {} must have a value.",
                                        record::to_string(op), shown(field)));
  }
  std::vector<std::string> values;
  for (const json::value& item : items) {
    const std::string_view value = item.get_string();
    if (value.empty() || length_of(value) > kSelectorValueLengthMax) {
      return refuse_selectors(fmt::format("Value {} for the field {} must have 1 to {} characters.",
                                          shown(value), shown(field), kSelectorValueLengthMax));
    }
    values.emplace_back(value);
  }
  return values;
}

ApiResult<FieldSelector> read_field_selector(const json::object& item) {
  FieldSelector selector;
  selector.field = string_member(item, "Field");
  if (selector.field.empty() || length_of(selector.field) > kFieldLengthMax) {
    return refuse_selectors(
        fmt::format("The name of a field must have 1 to {} characters.", kFieldLengthMax));
  }
  bool has_operator = false;
  for (const SelectorOperator op : record::kSelectorOperators) {
    const std::string_view name = record::to_string(op);
    if (item.contains(name)) {
      OT_TRY(selector[op], read_values(list_of(item, name), selector.field, op));
      has_operator = true;
    }
  }
  if (!has_operator) {
    return refuse_selectors(
        fmt::format("The field {} must have at least one operator.", shown(selector.field)));
  }
  return selector;
}

const FieldSelector* find_field(const AdvancedEventSelector& selector, std::string_view field) {
  const auto found = std::ranges::find(selector.field_selectors, field, &FieldSelector::field);
  return found == selector.field_selectors.end() ? nullptr : &*found;
}

ApiResult<AdvancedEventSelector> read_selector(const json::object& item) {
  AdvancedEventSelector selector;
  selector.name = string_member(item, "Name");
  if (length_of(selector.name) > kSelectorNameLengthMax) {
    return refuse_selectors(
        fmt::format("The name of an advanced event selector can have at most {} characters.",
                    kSelectorNameLengthMax));
  }
  for (const json::value& field : list_of(item, "FieldSelectors")) {
    OT_TRY(FieldSelector read, read_field_selector(field.get_object()));
    if (find_field(selector, read.field) != nullptr) {
      return refuse_selectors(fmt::format(
          "The field {} can be there once in an advanced event selector.", shown(read.field)));
    }
    selector.field_selectors.push_back(std::move(read));
  }
  return selector;
}

// ---- checking
// ------------------------------------------------------------------------------------

/// The only value of a field that must be there with one.
ApiResult<std::string> single_value(const AdvancedEventSelector& selector, std::string_view name) {
  const FieldSelector* const field = find_field(selector, name);
  if (field == nullptr || (*field)[Equals].size() != 1) {
    return refuse_selectors(fmt::format(
        "An advanced event selector must have the field {} with the operator Equals and one value.",
        name));
  }
  return (*field)[Equals].front();
}

ApiResult<void> check_field(const FieldSelector& selector, const FieldRule& rule) {
  for (const SelectorOperator op : record::kSelectorOperators) {
    if (selector[op].empty()) {
      continue;
    }
    if ((rule.operators & bit(op)) == 0) {
      return refuse_selectors(fmt::format("The field {} does not take the operator {}.",
                                          selector.field, record::to_string(op)));
    }
    for (const std::string& value : selector[op]) {
      if (!rule.takes(value)) {
        return refuse_selectors(
            fmt::format("Value {} for the field {} is invalid.", shown(value), selector.field));
      }
    }
  }
  return {};
}

/// A value that stands for a whole ARN must be one; the beginning or end of one may be anything.
ApiResult<void> check_arns(const FieldSelector& selector, std::string_view type) {
  for (const SelectorOperator op : {Equals, NotEquals}) {
    for (const std::string& arn : selector[op]) {
      if (!is_arn_of_type(type, arn)) {
        return refuse_selectors(
            fmt::format("Value {} for the field {} is not the ARN of a resource of the type {}.",
                        shown(arn), kResourceArn, type));
      }
    }
  }
  return {};
}

ApiResult<void> check_selector(const AdvancedEventSelector& selector) {
  OT_TRY(const std::string category, single_value(selector, kCategory));
  const auto rules = rules_of(category);
  if (rules.empty()) {
    return refuse_selectors(
        fmt::format("Value {} for the field {} is invalid.", shown(category), kCategory));
  }
  for (const FieldSelector& field : selector.field_selectors) {
    const auto rule = std::ranges::find(rules, field.field, &FieldRule::field);
    if (rule == rules.end()) {
      return refuse_selectors(fmt::format("The field {} is not valid for {} events of a trail.",
                                          shown(field.field), category));
    }
    OT_TRY_DO(check_field(field, *rule));
  }
  for (const FieldRule& rule : rules) {
    if (rule.required_once) {
      OT_TRY_DO(single_value(selector, rule.field));
    }
  }
  if (const FieldSelector* const arns = find_field(selector, kResourceArn)) {
    OT_TRY(const std::string type, single_value(selector, kResourceType));
    return check_arns(*arns, type);
  }
  return {};
}

std::size_t count_values(const AdvancedEventSelector& selector) {
  std::size_t count = 0;
  for (const FieldSelector& field : selector.field_selectors) {
    for (const auto& values : field.values) {
      count += values.size();
    }
  }
  return count;
}

}  // namespace

ApiResult<std::vector<AdvancedEventSelector>> read_advanced_selectors(const json::array& items) {
  std::vector<AdvancedEventSelector> selectors;
  std::size_t values = 0;
  for (const json::value& item : items) {
    OT_TRY(AdvancedEventSelector selector, read_selector(item.get_object()));
    OT_TRY_DO(check_selector(selector));
    values += count_values(selector);
    if (values > kConditionValuesMax) {
      return refuse_selectors(
          fmt::format("The advanced event selectors of a trail can have at most {} values.",
                      kConditionValuesMax));
    }
    selectors.push_back(std::move(selector));
  }
  return selectors;
}

}  // namespace opentrail::services::cloudtrail
