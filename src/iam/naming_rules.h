#pragma once
#include "base/error.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What IAM accepts as input; errors carry its code and text. Pure.
namespace opentrail::iam {

/// [\w+=,.@-]{1,64}.
[[nodiscard]] Result<void> check_user_name(std::string_view name);
/// "/" or "/.../" of "!" to DEL, at most 512 bytes.
[[nodiscard]] Result<void> check_path(std::string_view path);
/// Empty, or "/" and whatever a path may begin with.
[[nodiscard]] Result<void> check_path_prefix(std::string_view prefix);
/// At most kTagsPerUserMax, keys 1 to 128 bytes that differ in more than case and do not begin with
/// "aws:", values up to 256 bytes, UTF-8.
[[nodiscard]] Result<void> check_tags(const std::vector<std::pair<std::string, std::string>>& tags);
/// IAM's default policy: 8 to 128 bytes; three of upper case, lower case, digits and others; not
/// the user's name. The text never repeats the password.
[[nodiscard]] Result<void> check_password(std::string_view password, std::string_view user_name);

}  // namespace opentrail::iam
