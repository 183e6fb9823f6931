#pragma once
#include "catalog/identity_store.h"
#include "iam/authenticate.h"
#include "iam/iam.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

/// All identities in memory: what the catalog holds, ready for look-ups. Not synchronised.
namespace opentrail::iam {

/// A user with what hangs on it, or the root user of an account (empty name).
struct Principal {
  User user;
  std::vector<std::string> access_key_ids;  ///< Oldest first.
  std::vector<std::string> policy_arns;
  bool has_login_profile = false;

  [[nodiscard]] bool is_root() const { return user.name.empty(); }
  [[nodiscard]] bool has_key(std::string_view access_key_id) const;
  [[nodiscard]] bool has_policy(std::string_view policy_arn) const;
};

class Directory {
 public:
  /// Corruption when a row names a user or an account that no row makes.
  static Result<Directory> from(const catalog::Identities& rows);
  /// The rows of one change, in the same way.
  Result<void> add(const catalog::Identities& rows);

  /// The account that runs the server; empty when there is no account at all.
  [[nodiscard]] const std::string& management_account() const { return management_account_; }
  [[nodiscard]] bool has_account(std::string_view account_id) const;
  [[nodiscard]] std::size_t user_count(std::string_view account_id) const;
  /// True when some user has this name, in whatever case.
  [[nodiscard]] bool is_name_taken(std::string_view account_id, std::string_view name) const;

  /// By exact name; root when it is empty. Null when there is none.
  [[nodiscard]] const Principal* find(std::string_view account_id, std::string_view name) const;
  /// Not root; sorted by name.
  [[nodiscard]] std::vector<User> users(std::string_view account_id,
                                        std::string_view path_prefix) const;
  [[nodiscard]] std::vector<AccessKey> access_keys(const Principal& principal) const;
  [[nodiscard]] std::optional<KnownKey> known_key(std::string_view access_key_id) const;

  // Changes to what find() has shown to be there.
  void remove_user(std::string_view account_id, std::string_view name);
  void set_access_key_active(std::string_view access_key_id, bool active);
  void remove_access_key(std::string_view access_key_id);
  void remove_login_profile(std::string_view account_id, std::string_view name);
  void remove_policy(std::string_view account_id, std::string_view name,
                     std::string_view policy_arn);

 private:
  struct StoredKey {
    AccessKey key;
    std::string secret;
  };
  /// Account and name in lower case: root first, then the users of the account.
  using PrincipalKey = std::pair<std::string, std::string>;

  static PrincipalKey key_of(std::string_view account_id, std::string_view name);
  Principal* find_mutable(std::string_view account_id, std::string_view name);
  Result<Principal*> owner(std::string_view account_id, std::string_view name);

  std::map<PrincipalKey, Principal> principals_;
  std::unordered_map<std::string, StoredKey> access_keys_;
  std::string management_account_;
};

}  // namespace opentrail::iam
