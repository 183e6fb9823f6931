// Goal: rows come back as they were added, a change is whole or nothing and finds exactly its row,
// and no secret lies in the file in the clear. Method: a SQLite file in a fresh folder, reopened.
#include "catalog/identity_store.h"

#include "io/filesystem.h"
#include "io/temp_folder.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include <gtest/gtest.h>

namespace opentrail::catalog {
namespace {

constexpr std::uint64_t kSeed = 20261124;
constexpr std::string_view kAccount = "123456789012";
constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

Timestamp at(std::int64_t seconds) { return Timestamp(std::chrono::seconds(seconds)); }

UserRow user_row(std::string name, std::int64_t created) {
  return {std::string(kAccount), name, "/team/", "AIDA" + name, at(created), {}};
}

AccessKeyRow key_row(std::string id, std::string user, std::int64_t created) {
  return {std::move(id), std::string(kAccount), std::move(user), std::string(kSecret), true,
          at(created)};
}

struct IdentityStoreTest : testing::Test {
  IdentityStoreTest() {
    RecordProperty("seed", std::to_string(kSeed));
    reopen();
  }
  crypto::Keyring open_keyring(std::string_view name) {
    return crypto::Keyring::open(*files, random, io::join_path(folder.path(), std::string(name)))
        .value();
  }
  void reopen() {
    store.reset();
    database.reset();
    database = sql::Database::open_sqlite(io::join_path(folder.path(), "catalog.db")).value();
    store = IdentityStore::open(*database, keyring, random).value();
  }
  /// Every byte of every file of the database.
  [[nodiscard]] std::string bytes_on_disk() const {
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      if (entry.path().filename().string().starts_with("catalog.db")) {
        std::ifstream file(entry.path(), std::ios::binary);
        all.append(std::istreambuf_iterator<char>(file), {});
      }
    }
    return all;
  }

  io::TempFolder folder;
  std::unique_ptr<io::Filesystem> files = io::make_posix_filesystem();
  io::SeededRandom random{kSeed};
  crypto::Keyring keyring = open_keyring("master.key");
  std::unique_ptr<sql::Database> database;
  std::optional<IdentityStore> store;
};

TEST_F(IdentityStoreTest, RowsComeBackAfterReopening) {
  Identities rows;
  rows.accounts.push_back({std::string(kAccount), true, at(1)});
  rows.users.push_back(user_row("Alice", 2));
  rows.users.back().tags = {{"team", "audit"}, {"a", ""}};
  rows.users.push_back(user_row("bob", 3));
  rows.access_keys.push_back(key_row("AKIAROOT", "", 4));
  rows.access_keys.push_back(key_row("AKIAALICE", "Alice", 5));
  rows.access_keys.back().active = false;
  rows.login_profiles.push_back({std::string(kAccount), "Alice", "$argon2id$hash", true, at(6)});
  rows.user_policies.push_back({std::string(kAccount), "Alice", "arn:p"});
  ASSERT_TRUE(store->add(rows));
  reopen();

  const Identities all = store->load().value();
  ASSERT_EQ(all.accounts.size(), 1U);
  EXPECT_EQ(all.accounts[0].account_id, kAccount);
  EXPECT_TRUE(all.accounts[0].management);
  EXPECT_EQ(all.accounts[0].created_at, at(1));
  ASSERT_EQ(all.users.size(), 2U);
  EXPECT_EQ(all.users[0].name, "Alice");
  EXPECT_EQ(all.users[0].path, "/team/");
  EXPECT_EQ(all.users[0].user_id, "AIDAAlice");
  EXPECT_EQ(all.users[0].created_at, at(2));
  EXPECT_EQ(all.users[0].tags, rows.users[0].tags);
  EXPECT_TRUE(all.users[1].tags.empty());
  ASSERT_EQ(all.access_keys.size(), 2U);
  EXPECT_EQ(all.access_keys[0].access_key_id, "AKIAROOT");
  EXPECT_EQ(all.access_keys[0].user_name, "");
  EXPECT_EQ(all.access_keys[0].secret, kSecret);
  EXPECT_TRUE(all.access_keys[0].active);
  EXPECT_FALSE(all.access_keys[1].active);
  ASSERT_EQ(all.login_profiles.size(), 1U);
  EXPECT_EQ(all.login_profiles[0].password_hash, "$argon2id$hash");
  EXPECT_TRUE(all.login_profiles[0].reset_required);
  ASSERT_EQ(all.user_policies.size(), 1U);
  EXPECT_EQ(all.user_policies[0].policy_arn, "arn:p");
}

TEST_F(IdentityStoreTest, AddsAllRowsOrNone) {
  Identities rows;
  rows.users.push_back(user_row("alice", 1));
  rows.access_keys.push_back(key_row("AKIA1", "alice", 1));
  rows.access_keys.push_back(key_row("AKIA1", "alice", 1));
  EXPECT_EQ(store->add(rows).error().code(), ErrorCode::Conflict);
  const Identities all = store->load().value();
  EXPECT_TRUE(all.users.empty());
  EXPECT_TRUE(all.access_keys.empty());
}

TEST_F(IdentityStoreTest, RefusesANameThatDiffersInCaseOnly) {
  ASSERT_TRUE(store->add({.accounts = {},
                          .users = {user_row("alice", 1)},
                          .access_keys = {},
                          .login_profiles = {},
                          .user_policies = {}}));
  auto second = user_row("ALICE", 2);
  EXPECT_EQ(store
                ->add({.accounts = {},
                       .users = {second},
                       .access_keys = {},
                       .login_profiles = {},
                       .user_policies = {}})
                .error()
                .code(),
            ErrorCode::Conflict);
  second.account_id = "210987654321";
  EXPECT_TRUE(store->add({.accounts = {},
                          .users = {second},
                          .access_keys = {},
                          .login_profiles = {},
                          .user_policies = {}}));
}

TEST_F(IdentityStoreTest, EveryChangeReachesItsRowAlone) {
  Identities rows;
  for (const auto* const name : {"alice", "bob"}) {
    rows.users.push_back(user_row(name, 1));
    rows.users.back().tags = {{"k", "v"}};
    rows.access_keys.push_back(key_row(std::string("AKIA") + name, name, 1));
    rows.login_profiles.push_back({std::string(kAccount), name, "hash", false, at(1)});
    rows.user_policies.push_back({std::string(kAccount), name, "arn:p"});
  }
  ASSERT_TRUE(store->add(rows));

  const UserKey alice{kAccount, "alice"};
  ASSERT_TRUE(store->set_access_key_active("AKIAbob", false));
  ASSERT_TRUE(store->delete_access_key("AKIAalice"));
  ASSERT_TRUE(store->delete_login_profile(alice));
  ASSERT_TRUE(store->delete_user_policy(alice, "arn:p"));
  ASSERT_TRUE(store->delete_user(alice));

  const Identities all = store->load().value();
  ASSERT_EQ(all.users.size(), 1U);
  EXPECT_EQ(all.users[0].name, "bob");
  EXPECT_EQ(all.users[0].tags.size(), 1U);
  ASSERT_EQ(all.access_keys.size(), 1U);
  EXPECT_EQ(all.access_keys[0].access_key_id, "AKIAbob");
  EXPECT_FALSE(all.access_keys[0].active);
  EXPECT_EQ(all.login_profiles.size(), 1U);
  EXPECT_EQ(all.user_policies.size(), 1U);

  // A new user of the name has nothing of the old one.
  ASSERT_TRUE(store->add({.accounts = {},
                          .users = {user_row("alice", 2)},
                          .access_keys = {},
                          .login_profiles = {},
                          .user_policies = {}}));
  EXPECT_TRUE(store->load()->users.back().tags.empty());
}

TEST_F(IdentityStoreTest, AChangeThatFindsNoRowIsAConflict) {
  const UserKey nobody{kAccount, "nobody"};
  const Result<void> changes[] = {
      store->delete_user(nobody),
      store->set_access_key_active("AKIA0", true),
      store->delete_access_key("AKIA0"),
      store->delete_login_profile(nobody),
      store->delete_user_policy(nobody, "arn:p"),
  };
  for (const auto& change : changes) {
    ASSERT_FALSE(change.has_value());
    EXPECT_EQ(change.error().code(), ErrorCode::Conflict);
  }
}

TEST_F(IdentityStoreTest, NoSecretLiesInTheFileInTheClear) {
  ASSERT_TRUE(store->add({.accounts = {},
                          .users = {},
                          .access_keys = {key_row("AKIA1", "", 1)},
                          .login_profiles = {},
                          .user_policies = {}}));
  const std::string bytes = bytes_on_disk();
  EXPECT_NE(bytes.find("AKIA1"), std::string::npos);  // the search does find what is there
  EXPECT_EQ(bytes.find(kSecret), std::string::npos);
}

TEST_F(IdentityStoreTest, AnotherMasterKeyOrAnotherRowIsCorruption) {
  ASSERT_TRUE(store->add({.accounts = {},
                          .users = {},
                          .access_keys = {key_row("AKIA1", "", 1), key_row("AKIA2", "", 2)},
                          .login_profiles = {},
                          .user_policies = {}}));
  const auto other = open_keyring("other.key");
  const auto foreign = IdentityStore::open(*database, other, random)->load();
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error().code(), ErrorCode::Corruption);
  EXPECT_NE(foreign.error().message().find("AKIA1"), std::string::npos);
  EXPECT_EQ(foreign.error().message().find(kSecret), std::string::npos);

  ASSERT_TRUE(database->execute(
      "UPDATE access_keys SET sealed_secret = (SELECT sealed_secret FROM access_keys WHERE "
      "access_key_id = 'AKIA1') WHERE access_key_id = 'AKIA2'"));
  EXPECT_EQ(store->load().error().code(), ErrorCode::Corruption);
}

}  // namespace
}  // namespace opentrail::catalog
