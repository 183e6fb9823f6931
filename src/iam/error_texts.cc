#include "iam/error_texts.h"

#include "base/text.h"

#include <fmt/format.h>

namespace opentrail::iam {
namespace {

constexpr std::size_t kShownBytesMax = 256;
constexpr std::size_t kDeniedBytesMax = 2 << 10;

std::string cut(std::string_view text, std::size_t bytes_max) {
  return to_valid_utf8(cut_utf8(text, bytes_max));
}

std::unexpected<Error> no_such_entity(std::string message) {
  return fail(ErrorCode::NotFound, std::move(message), "NoSuchEntity");
}

std::unexpected<Error> already_exists(std::string message) {
  return fail(ErrorCode::AlreadyExists, std::move(message), "EntityAlreadyExists");
}

}  // namespace

std::string shown(std::string_view text) { return cut(text, kShownBytesMax); }

std::string denied_text(std::string_view caller_arn, std::string_view action,
                        std::string_view resource) {
  const std::string what = cut(action, kDeniedBytesMax);
  return fmt::format(
      "User: {} is not authorized to perform: {} on resource: {} because no identity-based policy "
      "allows the {} action",
      caller_arn, what, cut(resource, kDeniedBytesMax), what);
}

std::unexpected<Error> no_such_account(std::string_view account_id) {
  return no_such_entity(fmt::format("The account {} cannot be found.", shown(account_id)));
}

std::unexpected<Error> no_such_user(std::string_view name) {
  return no_such_entity(fmt::format("The user with name {} cannot be found.", shown(name)));
}

std::unexpected<Error> no_such_access_key(std::string_view access_key_id) {
  return no_such_entity(
      fmt::format("The Access Key with id {} cannot be found.", shown(access_key_id)));
}

std::unexpected<Error> no_such_login_profile(std::string_view user_name) {
  return no_such_entity(
      fmt::format("Login Profile for User {} cannot be found.", shown(user_name)));
}

std::unexpected<Error> no_such_policy(std::string_view policy_arn) {
  return no_such_entity(
      fmt::format("Policy {} does not exist or is not attachable.", shown(policy_arn)));
}

std::unexpected<Error> policy_not_attached(std::string_view policy_arn) {
  return no_such_entity(fmt::format("Policy {} was not found.", shown(policy_arn)));
}

std::unexpected<Error> user_exists(std::string_view name) {
  return already_exists(fmt::format("User with name {} already exists.", shown(name)));
}

std::unexpected<Error> login_profile_exists(std::string_view user_name) {
  return already_exists(fmt::format("Login Profile for user {} already exists.", shown(user_name)));
}

std::unexpected<Error> delete_conflict(std::string_view what_first) {
  return fail(ErrorCode::Conflict, fmt::format("Cannot delete entity, must {} first.", what_first),
              "DeleteConflict");
}

std::unexpected<Error> limit_exceeded(std::string_view quota, std::size_t limit) {
  return fail(ErrorCode::ResourceExhausted,
              fmt::format("Cannot exceed quota for {}: {}", quota, limit), "LimitExceeded");
}

}  // namespace opentrail::iam
