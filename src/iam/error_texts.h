#pragma once
#include "base/error.h"

#include <cstddef>
#include <string>
#include <string_view>

/// IAM's errors, in its codes and words. The caller's own text is shown cut and as valid UTF-8.
namespace opentrail::iam {

/// At most 256 bytes of `text`, fit for a message.
[[nodiscard]] std::string shown(std::string_view text);

/// Why a policy check refuses; action and resource are cut to 2 KiB, which every ARN fits.
[[nodiscard]] std::string denied_text(std::string_view caller_arn, std::string_view action,
                                      std::string_view resource);

[[nodiscard]] std::unexpected<Error> no_such_account(std::string_view account_id);
[[nodiscard]] std::unexpected<Error> no_such_user(std::string_view name);
[[nodiscard]] std::unexpected<Error> no_such_access_key(std::string_view access_key_id);
[[nodiscard]] std::unexpected<Error> no_such_login_profile(std::string_view user_name);
/// No policy of that ARN exists.
[[nodiscard]] std::unexpected<Error> no_such_policy(std::string_view policy_arn);
/// The policy exists, perhaps, but is not attached.
[[nodiscard]] std::unexpected<Error> policy_not_attached(std::string_view policy_arn);

[[nodiscard]] std::unexpected<Error> user_exists(std::string_view name);
[[nodiscard]] std::unexpected<Error> login_profile_exists(std::string_view user_name);
/// `what_first`: "delete access keys".
[[nodiscard]] std::unexpected<Error> delete_conflict(std::string_view what_first);
/// `quota`: "AccessKeysPerUser".
[[nodiscard]] std::unexpected<Error> limit_exceeded(std::string_view quota, std::size_t limit);

}  // namespace opentrail::iam
