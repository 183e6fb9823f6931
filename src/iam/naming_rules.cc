#include "iam/naming_rules.h"

#include "base/text.h"
#include "iam/iam.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace opentrail::iam {
namespace {

constexpr std::size_t kUserNameBytesMax = 64;
constexpr std::size_t kPathBytesMax = 512;
constexpr std::size_t kTagKeyBytesMax = 128;
constexpr std::size_t kTagValueBytesMax = 256;
constexpr std::size_t kPasswordBytesMin = 8;
constexpr std::size_t kPasswordBytesMax = 128;
constexpr int kPasswordKindsMin = 3;
constexpr std::size_t kShownBytesMax = 128;  // of the caller's own text, in an error

std::unexpected<Error> refuse(std::string_view code, std::string message) {
  return fail(ErrorCode::InvalidArgument, std::move(message), std::string(code));
}

std::unexpected<Error> refuse_value(std::string_view value, std::string_view member,
                                    std::string_view rule) {
  return refuse("ValidationError",
                fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy "
                            "constraint: {}",
                            to_valid_utf8(cut_utf8(value, kShownBytesMax)), member, rule));
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name_char(char c) {
  return is_upper(c) || is_lower(c) || is_digit(c) ||
         std::string_view("_+=,.@-").find(c) != std::string_view::npos;
}

bool is_path_char(char c) { return c >= '!' && c <= '\x7f'; }

}  // namespace

Result<void> check_user_name(std::string_view name) {
  if (name.empty()) {
    return refuse_value(name, "userName", "Member must have length greater than or equal to 1");
  }
  if (name.size() > kUserNameBytesMax) {
    return refuse_value(name, "userName", "Member must have length less than or equal to 64");
  }
  if (!std::ranges::all_of(name, is_name_char)) {
    return refuse("ValidationError",
                  "The specified value for userName is invalid. It must contain only alphanumeric "
                  "characters and/or the following: +=,.@_-");
  }
  return {};
}

Result<void> check_path(std::string_view path) {
  if (path.size() > kPathBytesMax) {
    return refuse_value(path, "path", "Member must have length less than or equal to 512");
  }
  const bool framed = path.starts_with('/') && path.ends_with('/') && path != "//";
  if (!framed || !std::ranges::all_of(path, is_path_char)) {
    return refuse("ValidationError",
                  "The specified value for path is invalid. It must begin and end with / and "
                  "contain only alphanumeric characters and/or / characters.");
  }
  return {};
}

Result<void> check_path_prefix(std::string_view prefix) {
  if (prefix.size() > kPathBytesMax) {
    return refuse_value(prefix, "pathPrefix", "Member must have length less than or equal to 512");
  }
  if (!prefix.empty() && (prefix.front() != '/' || !std::ranges::all_of(prefix, is_path_char))) {
    return refuse("ValidationError",
                  "The specified value for pathPrefix is invalid. It must begin with / and contain "
                  "only alphanumeric characters and/or / characters.");
  }
  return {};
}

Result<void> check_tags(const std::vector<std::pair<std::string, std::string>>& tags) {
  if (tags.size() > kTagsPerUserMax) {
    return refuse("ValidationError",
                  "1 validation error detected: Value at 'tags' failed to satisfy constraint: "
                  "Member must have length less than or equal to 50");
  }
  std::set<std::string> seen;
  for (const auto& [key, value] : tags) {
    if (key.empty() || key.size() > kTagKeyBytesMax || !is_utf8(key)) {
      return refuse_value(key, "tags.member.key", "Member must have length between 1 and 128");
    }
    if (value.size() > kTagValueBytesMax || !is_utf8(value)) {
      return refuse_value(value, "tags.member.value",
                          "Member must have length less than or equal to 256");
    }
    const std::string lower = to_lower(key);
    if (lower.starts_with("aws:")) {
      return refuse("InvalidInput",
                    "User tags must not begin with 'aws:', which is reserved for the system.");
    }
    if (!seen.insert(lower).second) {
      return refuse("InvalidInput",
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
  }
  return {};
}

Result<void> check_password(std::string_view password, std::string_view user_name) {
  constexpr std::string_view kCode = "PasswordPolicyViolation";
  if (password.size() < kPasswordBytesMin) {
    return refuse(kCode,
                  fmt::format("Password should have a minimum length of {}", kPasswordBytesMin));
  }
  if (password.size() > kPasswordBytesMax) {
    return refuse(kCode,
                  fmt::format("Password should have a maximum length of {}", kPasswordBytesMax));
  }
  const auto is_other = [](char c) { return !is_upper(c) && !is_lower(c) && !is_digit(c); };
  const int kinds = static_cast<int>(std::ranges::any_of(password, is_upper)) +
                    static_cast<int>(std::ranges::any_of(password, is_lower)) +
                    static_cast<int>(std::ranges::any_of(password, is_digit)) +
                    static_cast<int>(std::ranges::any_of(password, is_other));
  if (kinds < kPasswordKindsMin) {
    return refuse(kCode,
                  "Password should have at least three of: uppercase letters, lowercase letters, "
                  "numbers, symbols");
  }
  if (equals_ignore_case(password, user_name)) {
    return refuse(kCode, "Password should not be the user's name");
  }
  return {};
}

}  // namespace opentrail::iam
