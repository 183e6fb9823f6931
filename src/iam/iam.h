#pragma once
#include "base/error.h"
#include "base/time.h"
#include "crypto/keyring.h"
#include "crypto/sigv4.h"
#include "io/clock.h"
#include "io/random.h"
#include "record/builder.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace opentrail::sql {
class Database;
}

/// Who may call: accounts, users, access keys, attached policies, and the check of a signature.
/// The state lives in the catalog and is held in memory; reads take no SQL. Any thread.
namespace opentrail::iam {

inline constexpr std::size_t kUsersMax = 5000;  ///< An account; IAM's own quota.
inline constexpr std::size_t kAccessKeysPerUserMax = 2;
inline constexpr std::size_t kPoliciesPerUserMax = 10;
inline constexpr std::size_t kTagsPerUserMax = 50;

struct User {
  std::string account_id;
  std::string name;
  std::string path = "/";
  std::string user_id;  ///< "AIDA" + 17 of [A-Z2-7].
  Timestamp created_at;
  std::vector<std::pair<std::string, std::string>> tags;
  [[nodiscard]] std::string arn() const;  ///< arn:aws:iam::A:user/path/name
};

struct AccessKey {
  std::string access_key_id;  ///< "AKIA" + 16 of [A-Z2-7].
  std::string account_id;
  std::string user_name;  ///< Empty: the root user's key.
  bool active = true;
  Timestamp created_at;
};

struct NewAccessKey {
  AccessKey key;
  std::string secret_access_key;  ///< Shown once: 40 characters.
};

/// Who made a call. `verified` is false when the access key is known but the signature did not
/// hold: the record of such a call names whom the caller claimed to be, without an ARN, as
/// CloudTrail does for a failed sign-in.
struct Caller {
  std::string account_id;
  std::string access_key_id;
  std::string user_name;     ///< Empty for root.
  std::string principal_id;  ///< AIDA..., or the account id for root.
  std::string arn;
  bool root = false;
  bool verified = false;
  [[nodiscard]] record::UserIdentity identity() const;
};

/// An answer of the signature check: either a verified caller, or the AWS error and, where the
/// access key is known, the caller it claims to be.
struct Authentication {
  std::optional<Caller> caller;  ///< Present when an account can be named.
  std::string error_code;        ///< Empty when verified; else "InvalidSignatureException", ...
  std::string error_message;     ///< AWS's text (spec api §1.3).
  crypto::sigv4::Claim claim;    ///< Region and service of the scope; valid when parsed.
  bool claim_parsed = false;
  std::string signing_key;  ///< For the chunks of a streaming upload; secret.
};

/// Whose words a refusal is told in, and whose rules hold: S3 encodes the path once and forgives 15
/// minutes of clock skew, the others encode it twice and forgive 5.
enum class ErrorStyle : std::uint8_t { Json, Query, S3 };

struct AuthenticateOptions {
  std::string payload_hash;  ///< As the canonical request needs it.
  ErrorStyle style = ErrorStyle::Json;
  std::string expected_service;  ///< The SigV4 service name the scope must name; empty: any.
};

struct AccountOptions {
  std::string account_id = "123456789012";
};

/// AWS managed policies that are known (the full engine is a later step).
inline constexpr std::string_view kKnownPolicies[] = {
    "arn:aws:iam::aws:policy/AdministratorAccess",
    "arn:aws:iam::aws:policy/AWSCloudTrail_FullAccess",
    "arn:aws:iam::aws:policy/AWSCloudTrail_ReadOnlyAccess",
};

/// What first start made, for the credentials file; secrets are shown here once.
struct Bootstrap {
  NewAccessKey admin;
  NewAccessKey root;
};

class Iam {
 public:
  /// What is passed by reference outlives the Iam. Errors: InvalidArgument when the account id
  /// is not 12 digits; Corruption when a secret cannot be read with this keyring; those of the
  /// catalog.
  static Result<std::unique_ptr<Iam>> open(sql::Database& catalog, const crypto::Keyring& keyring,
                                           io::Random& random, const io::Clock& clock,
                                           const AccountOptions& options);
  virtual ~Iam() = default;

  /// The management account's id, as it was made on first start: the catalog's word stands over
  /// AccountOptions.
  [[nodiscard]] virtual const std::string& account_id() const = 0;
  /// Makes account, root key and the user "admin" with AdministratorAccess when the catalog has
  /// none; empty afterwards.
  /// `keep` gets the keys before they are in force, and its error ends the whole: so no account is
  /// ever left whose keys nobody has. It may be called again by the next start.
  using KeepKeys = std::function<Result<void>(const Bootstrap&)>;
  virtual Result<std::optional<Bootstrap>> bootstrap(const KeepKeys& keep) = 0;
  Result<std::optional<Bootstrap>> bootstrap() {
    return bootstrap([](const Bootstrap&) { return Result<void>(); });
  }

  /// Checks in the order of spec api §1.3. Never fails: the outcome is a value.
  virtual Authentication authenticate(const crypto::sigv4::SignedRequest& request,
                                      const AuthenticateOptions& options) = 0;
  /// `action`: "cloudtrail:CreateTrail". Absent when allowed; else AWS's text ("User: ... is not
  /// authorized to perform: ... on resource: ... because no identity-based policy allows the ...
  /// action").
  [[nodiscard]] virtual std::optional<std::string> deny_reason(const Caller& caller,
                                                               std::string_view action,
                                                               std::string_view resource) = 0;
  /// True for root and for users with AdministratorAccess in the management account.
  [[nodiscard]] virtual bool is_administrator(const Caller& caller) = 0;

  // Operations. Errors carry the IAM error code in reason(): NoSuchEntity, EntityAlreadyExists,
  // DeleteConflict, LimitExceeded, ValidationError, InvalidInput, PasswordPolicyViolation; the
  // message is IAM's text. An error without a reason is the catalog's: nothing was changed here,
  // and what the disk holds is what counts after the next start. Changes are durable when they
  // return and block for it; they never make a read wait for the disk.
  //
  // A user is found by its exact name; a new name that differs from another only in case is taken.
  // For access keys an empty user name means the root user.
  virtual Result<User> create_user(const std::string& account_id, const std::string& name,
                                   const std::string& path,
                                   std::vector<std::pair<std::string, std::string>> tags) = 0;
  virtual Result<User> user(const std::string& account_id, const std::string& name) = 0;
  /// Sorted by name, byte by byte. An empty prefix means all.
  virtual Result<std::vector<User>> users(const std::string& account_id,
                                          const std::string& path_prefix) = 0;
  virtual Result<void> delete_user(const std::string& account_id, const std::string& name) = 0;

  virtual Result<NewAccessKey> create_access_key(const std::string& account_id,
                                                 const std::string& user_name) = 0;
  virtual Result<std::vector<AccessKey>> access_keys(const std::string& account_id,
                                                     const std::string& user_name) = 0;
  virtual Result<void> update_access_key(const std::string& account_id,
                                         const std::string& user_name,
                                         const std::string& access_key_id, bool active) = 0;
  virtual Result<void> delete_access_key(const std::string& account_id,
                                         const std::string& user_name,
                                         const std::string& access_key_id) = 0;

  /// Keeps a hash only. The password must be of IAM's default policy: 8 to 128 characters, three of
  /// the four kinds. Slow by design (argon2id).
  virtual Result<Timestamp> create_login_profile(const std::string& account_id,
                                                 const std::string& user_name,
                                                 const std::string& password,
                                                 bool reset_required) = 0;
  virtual Result<void> delete_login_profile(const std::string& account_id,
                                            const std::string& user_name) = 0;

  /// Attaching twice, or in another order, changes nothing.
  virtual Result<void> attach_user_policy(const std::string& account_id,
                                          const std::string& user_name,
                                          const std::string& policy_arn) = 0;
  virtual Result<void> detach_user_policy(const std::string& account_id,
                                          const std::string& user_name,
                                          const std::string& policy_arn) = 0;
  virtual Result<std::vector<std::string>> attached_user_policies(const std::string& account_id,
                                                                  const std::string& user_name) = 0;
};

}  // namespace opentrail::iam
