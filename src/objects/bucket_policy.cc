#include "objects/bucket_policy.h"

#include "base/json.h"
#include "base/text.h"
#include "objects/s3_errors.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

namespace opentrail::objects {
namespace {

using Statement = BucketPolicy::Statement;
using Condition = BucketPolicy::Condition;
using Principals = BucketPolicy::Principals;
using Operator = BucketPolicy::Operator;
using Quantifier = BucketPolicy::Quantifier;

constexpr std::size_t kPolicyDepthMax = 16;
constexpr std::size_t kAccountDigits = 12;

std::unexpected<Error> malformed(std::string message) {
  return s3_fail("MalformedPolicy", std::move(message));
}

bool is_account_id(std::string_view text) {
  return text.size() == kAccountDigits && is_digits(text);
}

/// A string or a list of strings.
std::optional<std::vector<std::string>> string_list(const json::value& value) {
  std::vector<std::string> list;
  if (value.is_string()) {
    list.emplace_back(value.get_string());
    return list;
  }
  if (!value.is_array() || value.get_array().empty()) {
    return std::nullopt;
  }
  for (const json::value& item : value.get_array()) {
    if (!item.is_string()) {
      return std::nullopt;
    }
    list.emplace_back(item.get_string());
  }
  return list;
}

/// Condition values may be booleans and numbers too; they compare as their text.
std::optional<std::string> scalar_text(const json::value& value) {
  if (value.is_string()) {
    return std::string(value.get_string());
  }
  if (value.is_bool() || value.is_number()) {
    return to_text(value);
  }
  return std::nullopt;
}

Result<void> add_aws_principal(Principals& principals, const std::string& text) {
  constexpr std::string_view kRoot = ":root";
  if (text == "*") {
    principals.everybody = true;
    return {};
  }
  if (is_account_id(text)) {
    principals.accounts.push_back(text);
    return {};
  }
  const auto parts = split(text, ':');
  const bool arn = parts.size() >= 6 && parts[0] == "arn" &&
                   (parts[2] == "iam" || parts[2] == "sts") && is_account_id(parts[4]) &&
                   !parts[5].empty() && text.find('*') == std::string::npos;
  if (!arn) {
    return malformed("Invalid principal in policy");
  }
  if (text.ends_with(kRoot) && parts.size() == 6) {
    principals.accounts.emplace_back(parts[4]);
  } else {
    principals.arns.push_back(text);
  }
  return {};
}

Result<Principals> parse_principals(const json::value& value) {
  Principals principals;
  if (value.is_string() && value.get_string() == "*") {
    principals.everybody = true;
    return principals;
  }
  if (!value.is_object() || value.get_object().empty()) {
    return malformed("Invalid principal in policy");
  }
  for (const auto& [kind, names] : value.get_object()) {
    const auto list = string_list(names);
    if (!list) {
      return malformed("Invalid principal in policy");
    }
    for (const std::string& name : *list) {
      if (kind == "AWS") {
        OT_TRY_DO(add_aws_principal(principals, name));
      } else if (kind == "Service" && name.find('*') == std::string::npos) {
        principals.services.push_back(name);
      } else {
        return malformed("Invalid principal in policy");
      }
    }
  }
  return principals;
}

struct OperatorName {
  std::string_view name;
  Operator op;
  bool negated;
};
constexpr OperatorName kOperators[] = {
    {"StringEquals", Operator::Equals, false},
    {"StringNotEquals", Operator::Equals, true},
    {"StringEqualsIgnoreCase", Operator::EqualsIgnoreCase, false},
    {"StringNotEqualsIgnoreCase", Operator::EqualsIgnoreCase, true},
    {"StringLike", Operator::Like, false},
    {"StringNotLike", Operator::Like, true},
    {"ArnEquals", Operator::Arn, false},
    {"ArnNotEquals", Operator::Arn, true},
    {"ArnLike", Operator::Arn, false},
    {"ArnNotLike", Operator::Arn, true},
    {"Bool", Operator::Bool, false},
    {"Null", Operator::Null, false},
};

Result<Condition> parse_operator(std::string_view text) {
  constexpr std::string_view kIfExists = "IfExists";
  constexpr std::string_view kAny = "ForAnyValue:";
  constexpr std::string_view kAll = "ForAllValues:";
  Condition condition;
  std::string_view name = text;
  if (name.starts_with(kAny)) {
    condition.quantifier = Quantifier::AnyValue;
    name.remove_prefix(kAny.size());
  } else if (name.starts_with(kAll)) {
    condition.quantifier = Quantifier::AllValues;
    name.remove_prefix(kAll.size());
  }
  if (name.ends_with(kIfExists)) {
    condition.if_exists = true;
    name.remove_suffix(kIfExists.size());
  }
  const auto* known = std::ranges::find(kOperators, name, &OperatorName::name);
  if (known == std::end(kOperators) || (known->op == Operator::Null && condition.if_exists)) {
    return malformed(fmt::format("Invalid Condition type : {}", to_valid_utf8(text)));
  }
  condition.op = known->op;
  condition.negated = known->negated;
  return condition;
}

bool is_bool_text(std::string_view text) {
  return equals_ignore_case(text, "true") || equals_ignore_case(text, "false");
}

Result<void> parse_condition_values(const json::value& value, Condition& condition) {
  const auto add = [&](const json::value& item) -> Result<void> {
    auto text = scalar_text(item);
    const bool needs_bool = condition.op == Operator::Bool || condition.op == Operator::Null;
    if (!text || (needs_bool && !is_bool_text(*text))) {
      return malformed("Policy has an invalid condition value");
    }
    if (text->find("${") != std::string::npos) {
      return malformed("Policy variables are not supported in this policy");
    }
    condition.values.push_back(*std::move(text));
    return {};
  };
  if (!value.is_array()) {
    return add(value);
  }
  if (value.get_array().empty()) {
    return malformed("Policy has an invalid condition value");
  }
  for (const json::value& item : value.get_array()) {
    OT_TRY_DO(add(item));
  }
  return {};
}

Result<std::vector<Condition>> parse_conditions(const json::value& value) {
  if (!value.is_object()) {
    return malformed("Policy has an invalid condition");
  }
  std::vector<Condition> conditions;
  for (const auto& [operator_name, keys] : value.get_object()) {
    OT_TRY(const Condition pattern, parse_operator(operator_name));
    if (!keys.is_object() || keys.get_object().empty()) {
      return malformed("Policy has an invalid condition");
    }
    for (const auto& [key, values] : keys.get_object()) {
      Condition& condition = conditions.emplace_back(pattern);
      condition.key = to_lower(key);
      if (condition.key.find(':') == std::string::npos) {
        return malformed("Policy has an invalid condition key");
      }
      OT_TRY_DO(parse_condition_values(values, condition));
    }
  }
  return conditions;
}

/// One of `name` and Not`name`, never both.
Result<const json::value*> one_of(const json::object& object, std::string_view name,
                                  bool& negated) {
  const json::value* plain = object.if_contains(name);
  const json::value* other = object.if_contains("Not" + std::string(name));
  if ((plain == nullptr) == (other == nullptr)) {
    return malformed(plain == nullptr ? fmt::format("Missing required field {}", name)
                                      : fmt::format("Statement has both {0} and Not{0}", name));
  }
  negated = other != nullptr;
  return plain != nullptr ? plain : other;
}

Result<std::vector<std::string>> parse_actions(const json::value& value) {
  auto actions = string_list(value);
  if (!actions) {
    return malformed("Policy has invalid action");
  }
  for (std::string& action : *actions) {
    action = to_lower(action);
    if (action != "*" && !(action.starts_with("s3:") && action.size() > 3)) {
      return malformed("Policy has invalid action");
    }
  }
  return *std::move(actions);
}

Result<std::vector<std::string>> parse_resources(const json::value& value,
                                                 std::string_view bucket) {
  auto resources = string_list(value);
  if (!resources) {
    return malformed("Policy has invalid resource");
  }
  const std::string own = fmt::format("arn:aws:s3:::{}", bucket);
  for (const std::string& resource : *resources) {
    const bool of_bucket =
        resource == own || resource.starts_with(own + "/") || resource == own + "*";
    if (!of_bucket) {
      return malformed("Policy has invalid resource");
    }
    if (resource.find("${") != std::string::npos) {
      return malformed("Policy variables are not supported in this policy");
    }
  }
  return *std::move(resources);
}

Result<void> check_members(const json::object& object,
                           std::initializer_list<std::string_view> allowed) {
  for (const auto& [name, value] : object) {
    if (std::ranges::find(allowed, std::string_view(name)) == allowed.end()) {
      return malformed(fmt::format("Unknown field {}", to_valid_utf8(std::string_view(name))));
    }
  }
  return {};
}

Result<Statement> parse_statement(const json::value& value, std::string_view bucket) {
  if (!value.is_object()) {
    return malformed("Statement is not valid");
  }
  const json::object& object = value.get_object();
  OT_TRY_DO(check_members(object, {"Sid", "Effect", "Principal", "NotPrincipal", "Action",
                                   "NotAction", "Resource", "NotResource", "Condition"}));
  Statement statement;
  const std::string effect = string_member(object, "Effect");
  if (effect != "Allow" && effect != "Deny") {
    return malformed(object.contains("Effect") ? "Invalid effect: " + to_valid_utf8(effect)
                                               : "Missing required field Effect");
  }
  statement.allow = effect == "Allow";
  OT_TRY(const json::value* principal, one_of(object, "Principal", statement.not_principal));
  OT_TRY(statement.principals, parse_principals(*principal));
  if (statement.not_principal && statement.allow) {
    return malformed("Allow with NotPrincipal is not allowed");
  }
  OT_TRY(const json::value* action, one_of(object, "Action", statement.not_action));
  OT_TRY(statement.actions, parse_actions(*action));
  OT_TRY(const json::value* resource, one_of(object, "Resource", statement.not_resource));
  OT_TRY(statement.resources, parse_resources(*resource, bucket));
  if (const json::value* conditions = object.if_contains("Condition")) {
    OT_TRY(statement.conditions, parse_conditions(*conditions));
  }
  return statement;
}

bool arn_match(std::string_view pattern, std::string_view text) {
  constexpr std::size_t kArnParts = 6;  // arn:partition:service:region:account:resource
  for (std::size_t part = 0; part + 1 < kArnParts; ++part) {
    const std::size_t pattern_end = pattern.find(':');
    const std::size_t text_end = text.find(':');
    if (pattern_end == std::string_view::npos || text_end == std::string_view::npos) {
      return false;
    }
    if (!glob_match(pattern.substr(0, pattern_end), text.substr(0, text_end))) {
      return false;
    }
    pattern.remove_prefix(pattern_end + 1);
    text.remove_prefix(text_end + 1);
  }
  return glob_match(pattern, text);
}

bool value_matches(Operator op, std::string_view wanted, std::string_view actual) {
  switch (op) {
    case Operator::Equals:
      return wanted == actual;
    case Operator::EqualsIgnoreCase:
    case Operator::Bool:
      return equals_ignore_case(wanted, actual);
    case Operator::Like:
      return glob_match(wanted, actual);
    case Operator::Arn:
      return arn_match(wanted, actual);
    case Operator::Null:
      break;
  }
  return false;
}

bool condition_holds(const Condition& condition,
                     const std::map<std::string, std::string>& context) {
  const auto found = context.find(condition.key);
  const bool present = found != context.end();
  if (condition.op == Operator::Null) {
    return std::ranges::any_of(condition.values, [&](const std::string& value) {
      return equals_ignore_case(value, "true") != present;
    });
  }
  if (!present) {
    if (condition.quantifier == Quantifier::AnyValue) {
      return condition.if_exists;
    }
    return condition.if_exists || condition.negated ||
           condition.quantifier == Quantifier::AllValues;
  }
  const bool any = std::ranges::any_of(condition.values, [&](const std::string& value) {
    return value_matches(condition.op, value, found->second);
  });
  return any != condition.negated;
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return !text.empty() && std::ranges::find(list, text) != list.end();
}

bool principal_matches(const Principals& principals, const PolicyPrincipal& who) {
  if (!who.service.empty()) {
    return principals.everybody || contains(principals.services, who.service);
  }
  return principals.everybody || contains(principals.accounts, who.account_id) ||
         contains(principals.arns, who.arn);
}

bool any_glob(const std::vector<std::string>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns,
                             [&](const std::string& pattern) { return glob_match(pattern, text); });
}

bool applies(const Statement& statement, const PolicyRequest& request) {
  return principal_matches(statement.principals, request.principal) != statement.not_principal &&
         any_glob(statement.actions, to_lower(request.action)) != statement.not_action &&
         any_glob(statement.resources, request.resource) != statement.not_resource &&
         std::ranges::all_of(statement.conditions, [&](const Condition& condition) {
           return condition_holds(condition, request.context);
         });
}

/// A condition that keeps strangers out: fixed values of a key that says who asks or from where.
bool narrows(const Condition& condition) {
  static constexpr std::array<std::string_view, 10> kNarrowingKeys = {
      "aws:sourcearn",    "aws:sourceaccount",  "aws:sourcevpc",        "aws:sourcevpce",
      "aws:principalarn", "aws:principalorgid", "aws:principalaccount", "aws:sourceip",
      "aws:sourceorgid",  "aws:userid"};
  return !condition.negated && !condition.if_exists && condition.op != Operator::Null &&
         condition.quantifier != Quantifier::AllValues &&
         std::ranges::find(kNarrowingKeys, condition.key) != kNarrowingKeys.end() &&
         std::ranges::none_of(condition.values, [](const std::string& value) {
           return value.find_first_not_of("*:") == std::string::npos;
         });
}

}  // namespace

Result<BucketPolicy> BucketPolicy::parse(std::string_view json, std::string_view bucket) {
  if (json.size() > kPolicyBytesMax) {
    return malformed(fmt::format("Policies must be at most {} bytes", kPolicyBytesMax));
  }
  const auto document =
      parse_json(json, {.depth_max = kPolicyDepthMax, .bytes_max = kPolicyBytesMax});
  if (!document || !document->is_object()) {
    return malformed("Policies must be valid JSON and the first byte must be '{'");
  }
  const json::object& object = document->get_object();
  OT_TRY_DO(check_members(object, {"Version", "Id", "Statement"}));
  const std::string version = string_member(object, "Version", "2008-10-17");
  const json::value* version_member = object.if_contains("Version");
  if ((version_member != nullptr && !version_member->is_string()) ||
      (version != "2012-10-17" && version != "2008-10-17")) {
    return malformed("The policy must contain a valid version string");
  }
  const json::value* statements = object.if_contains("Statement");
  if (statements == nullptr || (statements->is_array() && statements->get_array().empty())) {
    return malformed("Missing required field Statement");
  }
  BucketPolicy policy;
  if (!statements->is_array()) {
    OT_TRY(policy.statements_.emplace_back(), parse_statement(*statements, bucket));
    return policy;
  }
  for (const json::value& statement : statements->get_array()) {
    OT_TRY(policy.statements_.emplace_back(), parse_statement(statement, bucket));
  }
  return policy;
}

PolicyDecision BucketPolicy::evaluate(const PolicyRequest& request) const {
  PolicyDecision decision = PolicyDecision::None;
  for (const Statement& statement : statements_) {
    if (!applies(statement, request)) {
      continue;
    }
    if (!statement.allow) {
      return PolicyDecision::Deny;
    }
    decision = PolicyDecision::Allow;
  }
  return decision;
}

bool BucketPolicy::is_public() const {
  return std::ranges::any_of(statements_, [](const Statement& statement) {
    return statement.allow && statement.principals.everybody &&
           std::ranges::none_of(statement.conditions, narrows);
  });
}

}  // namespace opentrail::objects
