#pragma once
#include "base/error.h"
#include "base/time.h"
#include "crypto/keyring.h"
#include "io/random.h"
#include "sql/database.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The rows behind iam: accounts, users, access keys, login profiles, attached policies, tags.
namespace opentrail::catalog {

struct AccountRow {
  std::string account_id;
  bool management = false;  ///< The account that runs the server; one of them has it.
  Timestamp created_at;
};

struct UserRow {
  std::string account_id;
  std::string name;
  std::string path;
  std::string user_id;
  Timestamp created_at;
  std::vector<std::pair<std::string, std::string>> tags;  ///< In the order they were given.
};

struct AccessKeyRow {
  std::string access_key_id;
  std::string account_id;
  std::string user_name;  ///< Empty: the root user's.
  std::string secret;     ///< In the clear here, sealed in the table.
  bool active = true;
  Timestamp created_at;
};

struct LoginProfileRow {
  std::string account_id;
  std::string user_name;
  std::string password_hash;  ///< argon2id, encoded.
  bool reset_required = false;
  Timestamp created_at;
};

struct UserPolicyRow {
  std::string account_id;
  std::string user_name;
  std::string policy_arn;
};

/// Any set of rows: all there are, or those that one change adds.
struct Identities {
  std::vector<AccountRow> accounts;
  std::vector<UserRow> users;
  std::vector<AccessKeyRow> access_keys;
  std::vector<LoginProfileRow> login_profiles;
  std::vector<UserPolicyRow> user_policies;
};

/// A user by account and exact name.
struct UserKey {
  std::string_view account_id;
  std::string_view name;
};

/// Every change is one transaction, durable when it returns. Any thread. The rules of IAM are the
/// caller's; the tables only refuse what would break them (a name twice, also in another case; a
/// key id twice): Conflict. A change that finds no row is Conflict, too: memory and disk disagree.
class IdentityStore {
 public:
  /// Makes the tables when they are missing. The references outlive the store.
  static Result<IdentityStore> open(sql::Database& database, const crypto::Keyring& keyring,
                                    io::Random& random);

  /// Everything, oldest first. Corruption when a secret was sealed under another master
  /// key or moved to another row.
  [[nodiscard]] Result<Identities> load() const;

  /// Adds all rows or none.
  [[nodiscard]] Result<void> add(const Identities& rows) const;
  /// The user and its tags.
  [[nodiscard]] Result<void> delete_user(UserKey user) const;
  [[nodiscard]] Result<void> set_access_key_active(std::string_view access_key_id,
                                                   bool active) const;
  [[nodiscard]] Result<void> delete_access_key(std::string_view access_key_id) const;
  [[nodiscard]] Result<void> delete_login_profile(UserKey user) const;
  [[nodiscard]] Result<void> delete_user_policy(UserKey user, std::string_view policy_arn) const;

 private:
  IdentityStore(sql::Database& database, const crypto::Keyring& keyring, io::Random& random)
      : database_(&database), keyring_(&keyring), random_(&random) {}
  [[nodiscard]] std::string sealed_secret(const AccessKeyRow& key) const;

  sql::Database* database_;
  const crypto::Keyring* keyring_;
  io::Random* random_;
};

}  // namespace opentrail::catalog
