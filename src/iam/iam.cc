#include "iam/iam.h"

#include "base/mutex.h"
#include "base/text.h"
#include "catalog/identity_store.h"
#include "crypto/password.h"
#include "iam/authenticate.h"
#include "iam/directory.h"
#include "iam/error_texts.h"
#include "iam/managed_policies.h"
#include "iam/naming_rules.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace opentrail::iam {
namespace {

constexpr std::string_view kIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kSecretAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kUserIdRandomLength = 17;
constexpr std::size_t kAccessKeyIdRandomLength = 16;
constexpr std::size_t kSecretLength = 40;
constexpr std::size_t kAccountIdDigits = 12;

constexpr std::string_view kAdminName = "admin";
constexpr std::string_view kAdminPolicy = kKnownPolicies[0];
/// AWS allows it to everyone, whatever the policies say.
constexpr std::string_view kAlwaysAllowed = "sts:GetCallerIdentity";

/// Null when no user (root is none) has the name.
const Principal* find_user(const Directory& directory, std::string_view account_id,
                           std::string_view name) {
  return name.empty() ? nullptr : directory.find(account_id, name);
}

/// The user behind a call, root being none. Null when it is gone; one that was made anew under the
/// same name is another one.
const Principal* find_user(const Directory& directory, const Caller& caller) {
  const Principal* user = find_user(directory, caller.account_id, caller.user_name);
  return user != nullptr && user->user.user_id == caller.principal_id ? user : nullptr;
}

class CatalogIam final : public Iam {
 public:
  CatalogIam(catalog::IdentityStore store, Directory directory, io::Random& random,
             const io::Clock& clock, std::string account_id)
      : store_(store),
        random_(random),
        clock_(clock),
        account_id_(std::move(account_id)),
        decoy_secret_(io::make_token(random, kSecretLength, kSecretAlphabet)),
        directory_(std::move(directory)) {}

  [[nodiscard]] const std::string& account_id() const override { return account_id_; }
  using Iam::bootstrap;
  Result<std::optional<Bootstrap>> bootstrap(const KeepKeys& keep) override;

  Authentication authenticate(const crypto::sigv4::SignedRequest& request,
                              const AuthenticateOptions& options) override;
  [[nodiscard]] std::optional<std::string> deny_reason(const Caller& caller,
                                                       std::string_view action,
                                                       std::string_view resource) override;
  [[nodiscard]] bool is_administrator(const Caller& caller) override;

  Result<User> create_user(const std::string& account_id, const std::string& name,
                           const std::string& path,
                           std::vector<std::pair<std::string, std::string>> tags) override;
  Result<User> user(const std::string& account_id, const std::string& name) override;
  Result<std::vector<User>> users(const std::string& account_id,
                                  const std::string& path_prefix) override;
  Result<void> delete_user(const std::string& account_id, const std::string& name) override;

  Result<NewAccessKey> create_access_key(const std::string& account_id,
                                         const std::string& user_name) override;
  Result<std::vector<AccessKey>> access_keys(const std::string& account_id,
                                             const std::string& user_name) override;
  Result<void> update_access_key(const std::string& account_id, const std::string& user_name,
                                 const std::string& access_key_id, bool active) override;
  Result<void> delete_access_key(const std::string& account_id, const std::string& user_name,
                                 const std::string& access_key_id) override;

  Result<Timestamp> create_login_profile(const std::string& account_id,
                                         const std::string& user_name, const std::string& password,
                                         bool reset_required) override;
  Result<void> delete_login_profile(const std::string& account_id,
                                    const std::string& user_name) override;

  Result<void> attach_user_policy(const std::string& account_id, const std::string& user_name,
                                  const std::string& policy_arn) override;
  Result<void> detach_user_policy(const std::string& account_id, const std::string& user_name,
                                  const std::string& policy_arn) override;
  Result<std::vector<std::string>> attached_user_policies(const std::string& account_id,
                                                          const std::string& user_name) override;

 private:
  /// Runs `work(directory)` under the lock of the memory; nothing in it may block.
  template <typename Work>
  auto in_memory(const Work& work) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return work(directory_);
  }
  /// To disk in one transaction, then to memory.
  Result<void> add(const catalog::Identities& rows) REQUIRES(changes_) EXCLUDES(mutex_) {
    OT_TRY_DO(store_.add(rows));
    return in_memory([&](Directory& directory) { return directory.add(rows); });
  }
  [[nodiscard]] catalog::UserRow make_user(const std::string& account_id, std::string name,
                                           std::string path) const;
  [[nodiscard]] catalog::AccessKeyRow make_access_key(const std::string& account_id,
                                                      std::string user_name) const;
  Result<void> check_key_owner(const std::string& account_id, const std::string& user_name,
                               const std::string& access_key_id) EXCLUDES(mutex_);
  Result<void> check_no_login_profile(const std::string& account_id, const std::string& user_name)
      EXCLUDES(mutex_);
  bool allows(const Caller& caller, std::string_view action, std::string_view resource)
      EXCLUDES(mutex_);

  const catalog::IdentityStore store_;
  io::Random& random_;
  const io::Clock& clock_;
  const std::string account_id_;
  const std::string decoy_secret_;
  /// Held over a whole change, disk included, so that changes happen one after another and what one
  /// has checked stays true until it is done. Taken before mutex_.
  Mutex changes_;
  /// Held for look-ups only, never over the disk.
  Mutex mutex_;
  Directory directory_ GUARDED_BY(mutex_);
};

NewAccessKey shown_once(const catalog::AccessKeyRow& row) {
  return {{row.access_key_id, row.account_id, row.user_name, row.active, row.created_at},
          row.secret};
}

catalog::UserRow CatalogIam::make_user(const std::string& account_id, std::string name,
                                       std::string path) const {
  return {account_id,      std::move(name),
          std::move(path), "AIDA" + io::make_token(random_, kUserIdRandomLength, kIdAlphabet),
          clock_.now(),    {}};
}

catalog::AccessKeyRow CatalogIam::make_access_key(const std::string& account_id,
                                                  std::string user_name) const {
  return {"AKIA" + io::make_token(random_, kAccessKeyIdRandomLength, kIdAlphabet),
          account_id,
          std::move(user_name),
          io::make_token(random_, kSecretLength, kSecretAlphabet),
          true,
          clock_.now()};
}

Result<std::optional<Bootstrap>> CatalogIam::bootstrap(const KeepKeys& keep) {
  const MutexLock change(changes_);
  if (in_memory([](const Directory& d) { return !d.management_account().empty(); })) {
    return std::nullopt;
  }
  const std::string admin(kAdminName);
  catalog::Identities rows;
  rows.accounts.push_back({account_id_, true, clock_.now()});
  rows.users.push_back(make_user(account_id_, admin, "/"));
  rows.access_keys.push_back(make_access_key(account_id_, admin));
  rows.access_keys.push_back(make_access_key(account_id_, ""));
  rows.user_policies.push_back({account_id_, admin, std::string(kAdminPolicy)});
  Bootstrap made{shown_once(rows.access_keys[0]), shown_once(rows.access_keys[1])};
  OT_TRY_DO(keep(made));
  OT_TRY_DO(add(rows));
  return made;
}

Authentication CatalogIam::authenticate(const crypto::sigv4::SignedRequest& request,
                                        const AuthenticateOptions& options) {
  const KeyLookup lookup = [this](std::string_view access_key_id) {
    return in_memory([&](const Directory& d) { return d.known_key(access_key_id); });
  };
  return check_signature(request, options, {lookup, decoy_secret_, clock_.now()});
}

bool CatalogIam::allows(const Caller& caller, std::string_view action, std::string_view resource) {
  if (!caller.verified) {
    return false;
  }
  if (caller.root || equals_ignore_case(action, kAlwaysAllowed)) {
    return true;
  }
  return in_memory([&](const Directory& directory) {
    const Principal* user = find_user(directory, caller);
    return user != nullptr && std::ranges::any_of(user->policy_arns, [&](const std::string& arn) {
             return policy_allows(arn, action, resource);
           });
  });
}

std::optional<std::string> CatalogIam::deny_reason(const Caller& caller, std::string_view action,
                                                   std::string_view resource) {
  if (allows(caller, action, resource)) {
    return std::nullopt;
  }
  return denied_text(caller.arn, action, resource);
}

bool CatalogIam::is_administrator(const Caller& caller) {
  if (!caller.verified || caller.account_id != account_id_) {
    return false;
  }
  return caller.root || in_memory([&](const Directory& directory) {
           const Principal* user = find_user(directory, caller);
           return user != nullptr && user->has_policy(kAdminPolicy);
         });
}

// --- Users
// ----------------------------------------------------------------------------------------

Result<User> CatalogIam::create_user(const std::string& account_id, const std::string& name,
                                     const std::string& path,
                                     std::vector<std::pair<std::string, std::string>> tags) {
  OT_TRY_DO(check_user_name(name));
  OT_TRY_DO(check_path(path));
  OT_TRY_DO(check_tags(tags));
  const MutexLock change(changes_);
  OT_TRY_DO(in_memory([&](const Directory& directory) -> Result<void> {
    if (!directory.has_account(account_id)) {
      return no_such_account(account_id);
    }
    if (directory.is_name_taken(account_id, name)) {
      return user_exists(name);
    }
    if (directory.user_count(account_id) >= kUsersMax) {
      return limit_exceeded("UsersPerAccount", kUsersMax);
    }
    return {};
  }));
  catalog::Identities rows;
  rows.users.push_back(make_user(account_id, name, path));
  catalog::UserRow& row = rows.users.back();
  row.tags = std::move(tags);
  OT_TRY_DO(add(rows));
  return User{row.account_id, row.name, row.path, row.user_id, row.created_at, row.tags};
}

Result<User> CatalogIam::user(const std::string& account_id, const std::string& name) {
  return in_memory([&](const Directory& directory) -> Result<User> {
    const Principal* user = find_user(directory, account_id, name);
    if (user == nullptr) {
      return no_such_user(name);
    }
    return user->user;
  });
}

Result<std::vector<User>> CatalogIam::users(const std::string& account_id,
                                            const std::string& path_prefix) {
  OT_TRY_DO(check_path_prefix(path_prefix));
  return in_memory([&](const Directory& d) { return d.users(account_id, path_prefix); });
}

Result<void> CatalogIam::delete_user(const std::string& account_id, const std::string& name) {
  const MutexLock change(changes_);
  OT_TRY_DO(in_memory([&](const Directory& directory) -> Result<void> {
    const Principal* user = find_user(directory, account_id, name);
    if (user == nullptr) {
      return no_such_user(name);
    }
    if (!user->access_key_ids.empty()) {
      return delete_conflict("delete access keys");
    }
    if (!user->policy_arns.empty()) {
      return delete_conflict("detach all policies");
    }
    if (user->has_login_profile) {
      return delete_conflict("delete login profile");
    }
    return {};
  }));
  OT_TRY_DO(store_.delete_user({account_id, name}));
  in_memory([&](Directory& directory) { directory.remove_user(account_id, name); });
  return {};
}

// --- Access keys
// ----------------------------------------------------------------------------------

Result<NewAccessKey> CatalogIam::create_access_key(const std::string& account_id,
                                                   const std::string& user_name) {
  const MutexLock change(changes_);
  OT_TRY_DO(in_memory([&](const Directory& directory) -> Result<void> {
    const Principal* principal = directory.find(account_id, user_name);
    if (principal == nullptr) {
      return no_such_user(user_name);
    }
    if (principal->access_key_ids.size() >= kAccessKeysPerUserMax) {
      return limit_exceeded("AccessKeysPerUser", kAccessKeysPerUserMax);
    }
    return {};
  }));
  catalog::Identities rows;
  rows.access_keys.push_back(make_access_key(account_id, user_name));
  OT_TRY_DO(add(rows));
  return shown_once(rows.access_keys.back());
}

Result<std::vector<AccessKey>> CatalogIam::access_keys(const std::string& account_id,
                                                       const std::string& user_name) {
  return in_memory([&](const Directory& directory) -> Result<std::vector<AccessKey>> {
    const Principal* principal = directory.find(account_id, user_name);
    if (principal == nullptr) {
      return no_such_user(user_name);
    }
    return directory.access_keys(*principal);
  });
}

Result<void> CatalogIam::check_key_owner(const std::string& account_id,
                                         const std::string& user_name,
                                         const std::string& access_key_id) {
  return in_memory([&](const Directory& directory) -> Result<void> {
    const Principal* principal = directory.find(account_id, user_name);
    if (principal == nullptr) {
      return no_such_user(user_name);
    }
    if (!principal->has_key(access_key_id)) {
      return no_such_access_key(access_key_id);
    }
    return {};
  });
}

Result<void> CatalogIam::update_access_key(const std::string& account_id,
                                           const std::string& user_name,
                                           const std::string& access_key_id, bool active) {
  const MutexLock change(changes_);
  OT_TRY_DO(check_key_owner(account_id, user_name, access_key_id));
  OT_TRY_DO(store_.set_access_key_active(access_key_id, active));
  in_memory([&](Directory& d) { d.set_access_key_active(access_key_id, active); });
  return {};
}

Result<void> CatalogIam::delete_access_key(const std::string& account_id,
                                           const std::string& user_name,
                                           const std::string& access_key_id) {
  const MutexLock change(changes_);
  OT_TRY_DO(check_key_owner(account_id, user_name, access_key_id));
  OT_TRY_DO(store_.delete_access_key(access_key_id));
  in_memory([&](Directory& directory) { directory.remove_access_key(access_key_id); });
  return {};
}

// --- Login profiles
// -------------------------------------------------------------------------------

Result<void> CatalogIam::check_no_login_profile(const std::string& account_id,
                                                const std::string& user_name) {
  return in_memory([&](const Directory& directory) -> Result<void> {
    const Principal* user = find_user(directory, account_id, user_name);
    if (user == nullptr) {
      return no_such_user(user_name);
    }
    if (user->has_login_profile) {
      return login_profile_exists(user_name);
    }
    return {};
  });
}

Result<Timestamp> CatalogIam::create_login_profile(const std::string& account_id,
                                                   const std::string& user_name,
                                                   const std::string& password,
                                                   bool reset_required) {
  OT_TRY_DO(check_no_login_profile(account_id, user_name));
  OT_TRY_DO(check_password(password, user_name));
  std::string hash = crypto::hash_password(password, random_);  // slow: no lock is held
  const MutexLock change(changes_);
  OT_TRY_DO(check_no_login_profile(account_id, user_name));
  catalog::Identities rows;
  const Timestamp now = clock_.now();
  rows.login_profiles.push_back({account_id, user_name, std::move(hash), reset_required, now});
  OT_TRY_DO(add(rows));
  return now;
}

Result<void> CatalogIam::delete_login_profile(const std::string& account_id,
                                              const std::string& user_name) {
  const MutexLock change(changes_);
  OT_TRY_DO(in_memory([&](const Directory& directory) -> Result<void> {
    const Principal* user = find_user(directory, account_id, user_name);
    if (user == nullptr) {
      return no_such_user(user_name);
    }
    if (!user->has_login_profile) {
      return no_such_login_profile(user_name);
    }
    return {};
  }));
  OT_TRY_DO(store_.delete_login_profile({account_id, user_name}));
  in_memory([&](Directory& d) { d.remove_login_profile(account_id, user_name); });
  return {};
}

// --- Attached policies
// ----------------------------------------------------------------------------

Result<void> CatalogIam::attach_user_policy(const std::string& account_id,
                                            const std::string& user_name,
                                            const std::string& policy_arn) {
  const MutexLock change(changes_);
  OT_TRY(const bool attached, in_memory([&](const Directory& directory) -> Result<bool> {
           const Principal* user = find_user(directory, account_id, user_name);
           if (user == nullptr) {
             return no_such_user(user_name);
           }
           if (!is_known_policy(policy_arn)) {
             return no_such_policy(policy_arn);
           }
           if (user->has_policy(policy_arn)) {
             return true;
           }
           if (user->policy_arns.size() >= kPoliciesPerUserMax) {
             return limit_exceeded("PoliciesPerUser", kPoliciesPerUserMax);
           }
           return false;
         }));
  if (attached) {
    return {};
  }
  catalog::Identities rows;
  rows.user_policies.push_back({account_id, user_name, policy_arn});
  return add(rows);
}

Result<void> CatalogIam::detach_user_policy(const std::string& account_id,
                                            const std::string& user_name,
                                            const std::string& policy_arn) {
  const MutexLock change(changes_);
  OT_TRY_DO(in_memory([&](const Directory& directory) -> Result<void> {
    const Principal* user = find_user(directory, account_id, user_name);
    if (user == nullptr) {
      return no_such_user(user_name);
    }
    if (!user->has_policy(policy_arn)) {
      return policy_not_attached(policy_arn);
    }
    return {};
  }));
  OT_TRY_DO(store_.delete_user_policy({account_id, user_name}, policy_arn));
  in_memory([&](Directory& d) { d.remove_policy(account_id, user_name, policy_arn); });
  return {};
}

Result<std::vector<std::string>> CatalogIam::attached_user_policies(const std::string& account_id,
                                                                    const std::string& user_name) {
  return in_memory([&](const Directory& directory) -> Result<std::vector<std::string>> {
    const Principal* user = find_user(directory, account_id, user_name);
    if (user == nullptr) {
      return no_such_user(user_name);
    }
    return user->policy_arns;
  });
}

}  // namespace

std::string User::arn() const {
  return fmt::format("arn:aws:iam::{}:user{}{}", account_id, path, name);
}

record::UserIdentity Caller::identity() const {
  record::UserIdentity shown;
  shown.type = root ? "Root" : "IAMUser";
  shown.principal_id = principal_id;
  shown.arn = verified ? arn : std::string();
  shown.account_id = account_id;
  shown.access_key_id = access_key_id;
  shown.user_name = user_name;
  return shown;
}

Result<std::unique_ptr<Iam>> Iam::open(sql::Database& catalog, const crypto::Keyring& keyring,
                                       io::Random& random, const io::Clock& clock,
                                       const AccountOptions& options) {
  if (options.account_id.size() != kAccountIdDigits || !is_digits(options.account_id)) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("account id '{}': must be 12 digits", shown(options.account_id)));
  }
  OT_TRY(auto store, catalog::IdentityStore::open(catalog, keyring, random));
  OT_TRY(const auto rows, store.load());
  OT_TRY(auto directory, Directory::from(rows));
  std::string account_id = directory.management_account();
  if (account_id.empty()) {
    account_id = options.account_id;
  }
  return std::make_unique<CatalogIam>(store, std::move(directory), random, clock,
                                      std::move(account_id));
}

}  // namespace opentrail::iam
