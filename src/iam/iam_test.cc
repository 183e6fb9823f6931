// Goal: operations keep IAM's rules and words, what they change is there after reopening, a change
// that fails on disk changes nothing, and no secret is in the file in the clear. Method: a catalog
// in a fresh folder, a clock that stands still.
#include "iam/iam.h"

#include "crypto/hash.h"
#include "crypto/password.h"
#include "io/filesystem.h"
#include "io/temp_folder.h"
#include "sql/database.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace opentrail::iam {
namespace {

namespace sigv4 = crypto::sigv4;

constexpr std::uint64_t kSeed = 20261125;
const std::string kAccount = "111122223333";
const std::string kPassword = "Correct-Horse-1";
const std::string kAdministrator(kKnownPolicies[0]);
const std::string kFullAccess(kKnownPolicies[1]);
const std::string kReadOnly(kKnownPolicies[2]);

const Timestamp kNow = parse_iso("2026-11-24T08:46:13Z").value();

struct IamTest : testing::Test {
  IamTest() {
    RecordProperty("seed", std::to_string(kSeed));
    reopen();
    first = iam->bootstrap().value();
  }
  void reopen(std::string account_id = kAccount) {
    iam.reset();
    database.reset();
    database = sql::Database::open_sqlite(io::join_path(folder.path(), "catalog.db")).value();
    iam = Iam::open(*database, keyring, random, clock, {std::move(account_id)}).value();
  }

  Authentication call_with(const std::string& key_id, const std::string& secret) {
    sigv4::SignedRequest request{"POST", "/", "", {{"Host", "localhost"}}};
    const auto added = sigv4::sign(request, {key_id, secret, {}}, "us-east-1", "cloudtrail",
                                   clock.now(), sigv4::kEmptySha256);
    for (const auto& [name, value] : added) {
      request.headers.emplace_back(name, value);
    }
    return iam->authenticate(request,
                             {std::string(sigv4::kEmptySha256), ErrorStyle::Json, "cloudtrail"});
  }
  /// The verified caller of a key.
  Caller caller_of(const NewAccessKey& key) {
    const auto out = call_with(key.key.access_key_id, key.secret_access_key);
    EXPECT_EQ(out.error_message, "");
    return out.caller.value();
  }
  Caller new_user(const std::string& name, const std::vector<std::string>& policies = {}) {
    EXPECT_TRUE(iam->create_user(kAccount, name, "/", {}));
    for (const auto& policy : policies) {
      EXPECT_TRUE(iam->attach_user_policy(kAccount, name, policy));
    }
    return caller_of(iam->create_access_key(kAccount, name).value());
  }

  io::TempFolder folder;
  std::unique_ptr<io::Filesystem> files = io::make_posix_filesystem();
  io::SeededRandom random{kSeed};
  io::FakeClock clock{kNow};
  crypto::Keyring keyring =
      crypto::Keyring::open(*files, random, io::join_path(folder.path(), "master.key")).value();
  std::unique_ptr<sql::Database> database;
  std::unique_ptr<Iam> iam;
  std::optional<Bootstrap> first;
};

template <typename T>
void expect_error(const Result<T>& result, std::string_view code, std::string_view message) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reason(), code);
  EXPECT_EQ(result.error().message(), message);
}

TEST_F(IamTest, FirstStartMakesTheAccountOnce) {
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(iam->account_id(), kAccount);
  const Caller admin = caller_of(first->admin);
  EXPECT_EQ(admin.arn, "arn:aws:iam::111122223333:user/admin");
  EXPECT_EQ(admin.user_name, "admin");
  EXPECT_FALSE(admin.root);
  EXPECT_TRUE(iam->is_administrator(admin));
  const Caller root = caller_of(first->root);
  EXPECT_TRUE(root.root);
  EXPECT_EQ(root.arn, "arn:aws:iam::111122223333:root");
  EXPECT_EQ(root.principal_id, kAccount);
  EXPECT_TRUE(iam->is_administrator(root));

  EXPECT_EQ(iam->bootstrap().value(), std::nullopt);
  reopen("999999999999");  // the catalog's account stands
  EXPECT_EQ(iam->account_id(), kAccount);
  EXPECT_EQ(iam->bootstrap().value(), std::nullopt);
  EXPECT_TRUE(iam->is_administrator(caller_of(first->root)));
}

TEST(IamBootstrap, MakesNothingWhenTheKeysCannotBeKept) {
  const io::TempFolder folder;
  const auto files = io::make_posix_filesystem();
  io::SeededRandom random(kSeed);
  const io::FakeClock clock(kNow);
  const auto keyring =
      crypto::Keyring::open(*files, random, io::join_path(folder.path(), "master.key")).value();
  const auto catalog =
      sql::Database::open_sqlite(io::join_path(folder.path(), "catalog.db")).value();
  const auto iam = Iam::open(*catalog, keyring, random, clock, {kAccount}).value();
  const auto refused = iam->bootstrap(
      [](const Bootstrap&) { return fail(ErrorCode::ResourceExhausted, "no space"); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::ResourceExhausted);
  EXPECT_TRUE(iam->bootstrap().value()) << "the next start makes them";
}

TEST_F(IamTest, RefusesAnAccountIdThatIsNone) {
  for (const auto* const id : {"", "12345678901", "1234567890123", "12345678901a"}) {
    const auto opened = Iam::open(*database, keyring, random, clock, {id});
    ASSERT_FALSE(opened.has_value()) << id;
    EXPECT_EQ(opened.error().code(), ErrorCode::InvalidArgument);
  }
}

TEST_F(IamTest, IdsHaveTheFormOfAws) {
  const User user = iam->create_user(kAccount, "alice", "/", {}).value();
  EXPECT_TRUE(std::regex_match(user.user_id, std::regex("AIDA[A-Z2-7]{17}")));
  const NewAccessKey key = iam->create_access_key(kAccount, "alice").value();
  EXPECT_TRUE(std::regex_match(key.key.access_key_id, std::regex("AKIA[A-Z2-7]{16}")));
  EXPECT_TRUE(std::regex_match(key.secret_access_key, std::regex("[A-Za-z0-9+/]{40}")));
}

TEST_F(IamTest, RecordsNameTheCallerAndOnlyTheVerifiedByArn) {
  const auto admin = caller_of(first->admin).identity();
  EXPECT_EQ(admin.type, "IAMUser");
  EXPECT_EQ(admin.user_name, "admin");
  EXPECT_EQ(admin.arn, "arn:aws:iam::111122223333:user/admin");
  EXPECT_EQ(admin.access_key_id, first->admin.key.access_key_id);
  const auto root = caller_of(first->root).identity();
  EXPECT_EQ(root.type, "Root");
  EXPECT_EQ(root.principal_id, kAccount);
  EXPECT_EQ(root.user_name, "");

  const auto refused = call_with(first->admin.key.access_key_id, "wrong");
  EXPECT_EQ(refused.error_code, "InvalidSignatureException");
  ASSERT_TRUE(refused.caller.has_value());
  EXPECT_EQ(refused.caller->identity().arn, "");
  EXPECT_EQ(refused.caller->identity().principal_id, admin.principal_id);
  EXPECT_FALSE(iam->is_administrator(*refused.caller));
  EXPECT_TRUE(iam->deny_reason(*refused.caller, "sts:GetCallerIdentity", "*").has_value());
}

// --- Users
// ----------------------------------------------------------------------------------------

TEST_F(IamTest, UsersAreListedByNameAndPath) {
  for (const auto* const name : {"carol", "Bob", "alice"}) {
    ASSERT_TRUE(iam->create_user(kAccount, name, "/team/", {{"k", "v"}}));
  }
  reopen();
  const auto all = iam->users(kAccount, "").value();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].name, "Bob");
  EXPECT_EQ(all[1].name, "admin");
  EXPECT_EQ(all[2].name, "alice");
  EXPECT_EQ(all[2].arn(), "arn:aws:iam::111122223333:user/team/alice");
  EXPECT_EQ(all[2].created_at, kNow);
  EXPECT_EQ(all[2].tags.size(), 1U);
  EXPECT_EQ(iam->users(kAccount, "/team/")->size(), 3U);
  EXPECT_TRUE(iam->users(kAccount, "/other/")->empty());
  EXPECT_TRUE(iam->users("999999999999", "")->empty());
  expect_error(iam->users(kAccount, "team"), "ValidationError",
               "The specified value for pathPrefix is invalid. It must begin with / and contain "
               "only alphanumeric characters and/or / characters.");
}

TEST_F(IamTest, AUserIsFoundByItsExactNameOnly) {
  ASSERT_TRUE(iam->create_user(kAccount, "Alice", "/", {}));
  expect_error(iam->user(kAccount, "alice"), "NoSuchEntity",
               "The user with name alice cannot be found.");
  expect_error(iam->user(kAccount, ""), "NoSuchEntity", "The user with name  cannot be found.");
  expect_error(iam->user("999999999999", "Alice"), "NoSuchEntity",
               "The user with name Alice cannot be found.");
  expect_error(iam->create_user(kAccount, "ALICE", "/", {}), "EntityAlreadyExists",
               "User with name ALICE already exists.");
  expect_error(iam->create_user("999999999999", "alice", "/", {}), "NoSuchEntity",
               "The account 999999999999 cannot be found.");
}

TEST_F(IamTest, NothingIsMadeUnderABrokenName) {
  expect_error(iam->create_user(kAccount, "a b", "/", {}), "ValidationError",
               "The specified value for userName is invalid. It must contain only alphanumeric "
               "characters and/or the following: +=,.@_-");
  EXPECT_EQ(iam->create_user(kAccount, "a", "team", {}).error().reason(), "ValidationError");
  EXPECT_EQ(iam->create_user(kAccount, "a", "/", {{"", ""}}).error().reason(), "ValidationError");
  EXPECT_EQ(iam->users(kAccount, "")->size(), 1U);
}

TEST_F(IamTest, AUserIsDeletedOnceNothingHangsOnIt) {
  ASSERT_TRUE(iam->create_user(kAccount, "alice", "/", {{"k", "v"}}));
  const auto key = iam->create_access_key(kAccount, "alice").value();
  ASSERT_TRUE(iam->attach_user_policy(kAccount, "alice", kReadOnly));
  ASSERT_TRUE(iam->create_login_profile(kAccount, "alice", kPassword, false));

  expect_error(iam->delete_user(kAccount, "alice"), "DeleteConflict",
               "Cannot delete entity, must delete access keys first.");
  ASSERT_TRUE(iam->delete_access_key(kAccount, "alice", key.key.access_key_id));
  expect_error(iam->delete_user(kAccount, "alice"), "DeleteConflict",
               "Cannot delete entity, must detach all policies first.");
  ASSERT_TRUE(iam->detach_user_policy(kAccount, "alice", kReadOnly));
  expect_error(iam->delete_user(kAccount, "alice"), "DeleteConflict",
               "Cannot delete entity, must delete login profile first.");
  ASSERT_TRUE(iam->delete_login_profile(kAccount, "alice"));
  ASSERT_TRUE(iam->delete_user(kAccount, "alice"));
  expect_error(iam->delete_user(kAccount, "alice"), "NoSuchEntity",
               "The user with name alice cannot be found.");
  EXPECT_EQ(iam->delete_user(kAccount, "").error().reason(), "NoSuchEntity");
  reopen();
  EXPECT_FALSE(iam->user(kAccount, "alice").has_value());
  ASSERT_TRUE(iam->create_user(kAccount, "Alice", "/", {}));
  EXPECT_TRUE(iam->user(kAccount, "Alice")->tags.empty());
}

TEST_F(IamTest, AnAccountHasABoundOfUsers) {
  // Straight into the catalog: 5000 transactions would only measure the disk.
  ASSERT_TRUE(database->transaction([](sql::Transaction& inside) -> Result<void> {
    for (std::size_t i = 1; i < kUsersMax; ++i) {
      const auto name = fmt::format("user{}", i);
      OT_TRY_DO(inside.execute(
          "INSERT INTO users (account_id, name_key, name, path, user_id, created_at) VALUES (?, "
          "?, ?, '/', ?, 0)",
          {kAccount, name, name, "AIDA" + name}));
    }
    return {};
  }));
  reopen();
  ASSERT_EQ(iam->users(kAccount, "")->size(), kUsersMax);
  expect_error(iam->create_user(kAccount, "one-more", "/", {}), "LimitExceeded",
               "Cannot exceed quota for UsersPerAccount: 5000");
  ASSERT_TRUE(iam->delete_user(kAccount, "user7"));
  EXPECT_TRUE(iam->create_user(kAccount, "one-more", "/", {}));
}

// --- Access keys
// ----------------------------------------------------------------------------------

TEST_F(IamTest, AUserHasAtMostTwoKeysAndRootToo) {
  const Caller alice = new_user("alice");
  clock.advance(std::chrono::seconds(1));
  const auto second = iam->create_access_key(kAccount, "alice").value();
  EXPECT_EQ(second.key.created_at, clock.now());
  expect_error(iam->create_access_key(kAccount, "alice"), "LimitExceeded",
               "Cannot exceed quota for AccessKeysPerUser: 2");
  ASSERT_TRUE(iam->create_access_key(kAccount, ""));
  expect_error(iam->create_access_key(kAccount, ""), "LimitExceeded",
               "Cannot exceed quota for AccessKeysPerUser: 2");
  expect_error(iam->create_access_key(kAccount, "bob"), "NoSuchEntity",
               "The user with name bob cannot be found.");
  reopen();
  const auto keys = iam->access_keys(kAccount, "alice").value();
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].access_key_id, alice.access_key_id);
  EXPECT_EQ(keys[1].access_key_id, second.key.access_key_id);
  EXPECT_EQ(iam->access_keys(kAccount, "")->size(), 2U);
  EXPECT_EQ(caller_of(second).user_name, "alice");
}

TEST_F(IamTest, AKeyIsSwitchedOffAndOnAndDeleted) {
  ASSERT_TRUE(iam->create_user(kAccount, "alice", "/", {}));
  const auto key = iam->create_access_key(kAccount, "alice").value();
  const std::string& id = key.key.access_key_id;
  ASSERT_TRUE(iam->update_access_key(kAccount, "alice", id, false));
  EXPECT_FALSE(iam->access_keys(kAccount, "alice")->front().active);
  const auto refused = call_with(id, key.secret_access_key);
  EXPECT_EQ(refused.error_code, "UnrecognizedClientException");
  EXPECT_EQ(refused.caller->user_name, "alice");
  reopen();
  EXPECT_FALSE(iam->access_keys(kAccount, "alice")->front().active);
  ASSERT_TRUE(iam->update_access_key(kAccount, "alice", id, true));
  EXPECT_TRUE(caller_of(key).verified);

  ASSERT_TRUE(iam->delete_access_key(kAccount, "alice", id));
  EXPECT_FALSE(call_with(id, key.secret_access_key).caller.has_value());
  expect_error(iam->delete_access_key(kAccount, "alice", id), "NoSuchEntity",
               fmt::format("The Access Key with id {} cannot be found.", id));
  reopen();
  EXPECT_FALSE(call_with(id, key.secret_access_key).caller.has_value());
}

TEST_F(IamTest, AKeyOfAnotherUserIsNotTouched) {
  const Caller alice = new_user("alice");
  new_user("bob");
  const auto text = fmt::format("The Access Key with id {} cannot be found.", alice.access_key_id);
  for (const std::string name : {"bob", ""}) {
    expect_error(iam->delete_access_key(kAccount, name, alice.access_key_id), "NoSuchEntity", text);
    expect_error(iam->update_access_key(kAccount, name, alice.access_key_id, false), "NoSuchEntity",
                 text);
  }
  expect_error(iam->update_access_key(kAccount, "carol", alice.access_key_id, false),
               "NoSuchEntity", "The user with name carol cannot be found.");
  EXPECT_TRUE(iam->access_keys(kAccount, "alice")->front().active);
}

// --- Login profiles
// -------------------------------------------------------------------------------

TEST_F(IamTest, ALoginProfileKeepsAHashOnly) {
  ASSERT_TRUE(iam->create_user(kAccount, "alice", "/", {}));
  EXPECT_EQ(iam->create_login_profile(kAccount, "alice", kPassword, true).value(), kNow);
  expect_error(iam->create_login_profile(kAccount, "alice", kPassword, true), "EntityAlreadyExists",
               "Login Profile for user alice already exists.");
  const auto rows = database->query("SELECT password_hash, reset_required FROM login_profiles");
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_TRUE(crypto::verify_password(rows->front().text(0), kPassword));
  EXPECT_EQ(rows->front().integer(1), 1);
  reopen();
  ASSERT_TRUE(iam->delete_login_profile(kAccount, "alice"));
  expect_error(iam->delete_login_profile(kAccount, "alice"), "NoSuchEntity",
               "Login Profile for User alice cannot be found.");
  EXPECT_EQ(iam->delete_login_profile(kAccount, "bob").error().reason(), "NoSuchEntity");
  expect_error(iam->create_login_profile(kAccount, "bob", kPassword, false), "NoSuchEntity",
               "The user with name bob cannot be found.");
}

TEST_F(IamTest, AWeakPasswordIsRefused) {
  ASSERT_TRUE(iam->create_user(kAccount, "alice", "/", {}));
  EXPECT_EQ(iam->create_login_profile(kAccount, "alice", "short", false).error().reason(),
            "PasswordPolicyViolation");
}

// --- Policies
// -------------------------------------------------------------------------------------

TEST_F(IamTest, PoliciesAreAttachedOnceAndDetached) {
  ASSERT_TRUE(iam->create_user(kAccount, "alice", "/", {}));
  ASSERT_TRUE(iam->attach_user_policy(kAccount, "alice", kReadOnly));
  ASSERT_TRUE(iam->attach_user_policy(kAccount, "alice", kReadOnly));
  ASSERT_TRUE(iam->attach_user_policy(kAccount, "alice", kFullAccess));
  reopen();
  EXPECT_EQ(iam->attached_user_policies(kAccount, "alice")->size(), 2U);
  expect_error(iam->attach_user_policy(kAccount, "alice", "arn:aws:iam::aws:policy/PowerUser"),
               "NoSuchEntity",
               "Policy arn:aws:iam::aws:policy/PowerUser does not exist or is not attachable.");
  ASSERT_TRUE(iam->detach_user_policy(kAccount, "alice", kReadOnly));
  expect_error(iam->detach_user_policy(kAccount, "alice", kReadOnly), "NoSuchEntity",
               fmt::format("Policy {} was not found.", kReadOnly));
  expect_error(iam->attached_user_policies(kAccount, "bob"), "NoSuchEntity",
               "The user with name bob cannot be found.");
  EXPECT_EQ(iam->attach_user_policy(kAccount, "", kReadOnly).error().reason(), "NoSuchEntity");
  reopen();
  EXPECT_EQ(iam->attached_user_policies(kAccount, "alice").value(),
            std::vector<std::string>{kFullAccess});
}

TEST_F(IamTest, AttachedPoliciesAreBounded) {
  ASSERT_TRUE(iam->create_user(kAccount, "alice", "/", {}));
  // No ten policies are known, so the rows of a later version stand in for them.
  for (std::size_t i = 0; i < kPoliciesPerUserMax; ++i) {
    ASSERT_TRUE(database->execute("INSERT INTO user_policies VALUES (?, 'alice', ?)",
                                  {kAccount, fmt::format("arn:aws:iam::aws:policy/Later{}", i)}));
  }
  reopen();
  expect_error(iam->attach_user_policy(kAccount, "alice", kReadOnly), "LimitExceeded",
               "Cannot exceed quota for PoliciesPerUser: 10");
}

TEST_F(IamTest, ACallIsAllowedByAnyOfTheUsersPolicies) {
  const auto allowed = [this](const Caller& caller, std::string_view action) {
    return !iam->deny_reason(caller, action, "*").has_value();
  };
  const Caller reader = new_user("reader", {kReadOnly});
  const Caller both = new_user("both", {kReadOnly, kFullAccess});
  const Caller nothing = new_user("nothing");
  for (const Caller& caller : {caller_of(first->admin), caller_of(first->root)}) {
    EXPECT_TRUE(allowed(caller, "iam:CreateUser"));
  }
  EXPECT_TRUE(allowed(both, "cloudtrail:CreateTrail"));
  EXPECT_TRUE(allowed(both, "cloudtrail:LookupEvents"));
  EXPECT_FALSE(allowed(both, "iam:CreateUser"));
  EXPECT_TRUE(allowed(reader, "cloudtrail:LookupEvents"));
  EXPECT_FALSE(allowed(reader, "cloudtrail:CreateTrail"));
  EXPECT_FALSE(allowed(nothing, "cloudtrail:LookupEvents"));
  EXPECT_TRUE(allowed(nothing, "sts:GetCallerIdentity"));
  EXPECT_FALSE(iam->is_administrator(both));
  ASSERT_TRUE(iam->detach_user_policy(kAccount, "reader", kReadOnly));
  EXPECT_FALSE(allowed(reader, "cloudtrail:LookupEvents"));

  EXPECT_EQ(iam->deny_reason(nothing, "cloudtrail:CreateTrail", "arn:aws:cloudtrail:r:1:trail/t"),
            "User: arn:aws:iam::111122223333:user/nothing is not authorized to perform: "
            "cloudtrail:CreateTrail on resource: arn:aws:cloudtrail:r:1:trail/t because no "
            "identity-based policy allows the cloudtrail:CreateTrail action");
}

TEST_F(IamTest, AUserThatWasMadeAnewHasNothingOfTheOldCaller) {
  ASSERT_TRUE(iam->create_user(kAccount, "alice", "/", {}));
  const auto key = iam->create_access_key(kAccount, "alice").value();
  const Caller old = caller_of(key);
  ASSERT_TRUE(iam->delete_access_key(kAccount, "alice", key.key.access_key_id));
  ASSERT_TRUE(iam->delete_user(kAccount, "alice"));
  new_user("alice", {kAdministrator});
  EXPECT_TRUE(iam->deny_reason(old, "cloudtrail:LookupEvents", "*").has_value());
  EXPECT_FALSE(iam->is_administrator(old));
}

// --- Disk
// -----------------------------------------------------------------------------------------

TEST_F(IamTest, NoSecretIsInTheFileInTheClear) {
  ASSERT_TRUE(iam->create_user(kAccount, "alice", "/", {}));
  const auto key = iam->create_access_key(kAccount, "alice").value();
  ASSERT_TRUE(iam->create_login_profile(kAccount, "alice", kPassword, false));
  std::string bytes;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    std::ifstream file(entry.path(), std::ios::binary);
    bytes.append(std::istreambuf_iterator<char>(file), {});
  }
  EXPECT_NE(bytes.find(key.key.access_key_id), std::string::npos);
  for (const auto& secret : {key.secret_access_key, first->admin.secret_access_key,
                             first->root.secret_access_key, kPassword}) {
    EXPECT_EQ(bytes.find(secret), std::string::npos);
  }
}

TEST_F(IamTest, AnotherMasterKeyIsRefusedAtTheStart) {
  const auto other =
      crypto::Keyring::open(*files, random, io::join_path(folder.path(), "other.key")).value();
  const auto opened = Iam::open(*database, other, random, clock, {kAccount});
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::Corruption);
}

TEST_F(IamTest, RowsWithoutTheirUserAreRefusedAtTheStart) {
  ASSERT_TRUE(database->execute("DELETE FROM users WHERE name = 'admin'"));
  const auto opened = Iam::open(*database, keyring, random, clock, {kAccount});
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::Corruption);
  EXPECT_NE(opened.error().message().find("admin"), std::string::npos);
}

TEST_F(IamTest, AChangeThatDoesNotReachTheDiskChangesNothing) {
  ASSERT_TRUE(iam->create_user(kAccount, "alice", "/", {}));
  const auto key = iam->create_access_key(kAccount, "alice").value();
  for (const auto* const table : {"users", "access_keys", "user_policies"}) {
    ASSERT_TRUE(database->execute(fmt::format("ALTER TABLE {0} RENAME TO {0}_gone", table)));
  }
  const auto made = iam->create_user(kAccount, "bob", "/", {});
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().reason(), "");
  EXPECT_FALSE(iam->user(kAccount, "bob").has_value());
  EXPECT_FALSE(iam->create_access_key(kAccount, "alice").has_value());
  EXPECT_EQ(iam->access_keys(kAccount, "alice")->size(), 1U);
  EXPECT_FALSE(iam->update_access_key(kAccount, "alice", key.key.access_key_id, false));
  EXPECT_FALSE(iam->delete_access_key(kAccount, "alice", key.key.access_key_id));
  EXPECT_TRUE(caller_of(key).verified);
  EXPECT_FALSE(iam->attach_user_policy(kAccount, "alice", kAdministrator));
  EXPECT_TRUE(iam->attached_user_policies(kAccount, "alice")->empty());
}

TEST_F(IamTest, CallsAreCheckedWhileUsersChange) {
  const Caller admin = caller_of(first->admin);
  std::atomic<bool> done = false;
  std::atomic<int> refused = 0;
  std::thread reader([&] {
    while (!done) {
      const auto out = call_with(first->admin.key.access_key_id, first->admin.secret_access_key);
      refused += out.error_code.empty() && !iam->deny_reason(admin, "iam:CreateUser", "*") ? 0 : 1;
    }
  });
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 3; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 10; ++i) {
        const auto name = fmt::format("user-{}-{}", writer, i);
        EXPECT_TRUE(iam->create_user(kAccount, name, "/", {}));
        EXPECT_TRUE(iam->create_access_key(kAccount, name));
      }
    });
  }
  for (auto& writer : writers) {
    writer.join();
  }
  done = true;
  reader.join();
  EXPECT_EQ(refused, 0);
  reopen();
  EXPECT_EQ(iam->users(kAccount, "/")->size(), 31U);
}

TEST_F(IamTest, OfManyWhoWantTheLastKeyOneGetsIt) {
  ASSERT_TRUE(iam->create_user(kAccount, "alice", "/", {}));
  std::atomic<std::size_t> made = 0;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 8; ++writer) {
    writers.emplace_back(
        [&] { made += iam->create_access_key(kAccount, "alice").has_value() ? 1 : 0; });
  }
  for (auto& writer : writers) {
    writer.join();
  }
  EXPECT_EQ(made, kAccessKeysPerUserMax);
}

}  // namespace
}  // namespace opentrail::iam
