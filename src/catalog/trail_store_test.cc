// Goal: trails, tags and every version of a configuration come back as they were written, also
// after reopening, and versions keep their order in the journal. Method: a SQLite file in a fresh
// folder; each claim is checked before and after a reopen.
#include "catalog/trail_store.h"

#include "io/filesystem.h"
#include "io/temp_folder.h"

#include <gtest/gtest.h>

namespace opentrail::catalog {
namespace {

using std::chrono::seconds;

constexpr Timestamp kNow{seconds{1'795'000'000}};
const std::string kAccount = "111122223333";

TrailConfig full_config() {
  TrailConfig config;
  config.bucket = "logs";
  config.key_prefix = "pre/fix";
  config.include_global_service_events = false;
  config.multi_region = true;
  config.log_file_validation = true;
  config.logging = true;
  config.custom_selectors = true;
  record::EventSelector selector;
  selector.read_write_type = record::ReadWriteType::WriteOnly;
  selector.include_management_events = false;
  selector.data_resources = {{"AWS::S3::Object", {"arn:aws:s3:::a/", "arn:aws:s3:::\"b\"/"}}};
  selector.exclude_management_event_sources = {"kms.amazonaws.com"};
  config.selectors = {selector, {}};
  return config;
}

class TrailStoreTest : public ::testing::Test {
 protected:
  TrailStoreTest() { reopen(); }
  void reopen() {
    store_.reset();
    database_.reset();
    database_ = sql::Database::open_sqlite(io::join_path(folder_.path(), "catalog.db")).value();
    store_ = TrailStore::open(*database_).value();
  }
  Trail create(const std::string& name, const std::string& region = "us-east-1") {
    Trail trail;
    trail.account_id = kAccount;
    trail.name = name;
    trail.home_region = region;
    trail.config.bucket = "logs";
    trail.config.selectors.resize(1);
    std::int64_t version = 0;
    auto made = store_->create(trail, kNow, version);
    EXPECT_TRUE(made.has_value());
    EXPECT_EQ(version, 1);
    return *std::move(made);
  }
  std::int64_t change(Trail& trail, bool logging) {
    trail.config.logging = logging;
    return store_->update(trail, kNow + seconds{1}).value().value();
  }
  std::vector<TrailVersion> versions(std::int64_t id) {
    for (auto& entry : store_->all_versions()) {
      if (entry.trail.id == id) {
        return entry.versions;
      }
    }
    return {};
  }
  std::vector<std::int64_t> numbers(std::int64_t id) {
    std::vector<std::int64_t> out;
    for (const auto& version : versions(id)) {
      out.push_back(version.version);
    }
    return out;
  }

  io::TempFolder folder_;
  std::unique_ptr<sql::Database> database_;
  std::unique_ptr<TrailStore> store_;
};

TEST_F(TrailStoreTest, WhatWasWrittenComesBack) {
  Trail trail = create("main");
  trail.config = full_config();
  trail.started_at = kNow + seconds{5};
  ASSERT_EQ(store_->update(trail, kNow + seconds{5}).value(), 2);
  ASSERT_TRUE(store_->set_tags(trail.id, {{"team", "a"}, {"empty", ""}}).has_value());
  for (const bool again : {false, true}) {
    SCOPED_TRACE(again);
    if (again) {
      reopen();
    }
    const auto found = store_->find(kAccount, "us-east-1", "main");
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->id, trail.id);
    EXPECT_EQ(found->created_at, kNow);
    EXPECT_EQ(found->started_at, kNow + seconds{5});
    EXPECT_FALSE(found->stopped_at.has_value());
    EXPECT_EQ(found->config, full_config());
    EXPECT_EQ(found->tags, (Tags{{"team", "a"}, {"empty", ""}}));
    EXPECT_EQ(found->arn(), "arn:aws:cloudtrail:us-east-1:111122223333:trail/main");
    const auto both = versions(trail.id);
    ASSERT_EQ(both.size(), 2U);
    EXPECT_EQ(both[0].config.bucket, "logs");
    EXPECT_FALSE(both[0].config.logging);
    EXPECT_EQ(both[1].config, full_config());
    EXPECT_EQ(both[1].made_at, kNow + seconds{5});
    EXPECT_FALSE(both[1].effective_from.has_value());
  }
}

TEST_F(TrailStoreTest, ListsByHomeRegionAndNameOfOneAccount) {
  create("b", "us-west-2");
  create("b");
  create("a", "us-west-2");
  Trail other;
  other.account_id = "999999999999";
  other.name = "z";
  other.home_region = "us-east-1";
  std::int64_t version = 0;
  ASSERT_TRUE(store_->create(other, kNow, version).has_value());
  std::vector<std::string> names;
  for (const Trail& trail : store_->trails(kAccount)) {
    names.push_back(trail.home_region + "/" + trail.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"us-east-1/b", "us-west-2/a", "us-west-2/b"}));
  EXPECT_FALSE(store_->find(kAccount, "us-east-1", "a").has_value());
  EXPECT_FALSE(store_->find("999999999999", "us-east-1", "b").has_value());
}

TEST_F(TrailStoreTest, RefusesASecondTrailOfThatNameAndUnknownOnes) {
  Trail trail = create("main");
  std::int64_t version = 0;
  EXPECT_EQ(store_->create(trail, kNow, version).error().code(), ErrorCode::AlreadyExists);
  trail.id = 77;
  trail.config.logging = true;
  EXPECT_EQ(store_->update(trail, kNow).error().code(), ErrorCode::NotFound);
  EXPECT_EQ(store_->remove(77, kNow).error().code(), ErrorCode::NotFound);
  EXPECT_EQ(store_->set_tags(77, {}).error().code(), ErrorCode::NotFound);
  EXPECT_EQ(store_->set_effective(77, 1, 1).error().code(), ErrorCode::NotFound);
  EXPECT_EQ(store_->forget_versions(77, 1).error().code(), ErrorCode::NotFound);
  EXPECT_EQ(store_->forget_trail(77).error().code(), ErrorCode::NotFound);
}

TEST_F(TrailStoreTest, AnUpdateWithoutADifferenceMakesNoVersion) {
  Trail trail = create("main");
  const auto before = store_->generation();
  EXPECT_FALSE(store_->update(trail, kNow).value().has_value());
  EXPECT_EQ(store_->generation(), before);
  trail.stopped_at = kNow;
  EXPECT_FALSE(store_->update(trail, kNow).value().has_value());
  EXPECT_EQ(store_->find(kAccount, "us-east-1", "main")->stopped_at, kNow);
  EXPECT_EQ(versions(trail.id).size(), 1U);
  EXPECT_GT(store_->generation(), before);
}

TEST_F(TrailStoreTest, APendingVersionGetsItsPlaceOnce) {
  Trail trail = create("main");
  ASSERT_TRUE(store_->set_effective(trail.id, 1, 10).has_value());
  ASSERT_TRUE(store_->set_effective(trail.id, 1, 99).has_value());
  EXPECT_EQ(store_->set_effective(trail.id, 2, 10).error().code(), ErrorCode::NotFound);
  reopen();
  EXPECT_EQ(versions(trail.id).at(0).effective_from, 10U);
}

TEST_F(TrailStoreTest, VersionsStayInOrderWhenTheirRecordsDoNot) {
  Trail trail = create("main");
  ASSERT_TRUE(store_->set_effective(trail.id, 1, 10).has_value());
  change(trail, true);
  change(trail, false);
  // The record of version 3 comes to stand before that of version 2.
  ASSERT_TRUE(store_->set_effective(trail.id, 3, 20).has_value());
  ASSERT_TRUE(store_->set_effective(trail.id, 2, 25).has_value());
  change(trail, true);
  ASSERT_TRUE(store_->set_effective(trail.id, 4, 5).has_value());
  reopen();
  const auto all = versions(trail.id);
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[1].effective_from, 20U);
  EXPECT_EQ(all[2].effective_from, 20U);
  EXPECT_EQ(all[3].effective_from, 20U);
}

TEST_F(TrailStoreTest, PendingVersionsAreSettledAtTheJournalsEnd) {
  Trail trail = create("main");
  ASSERT_TRUE(store_->set_effective(trail.id, 1, 10).has_value());
  change(trail, true);
  const Trail second = create("second");
  ASSERT_TRUE(store_->settle_pending(42).has_value());
  reopen();
  EXPECT_EQ(versions(trail.id).at(0).effective_from, 10U);
  EXPECT_EQ(versions(trail.id).at(1).effective_from, 42U);
  EXPECT_EQ(versions(second.id).at(0).effective_from, 42U);
}

TEST_F(TrailStoreTest, ADeletedTrailIsKeptForDeliveryUntilItIsForgotten) {
  Trail trail = create("main");
  change(trail, true);
  ASSERT_EQ(store_->remove(trail.id, kNow + seconds{9}).value(), 3);
  EXPECT_EQ(store_->remove(trail.id, kNow).error().code(), ErrorCode::NotFound);
  reopen();
  EXPECT_FALSE(store_->find(kAccount, "us-east-1", "main").has_value());
  EXPECT_TRUE(store_->trails(kAccount).empty());
  const auto all = versions(trail.id);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_TRUE(all[2].deleted);
  EXPECT_FALSE(all[2].config.logging);
  EXPECT_EQ(all[2].made_at, kNow + seconds{9});
  ASSERT_TRUE(store_->set_effective(trail.id, 3, 7).has_value());
  ASSERT_TRUE(store_->forget_trail(trail.id).has_value());
  reopen();
  EXPECT_TRUE(store_->all_versions().empty());
}

TEST_F(TrailStoreTest, ATrailMadeAgainUnderItsNameIsAnotherOne) {
  const Trail first = create("main");
  ASSERT_TRUE(store_->remove(first.id, kNow).has_value());
  const Trail second = create("main");
  EXPECT_NE(second.id, first.id);
  ASSERT_TRUE(store_->remove(second.id, kNow).has_value());
  ASSERT_TRUE(store_->forget_trail(second.id).has_value());
  reopen();
  EXPECT_NE(create("main").id, second.id);
}

TEST_F(TrailStoreTest, ForgetsVersionsThatEnded) {
  Trail trail = create("main");
  ASSERT_TRUE(store_->set_effective(trail.id, 1, 10).has_value());
  change(trail, true);
  ASSERT_TRUE(store_->set_effective(trail.id, 2, 20).has_value());
  change(trail, false);
  ASSERT_TRUE(store_->forget_versions(trail.id, 1000).has_value());
  // Version 3 has no place yet, so version 2 has not ended.
  EXPECT_EQ(numbers(trail.id), (std::vector<std::int64_t>{1, 2, 3}));
  ASSERT_TRUE(store_->set_effective(trail.id, 3, 30).has_value());
  ASSERT_TRUE(store_->forget_versions(trail.id, 29).has_value());
  EXPECT_EQ(numbers(trail.id), (std::vector<std::int64_t>{1, 2, 3}));
  ASSERT_TRUE(store_->forget_versions(trail.id, 30).has_value());
  EXPECT_EQ(numbers(trail.id), (std::vector<std::int64_t>{1, 3}));
  reopen();
  EXPECT_EQ(numbers(trail.id), (std::vector<std::int64_t>{1, 3}));
  change(trail, true);
  EXPECT_EQ(versions(trail.id).back().version, 4);
}

TEST_F(TrailStoreTest, VersionsThatBeganOrEndedValidationStay) {
  Trail trail = create("main");
  ASSERT_TRUE(store_->set_effective(trail.id, 1, 10).has_value());
  trail.config.log_file_validation = true;
  const std::vector<bool> logging = {true, true, false, false, true, true};
  for (std::size_t i = 0; i < logging.size(); ++i) {
    trail.config.key_prefix = std::to_string(i);
    const auto version = change(trail, logging[i]);
    ASSERT_TRUE(store_->set_effective(trail.id, version, 20 + i).has_value());
  }
  ASSERT_TRUE(store_->forget_versions(trail.id, 1000).has_value());
  EXPECT_EQ(numbers(trail.id), (std::vector<std::int64_t>{1, 2, 4, 6, 7}));
}

TEST_F(TrailStoreTest, AdvancedSelectorsComeBackAsTheyWere) {
  Trail trail = create("main");
  trail.config.selectors.clear();
  record::FieldSelector name{"eventName", {}};
  name[record::SelectorOperator::StartsWith] = {"Get", "\"", "\xC3\xA9"};
  name[record::SelectorOperator::NotEndsWith] = {"Acl"};
  record::FieldSelector category{"eventCategory", {}};
  category[record::SelectorOperator::Equals] = {"Data"};
  trail.config.advanced_selectors = {{"reads", {category, name}}, {"", {category}}};
  ASSERT_TRUE(store_->update(trail, kNow).has_value());
  EXPECT_EQ(store_->find(kAccount, "us-east-1", "main")->config, trail.config);
  reopen();
  EXPECT_EQ(store_->find(kAccount, "us-east-1", "main")->config, trail.config);
}

TEST_F(TrailStoreTest, RowsFromBeforeAdvancedSelectorsAreRead) {
  create("main");
  ASSERT_TRUE(database_->execute(
      R"(UPDATE trail_versions SET config = '{"bucket":"logs","key_prefix":"",)"
      R"("include_global_service_events":true,"multi_region":false,"log_file_validation":false,)"
      R"("logging":true,"custom_selectors":true,"selectors":[{"read_write_type":"ReadOnly",)"
      R"("include_management_events":true,"data_resources":[],"exclude_sources":[]}]}')"));
  reopen();
  const TrailConfig config = store_->find(kAccount, "us-east-1", "main")->config;
  ASSERT_EQ(config.selectors.size(), 1U);
  EXPECT_EQ(config.selectors[0].read_write_type, record::ReadWriteType::ReadOnly);
  EXPECT_TRUE(config.advanced_selectors.empty());
}

TEST_F(TrailStoreTest, AConfigurationThatCannotBeReadIsCorruption) {
  create("main");
  for (const std::string broken : {R"({"selectors":[1]})", R"({"advanced_selectors":[1]})",
                                   R"({"advanced_selectors":[{"fields":[1]}]})",
                                   R"({"advanced_selectors":[{"fields":[{"Equals":[1]}]}]})"}) {
    SCOPED_TRACE(broken);
    ASSERT_TRUE(database_->execute("UPDATE trail_versions SET config = '" + broken + "'"));
    EXPECT_EQ(TrailStore::open(*database_).error().code(), ErrorCode::Corruption);
  }
}

}  // namespace
}  // namespace opentrail::catalog
