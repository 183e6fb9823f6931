// Goal: each wanted record is in exactly one log file, whatever fails in between. Method: a real
// journal and catalog, buckets in memory that fail on demand, a clock that the test moves.
#include "delivery/delivery.h"

#include "delivery/delivery_fixture.h"

#include <gmock/gmock.h>

namespace opentrail::delivery {
namespace {

using testing::ContainsRegex;
using testing::ElementsAre;
using testing::SizeIs;

class DeliveryTest : public DeliveryFixture {};

TEST_F(DeliveryTest, WritesEachRegionsRecordsUnderItsName) {
  auto trail = create_trail(multi_region());
  const auto started = start_logging(trail);
  const auto west = call("us-west-2");
  const auto east = call("us-east-1", "CreateUser", false, "iam.amazonaws.com");
  EXPECT_THAT(keys("CloudTrail"), SizeIs(0)) << "not before the mark";
  pass();
  expect_once({started, west, east});
  const auto logs = keys("CloudTrail");
  ASSERT_THAT(logs, SizeIs(2));
  EXPECT_THAT(
      logs[0],
      ContainsRegex("^logs/AWSLogs/123456789012/CloudTrail/us-east-1/2026/11/24/"
                    "123456789012_CloudTrail_us-east-1_20261124T0800Z_[A-Za-z0-9]*.json.gz$"));
  const auto& stored = store_.objects.at(logs[1]);
  EXPECT_EQ(stored.request.content_type, "application/json");
  EXPECT_EQ(stored.request.content_encoding, "gzip");
  EXPECT_EQ(stored.request.canned_acl, "bucket-owner-full-control");
  EXPECT_TRUE(stored.request.metadata.empty());
  EXPECT_EQ(stored.who.service, "cloudtrail.amazonaws.com");
  EXPECT_EQ(stored.who.source_arn, trail.arn());
  EXPECT_TRUE(gunzip(stored.request.body).starts_with(R"({"Records":[{"eventVersion":)"));
  const auto status = delivery_->status(trail.id);
  EXPECT_EQ(status.latest_delivery, clock_.now());
  EXPECT_EQ(status.latest_delivery_error, "");
}

TEST_F(DeliveryTest, StartsAndStopsAtTheCallsOwnRecords) {
  auto trail = create_trail(multi_region());
  call("us-west-2", "BeforeStart");
  const auto started = start_logging(trail);
  const auto during = call("us-west-2");
  const auto stopped = stop_logging(trail);
  call("us-west-2", "AfterStop");
  pass();
  pass();
  expect_once({started, during, stopped});
}

TEST_F(DeliveryTest, SelectorsRegionsAndOriginDecide) {
  auto config = multi_region();
  config.multi_region = false;
  config.include_global_service_events = false;
  config.selectors[0].read_write_type = record::ReadWriteType::WriteOnly;
  auto trail = create_trail(config, "us-east-1");
  const auto started = start_logging(trail);
  call("us-west-2");
  call("us-east-1", "DescribeInstances", true);
  call("us-east-1", "CreateUser", false, "iam.amazonaws.com");
  const auto wanted = call("us-east-1");
  record::Record imported = make_call("us-east-1", "RunInstances");
  imported.origin = record::Origin::Import;
  append(std::move(imported));
  record::Record other = make_call("us-east-1", "RunInstances");
  other.account_id = "999999999999";
  append(std::move(other));
  pass();
  expect_once({started, wanted});
}

TEST_F(DeliveryTest, AChangeOfSelectorsActsFromItsRecordOn) {
  auto trail = create_trail(multi_region());
  const auto started = start_logging(trail);
  const auto read_before = call("us-west-2", "DescribeInstances", true);
  trail.config.selectors[0].read_write_type = record::ReadWriteType::WriteOnly;
  const auto changed = change(trail, "PutEventSelectors");
  call("us-west-2", "DescribeInstances", true);
  const auto write_after = call("us-west-2");
  pass();
  expect_once({started, read_before, changed, write_after});
}

TEST_F(DeliveryTest, AVersionWithoutAPlaceHoldsTheTrailBack) {
  auto trail = create_trail(multi_region());
  trail.config.logging = true;
  const auto version = trails_->update(trail, clock_.now()).value();
  const auto offset = append(make_call("us-west-2", "StartLogging"));
  const auto next = call("us-west-2");
  pass();
  EXPECT_THAT(keys("CloudTrail"), SizeIs(0));
  ASSERT_TRUE(trails_->set_effective(trail.id, *version, offset));
  pass();
  EXPECT_EQ(delivered().size(), 2U);
  EXPECT_EQ(delivered().at(next), 1);
}

TEST_F(DeliveryTest, AFailingBucketLosesNothingAndShowsItsError) {
  auto trail = create_trail(multi_region());
  std::vector<std::string> ids = {start_logging(trail)};
  store_.buckets.clear();
  for (int i = 0; i < 20; ++i) {
    ids.push_back(call(i % 2 == 0 ? "us-west-2" : "eu-west-1"));
    pass(std::chrono::seconds(20));
  }
  EXPECT_EQ(delivery_->status(trail.id).latest_delivery_error, "NoSuchBucket");
  EXPECT_EQ(journal::value(delivery_->needed_from()), 0U) << "the journal must keep what is owed";
  reopen();
  EXPECT_EQ(delivery_->status(trail.id).latest_delivery_error, "NoSuchBucket");
  store_.buckets["logs"] = true;
  pass(std::chrono::minutes(6));
  pass();
  expect_once(ids);
  EXPECT_EQ(delivery_->status(trail.id).latest_delivery_error, "");
  EXPECT_EQ(delivery_->needed_from(), journal_->end());
}

TEST_F(DeliveryTest, ARegionThatIsRefusedDoesNotHoldTheOthersBack) {
  auto trail = create_trail(multi_region());
  std::vector<std::string> ids = {start_logging(trail)};
  store_.fault = [](const objects::PutRequest& request) -> FakeBucketStore::Fault {
    if (request.key.find("/eu-west-1/") == std::string::npos) {
      return {};
    }
    return {Error(ErrorCode::PermissionDenied, "no", "AccessDenied"), false};
  };
  const auto refused = call("eu-west-1");
  pass();
  ids.push_back(call("us-west-2"));
  pass();
  pass();
  expect_once(ids);
  EXPECT_EQ(delivery_->status(trail.id).latest_delivery_error, "AccessDenied");
  store_.fault = nullptr;
  pass(std::chrono::minutes(6));
  ids.push_back(refused);
  expect_once(ids);
}

TEST_F(DeliveryTest, AnUnknownOutcomeIsRepeatedWithTheSameBytes) {
  auto trail = create_trail(multi_region());
  std::vector<std::string> ids = {start_logging(trail), call("us-west-2")};
  store_.fault = [](const objects::PutRequest&) -> FakeBucketStore::Fault {
    return {Error(ErrorCode::Timeout, "no answer"), true};
  };
  pass();
  store_.fault = nullptr;
  ids.push_back(call("us-west-2"));
  reopen();
  pass();
  pass();
  expect_once(ids);
  EXPECT_EQ(store_.different_bytes, 0);
}

TEST_F(DeliveryTest, WhatIsOwedFollowsTheTrailToAnotherBucket) {
  auto trail = create_trail(multi_region());
  std::vector<std::string> ids = {start_logging(trail), call("us-west-2")};
  store_.buckets = {{"other", true}};
  pass();
  EXPECT_EQ(delivery_->status(trail.id).latest_delivery_error, "NoSuchBucket");
  trail.config.bucket = "other";
  trail.config.key_prefix = "pre";
  ids.push_back(change(trail, "UpdateTrail"));
  pass(std::chrono::minutes(6));
  pass();
  expect_once(ids);
  for (const auto& key : keys("CloudTrail")) {
    EXPECT_THAT(key, ContainsRegex("^other/pre/AWSLogs/123456789012/"));
  }
}

TEST_F(DeliveryTest, CutsFilesByTheirSize) {
  auto trail = create_trail(multi_region(false));
  std::vector<std::string> ids = {start_logging(trail)};
  std::vector<record::Record> batch;
  for (int i = 0; i < 300; ++i) {
    record::Record record = make_call("us-west-2", "RunInstances");
    record.json.insert(record.json.size() - 1, R"(,"pad":")" + std::string(100 << 10, 'x') + '"');
    ids.push_back(record.id);
    batch.push_back(std::move(record));
  }
  ASSERT_TRUE(journal_->append_and_wait(std::move(batch)));
  pass();
  EXPECT_THAT(keys("CloudTrail"), SizeIs(2));
  expect_once(ids);
}

TEST_F(DeliveryTest, ADeletedTrailEndsWhenItsLastFileIsDelivered) {
  auto trail = create_trail(multi_region());
  const auto started = start_logging(trail);
  pass(std::chrono::seconds(1));
  const auto last = call("us-west-2");
  const auto version = trails_->remove(trail.id, clock_.now()).value();
  record::Record record = make_call("us-west-2", "DeleteTrail");
  const std::string deleted = record.id;
  const auto offset = append(std::move(record));
  ASSERT_TRUE(trails_->set_effective(trail.id, version, offset + 1));
  pass();
  pass();
  expect_once({started, last, deleted});
  EXPECT_TRUE(trails_->all_versions().empty());
  reopen();
  call("us-west-2");
  pass();
  expect_once({started, last, deleted});
}

TEST_F(DeliveryTest, ChecksABucketBeforeItIsUsed) {
  catalog::Trail trail;
  trail.account_id = kAccount;
  trail.name = "audit";
  trail.home_region = "us-west-2";
  trail.config = multi_region();
  trail.config.bucket = "nowhere";
  EXPECT_EQ(delivery_->check_bucket(trail).error().code(), ErrorCode::NotFound);
  store_.buckets["closed"] = false;
  trail.config.bucket = "closed";
  EXPECT_EQ(delivery_->check_bucket(trail).error().code(), ErrorCode::PermissionDenied);
  trail.config.bucket = "logs";
  trail.config.key_prefix = "p";
  ASSERT_TRUE(delivery_->check_bucket(trail));
  EXPECT_EQ(store_.objects.at("logs/p/AWSLogs/123456789012/CloudTrail/").request.body, "");
}

TEST_F(DeliveryTest, DataEventsAreWantedOnlyWhereATrailSelectsThem) {
  auto config = multi_region();
  config.selectors[0].data_resources = {{"AWS::S3::Object", {"arn:aws:s3:::secret/"}}};
  auto trail = create_trail(config);
  record::CallFacts facts;
  facts.identity.type = "Root";
  facts.event_time = clock_.now();
  facts.event_source = "s3.amazonaws.com";
  facts.event_name = "GetObject";
  facts.region = "us-east-1";
  facts.event_id = "1";
  facts.read_only = true;
  facts.recipient_account_id = kAccount;
  facts.category = record::Category::Data;
  facts.resources = {{"", "AWS::S3::Object", "arn:aws:s3:::secret/key"}};
  const auto data = record::build_record(facts);
  EXPECT_FALSE(delivery_->wanted(data)) << "the trail does not log yet";
  start_logging(trail);
  EXPECT_TRUE(delivery_->wanted(data));
  facts.resources[0].arn = "arn:aws:s3:::open/key";
  EXPECT_FALSE(delivery_->wanted(record::build_record(facts)));
  record::FieldSelector category{"eventCategory", {}};
  category[record::SelectorOperator::Equals] = {"Data"};
  record::FieldSelector arn{"resources.ARN", {}};
  arn[record::SelectorOperator::NotStartsWith] = {"arn:aws:s3:::secret/"};
  trail.config.selectors.clear();
  trail.config.advanced_selectors = {{"", {category, arn}}};
  change(trail, "PutEventSelectors");
  EXPECT_TRUE(delivery_->wanted(record::build_record(facts)));
  EXPECT_FALSE(delivery_->wanted(data));
}

TEST_F(DeliveryTest, AdvancedSelectorsDecideFromTheirRecordOn) {
  auto trail = create_trail(multi_region());
  const auto started = start_logging(trail);
  const auto before = call("us-west-2", "Encrypt", true, "kms.amazonaws.com");
  record::FieldSelector category{"eventCategory", {}};
  category[record::SelectorOperator::Equals] = {"Management"};
  record::FieldSelector source{"eventSource", {}};
  source[record::SelectorOperator::NotEquals] = {"kms.amazonaws.com"};
  trail.config.selectors.clear();
  trail.config.advanced_selectors = {{"no KMS", {category, source}}};
  const auto changed = change(trail, "PutEventSelectors");
  call("us-west-2", "Encrypt", true, "kms.amazonaws.com");
  const auto other = call("us-west-2", "DescribeInstances", true);
  trail.config.selectors.resize(1);
  trail.config.advanced_selectors.clear();
  const auto back = change(trail, "PutEventSelectors");
  const auto after = call("us-west-2", "Encrypt", true, "kms.amazonaws.com");
  pass();
  expect_once({started, before, changed, other, back, after});
}

TEST_F(DeliveryTest, RunsInTheBackground) {
  auto trail = create_trail(multi_region());
  const auto started = start_logging(trail);
  clock_.advance(std::chrono::seconds(10));
  delivery_->start();
  // The fake clock stands still, so one round is all that is ever due.
  while (!delivery_->status(trail.id).latest_delivery) {
    std::this_thread::yield();
  }
  delivery_->stop();
  expect_once({started});
}

}  // namespace
}  // namespace opentrail::delivery
