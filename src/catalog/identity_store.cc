#include "catalog/identity_store.h"

#include "base/text.h"

#include <cstdint>
#include <map>

#include <fmt/format.h>

namespace opentrail::catalog {
namespace {

constexpr std::string_view kSecretLabel = "catalog.secret-keys";

// Released steps are never edited. `name_key` is the name in lower case: IAM's names are unique
// without regard to case, and no collation is the same in every database.
constexpr std::string_view kAccounts =
    "CREATE TABLE accounts (account_id TEXT PRIMARY KEY, management BIGINT NOT NULL, created_at "
    "BIGINT NOT NULL)";
constexpr std::string_view kUsers =
    "CREATE TABLE users (account_id TEXT NOT NULL, name_key TEXT NOT NULL, name TEXT NOT NULL, "
    "path TEXT NOT NULL, user_id TEXT NOT NULL UNIQUE, created_at BIGINT NOT NULL, PRIMARY KEY "
    "(account_id, name_key))";
constexpr std::string_view kTags =
    "CREATE TABLE user_tags (account_id TEXT NOT NULL, user_name TEXT NOT NULL, position BIGINT "
    "NOT NULL, tag_key TEXT NOT NULL, tag_value TEXT NOT NULL, PRIMARY KEY (account_id, "
    "user_name, position))";
constexpr std::string_view kAccessKeys =
    "CREATE TABLE access_keys (access_key_id TEXT PRIMARY KEY, account_id TEXT NOT NULL, "
    "user_name TEXT NOT NULL, sealed_secret TEXT NOT NULL, active BIGINT NOT NULL, created_at "
    "BIGINT NOT NULL)";
constexpr std::string_view kLoginProfiles =
    "CREATE TABLE login_profiles (account_id TEXT NOT NULL, user_name TEXT NOT NULL, "
    "password_hash TEXT NOT NULL, reset_required BIGINT NOT NULL, created_at BIGINT NOT NULL, "
    "PRIMARY KEY (account_id, user_name))";
constexpr std::string_view kUserPolicies =
    "CREATE TABLE user_policies (account_id TEXT NOT NULL, user_name TEXT NOT NULL, policy_arn "
    "TEXT NOT NULL, PRIMARY KEY (account_id, user_name, policy_arn))";

std::int64_t to_column(Timestamp time) { return time.time_since_epoch().count(); }
std::int64_t to_column(bool value) { return value ? 1 : 0; }
std::string to_column(std::string_view text) { return std::string(text); }

Timestamp to_timestamp(std::int64_t column) { return Timestamp(std::chrono::milliseconds(column)); }

Result<void> insert_user(sql::Transaction& inside, const UserRow& user) {
  OT_TRY_DO(
      inside.execute("INSERT INTO users (account_id, name_key, name, path, user_id, "
                     "created_at) VALUES (?, ?, ?, ?, ?, ?)",
                     {user.account_id, to_lower(user.name), user.name, user.path, user.user_id,
                      to_column(user.created_at)}));
  std::int64_t position = 0;
  for (const auto& [key, value] : user.tags) {
    OT_TRY_DO(
        inside.execute("INSERT INTO user_tags (account_id, user_name, position, tag_key, "
                       "tag_value) VALUES (?, ?, ?, ?, ?)",
                       {user.account_id, user.name, position, key, value}));
    ++position;
  }
  return {};
}

Result<void> insert_access_key(sql::Transaction& inside, const AccessKeyRow& key,
                               const std::string& sealed_secret) {
  OT_TRY_DO(
      inside.execute("INSERT INTO access_keys (access_key_id, account_id, user_name, "
                     "sealed_secret, active, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                     {key.access_key_id, key.account_id, key.user_name, sealed_secret,
                      to_column(key.active), to_column(key.created_at)}));
  return {};
}

Result<void> insert_plain_rows(sql::Transaction& inside, const Identities& rows) {
  for (const AccountRow& account : rows.accounts) {
    OT_TRY_DO(inside.execute(
        "INSERT INTO accounts (account_id, management, created_at) VALUES (?, ?, ?)",
        {account.account_id, to_column(account.management), to_column(account.created_at)}));
  }
  for (const UserRow& user : rows.users) {
    OT_TRY_DO(insert_user(inside, user));
  }
  for (const LoginProfileRow& profile : rows.login_profiles) {
    OT_TRY_DO(
        inside.execute("INSERT INTO login_profiles (account_id, user_name, password_hash, "
                       "reset_required, created_at) VALUES (?, ?, ?, ?, ?)",
                       {profile.account_id, profile.user_name, profile.password_hash,
                        to_column(profile.reset_required), to_column(profile.created_at)}));
  }
  for (const UserPolicyRow& policy : rows.user_policies) {
    OT_TRY_DO(inside.execute(
        "INSERT INTO user_policies (account_id, user_name, policy_arn) VALUES (?, ?, ?)",
        {policy.account_id, policy.user_name, policy.policy_arn}));
  }
  return {};
}

Result<void> change_one(sql::Transaction& inside, std::string_view what, std::string_view statement,
                        std::vector<sql::Value> parameters) {
  OT_TRY(const auto changed, inside.execute(statement, std::move(parameters)));
  if (changed != 1) {
    return fail(
        ErrorCode::Conflict,
        fmt::format("the catalog has {} rows of {} where it should have one", changed, what));
  }
  return {};
}

std::vector<sql::Value> columns_of(UserKey user) {
  return {to_column(user.account_id), to_column(user.name)};
}

Result<void> load_accounts(sql::Transaction& inside, Identities& all) {
  OT_TRY(const auto rows, inside.query("SELECT account_id, management, created_at FROM accounts "
                                       "ORDER BY created_at, account_id"));
  for (const sql::Row& row : rows) {
    all.accounts.push_back({row.text(0), row.integer(1) != 0, to_timestamp(row.integer(2))});
  }
  return {};
}

using TagsByUser =
    std::map<std::pair<std::string, std::string>, std::vector<std::pair<std::string, std::string>>>;

Result<TagsByUser> load_tags(sql::Transaction& inside) {
  TagsByUser tags;
  OT_TRY(const auto rows,
         inside.query("SELECT account_id, user_name, tag_key, tag_value FROM user_tags ORDER BY "
                      "account_id, user_name, position"));
  for (const sql::Row& row : rows) {
    tags[{row.text(0), row.text(1)}].emplace_back(row.text(2), row.text(3));
  }
  return tags;
}

Result<void> load_users(sql::Transaction& inside, Identities& all) {
  OT_TRY(auto tags, load_tags(inside));
  OT_TRY(const auto rows, inside.query("SELECT account_id, name, path, user_id, created_at FROM "
                                       "users ORDER BY created_at, account_id, name"));
  for (const sql::Row& row : rows) {
    UserRow user{row.text(0), row.text(1), row.text(2), row.text(3), to_timestamp(row.integer(4)),
                 {}};
    user.tags = std::move(tags[{user.account_id, user.name}]);
    all.users.push_back(std::move(user));
  }
  return {};
}

Result<void> load_login_profiles(sql::Transaction& inside, Identities& all) {
  OT_TRY(const auto rows,
         inside.query("SELECT account_id, user_name, password_hash, reset_required, created_at "
                      "FROM login_profiles ORDER BY created_at, account_id, user_name"));
  for (const sql::Row& row : rows) {
    all.login_profiles.push_back(
        {row.text(0), row.text(1), row.text(2), row.integer(3) != 0, to_timestamp(row.integer(4))});
  }
  return {};
}

Result<void> load_user_policies(sql::Transaction& inside, Identities& all) {
  OT_TRY(const auto rows, inside.query("SELECT account_id, user_name, policy_arn FROM "
                                       "user_policies ORDER BY account_id, user_name, policy_arn"));
  for (const sql::Row& row : rows) {
    all.user_policies.push_back({row.text(0), row.text(1), row.text(2)});
  }
  return {};
}

Result<void> load_access_keys(sql::Transaction& inside, const crypto::Keyring& keyring,
                              Identities& all) {
  OT_TRY(const auto rows,
         inside.query("SELECT access_key_id, account_id, user_name, sealed_secret, active, "
                      "created_at FROM access_keys ORDER BY created_at, access_key_id"));
  for (const sql::Row& row : rows) {
    AccessKeyRow key{row.text(0), row.text(1),         row.text(2),
                     {},          row.integer(4) != 0, to_timestamp(row.integer(5))};
    auto secret = keyring.unseal(kSecretLabel, key.access_key_id, row.text(3));
    if (!secret) {
      return std::unexpected(std::move(secret).error().while_doing(fmt::format(
          "read the secret of access key {} (the master key file belongs to this data folder?)",
          key.access_key_id)));
    }
    key.secret = *std::move(secret);
    all.access_keys.push_back(std::move(key));
  }
  return {};
}

}  // namespace

Result<IdentityStore> IdentityStore::open(sql::Database& database, const crypto::Keyring& keyring,
                                          io::Random& random) {
  OT_TRY_DO(database.migrate(
      "identity", {kAccounts, kUsers, kTags, kAccessKeys, kLoginProfiles, kUserPolicies}));
  return IdentityStore(database, keyring, random);
}

Result<Identities> IdentityStore::load() const {
  Identities all;
  OT_TRY_DO(database_->transaction([&](sql::Transaction& inside) -> Result<void> {
    OT_TRY_DO(load_accounts(inside, all));
    OT_TRY_DO(load_users(inside, all));
    OT_TRY_DO(load_login_profiles(inside, all));
    OT_TRY_DO(load_user_policies(inside, all));
    return load_access_keys(inside, *keyring_, all);
  }));
  return all;
}

std::string IdentityStore::sealed_secret(const AccessKeyRow& key) const {
  return keyring_->seal(kSecretLabel, key.access_key_id, key.secret, *random_);
}

Result<void> IdentityStore::add(const Identities& rows) const {
  return database_->transaction([&](sql::Transaction& inside) -> Result<void> {
    OT_TRY_DO(insert_plain_rows(inside, rows));
    for (const AccessKeyRow& key : rows.access_keys) {
      OT_TRY_DO(insert_access_key(inside, key, sealed_secret(key)));
    }
    return {};
  });
}

Result<void> IdentityStore::delete_user(UserKey user) const {
  return database_->transaction([&](sql::Transaction& inside) -> Result<void> {
    OT_TRY_DO(inside.execute("DELETE FROM user_tags WHERE account_id = ? AND user_name = ?",
                             columns_of(user)));
    return change_one(inside, "the user", "DELETE FROM users WHERE account_id = ? AND name = ?",
                      columns_of(user));
  });
}

Result<void> IdentityStore::set_access_key_active(std::string_view access_key_id,
                                                  bool active) const {
  return database_->transaction([&](sql::Transaction& inside) {
    return change_one(inside, "the access key",
                      "UPDATE access_keys SET active = ? WHERE access_key_id = ?",
                      {to_column(active), to_column(access_key_id)});
  });
}

Result<void> IdentityStore::delete_access_key(std::string_view access_key_id) const {
  return database_->transaction([&](sql::Transaction& inside) {
    return change_one(inside, "the access key", "DELETE FROM access_keys WHERE access_key_id = ?",
                      {to_column(access_key_id)});
  });
}

Result<void> IdentityStore::delete_login_profile(UserKey user) const {
  return database_->transaction([&](sql::Transaction& inside) {
    return change_one(inside, "the login profile",
                      "DELETE FROM login_profiles WHERE account_id = ? AND user_name = ?",
                      columns_of(user));
  });
}

Result<void> IdentityStore::delete_user_policy(UserKey user, std::string_view policy_arn) const {
  return database_->transaction([&](sql::Transaction& inside) {
    return change_one(inside, "the attached policy",
                      "DELETE FROM user_policies WHERE account_id = ? AND user_name = ? AND "
                      "policy_arn = ?",
                      {to_column(user.account_id), to_column(user.name), to_column(policy_arn)});
  });
}

}  // namespace opentrail::catalog
