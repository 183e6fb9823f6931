#include "iam/directory.h"

#include "base/text.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::iam {
namespace {

Caller caller_of(const Principal& principal, std::string_view access_key_id) {
  Caller caller;
  caller.account_id = principal.user.account_id;
  caller.access_key_id = access_key_id;
  caller.root = principal.is_root();
  if (caller.root) {
    caller.principal_id = caller.account_id;
    caller.arn = fmt::format("arn:aws:iam::{}:root", caller.account_id);
  } else {
    caller.user_name = principal.user.name;
    caller.principal_id = principal.user.user_id;
    caller.arn = principal.user.arn();
  }
  return caller;
}

}  // namespace

bool Principal::has_key(std::string_view access_key_id) const {
  return std::ranges::find(access_key_ids, access_key_id) != access_key_ids.end();
}

bool Principal::has_policy(std::string_view policy_arn) const {
  return std::ranges::find(policy_arns, policy_arn) != policy_arns.end();
}

Directory::PrincipalKey Directory::key_of(std::string_view account_id, std::string_view name) {
  return {std::string(account_id), to_lower(name)};
}

Result<Directory> Directory::from(const catalog::Identities& rows) {
  Directory directory;
  OT_TRY_DO(directory.add(rows));
  if (!rows.accounts.empty() && directory.management_account_.empty()) {
    return fail(ErrorCode::Corruption, "the catalog has accounts, but none that runs the server");
  }
  return directory;
}

Result<Principal*> Directory::owner(std::string_view account_id, std::string_view name) {
  Principal* principal = find_mutable(account_id, name);
  if (principal == nullptr) {
    return fail(ErrorCode::Corruption,
                fmt::format("the catalog has rows of user '{}' of account {}, but no such user",
                            name, account_id));
  }
  return principal;
}

Result<void> Directory::add(const catalog::Identities& rows) {
  for (const auto& account : rows.accounts) {
    Principal root;
    root.user.account_id = account.account_id;
    root.user.created_at = account.created_at;
    principals_.emplace(key_of(account.account_id, ""), std::move(root));
    if (account.management) {
      management_account_ = account.account_id;
    }
  }
  for (const auto& row : rows.users) {
    OT_TRY_DO(owner(row.account_id, ""));
    Principal principal;
    principal.user = {row.account_id, row.name, row.path, row.user_id, row.created_at, row.tags};
    principals_.emplace(key_of(row.account_id, row.name), std::move(principal));
  }
  for (const auto& row : rows.access_keys) {
    OT_TRY(Principal* const principal, owner(row.account_id, row.user_name));
    principal->access_key_ids.push_back(row.access_key_id);
    const AccessKey key{row.access_key_id, row.account_id, row.user_name, row.active,
                        row.created_at};
    access_keys_.emplace(row.access_key_id, StoredKey{key, row.secret});
  }
  for (const auto& row : rows.login_profiles) {
    OT_TRY(Principal* const principal, owner(row.account_id, row.user_name));
    principal->has_login_profile = true;
  }
  for (const auto& row : rows.user_policies) {
    OT_TRY(Principal* const principal, owner(row.account_id, row.user_name));
    principal->policy_arns.push_back(row.policy_arn);
  }
  return {};
}

bool Directory::has_account(std::string_view account_id) const {
  return find(account_id, "") != nullptr;
}

std::size_t Directory::user_count(std::string_view account_id) const {
  return static_cast<std::size_t>(std::ranges::count_if(principals_, [&](const auto& entry) {
    return entry.first.first == account_id && !entry.second.is_root();
  }));
}

bool Directory::is_name_taken(std::string_view account_id, std::string_view name) const {
  return principals_.contains(key_of(account_id, name));
}

const Principal* Directory::find(std::string_view account_id, std::string_view name) const {
  const auto found = principals_.find(key_of(account_id, name));
  return found != principals_.end() && found->second.user.name == name ? &found->second : nullptr;
}

Principal* Directory::find_mutable(std::string_view account_id, std::string_view name) {
  const auto found = principals_.find(key_of(account_id, name));
  return found != principals_.end() && found->second.user.name == name ? &found->second : nullptr;
}

std::vector<User> Directory::users(std::string_view account_id,
                                   std::string_view path_prefix) const {
  std::vector<User> all;
  for (auto entry = principals_.lower_bound(key_of(account_id, ""));
       entry != principals_.end() && entry->first.first == account_id; ++entry) {
    const Principal& principal = entry->second;
    if (!principal.is_root() && principal.user.path.starts_with(path_prefix)) {
      all.push_back(principal.user);
    }
  }
  std::ranges::sort(all, {}, &User::name);
  return all;
}

std::vector<AccessKey> Directory::access_keys(const Principal& principal) const {
  std::vector<AccessKey> keys;
  keys.reserve(principal.access_key_ids.size());
  for (const std::string& id : principal.access_key_ids) {
    keys.push_back(access_keys_.at(id).key);
  }
  return keys;
}

std::optional<KnownKey> Directory::known_key(std::string_view access_key_id) const {
  const auto found = access_keys_.find(std::string(access_key_id));
  if (found == access_keys_.end()) {
    return std::nullopt;
  }
  const auto& [key, secret] = found->second;
  const Principal* principal = find(key.account_id, key.user_name);
  OT_CHECK(principal != nullptr);  // add() and remove_user() keep it so
  return KnownKey{secret, key.active, caller_of(*principal, access_key_id)};
}

void Directory::remove_user(std::string_view account_id, std::string_view name) {
  const Principal* principal = find(account_id, name);
  OT_CHECK(principal != nullptr && principal->access_key_ids.empty());
  principals_.erase(key_of(account_id, name));
}

void Directory::set_access_key_active(std::string_view access_key_id, bool active) {
  access_keys_.at(std::string(access_key_id)).key.active = active;
}

void Directory::remove_access_key(std::string_view access_key_id) {
  const auto found = access_keys_.find(std::string(access_key_id));
  OT_CHECK(found != access_keys_.end());
  Principal* principal = find_mutable(found->second.key.account_id, found->second.key.user_name);
  OT_CHECK(principal != nullptr);
  std::erase(principal->access_key_ids, access_key_id);
  access_keys_.erase(found);
}

void Directory::remove_login_profile(std::string_view account_id, std::string_view name) {
  Principal* principal = find_mutable(account_id, name);
  OT_CHECK(principal != nullptr);
  principal->has_login_profile = false;
}

void Directory::remove_policy(std::string_view account_id, std::string_view name,
                              std::string_view policy_arn) {
  Principal* principal = find_mutable(account_id, name);
  OT_CHECK(principal != nullptr);
  std::erase(principal->policy_arns, policy_arn);
}

}  // namespace opentrail::iam
