// Goal: the digest chains are what validate-logs accepts, at the right times, over stops and
// failures. Method: as delivery_test.cc; each chain is followed and its signatures are verified.
#include "delivery/delivery_fixture.h"
#include "delivery/digest_file.h"

#include <gmock/gmock.h>

namespace opentrail::delivery {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::EndsWith;
using testing::SizeIs;

class DigestTest : public DeliveryFixture {
 protected:
  [[nodiscard]] std::string member(const std::string& name, const char* key) const {
    return std::string(content(name).at(key).as_string());
  }
};

TEST_F(DigestTest, TheStringToSignIsAsInTheSpec) {
  DigestFacts facts;
  facts.end = parse_iso("2026-11-24T09:00:00Z").value();
  facts.bucket = "b";
  facts.key = "k";
  EXPECT_EQ(digest_string_to_sign(facts, "abc"), "2026-11-24T09:00:00Z\nb/k\nabc\nnull");
  facts.previous = catalog::PreviousDigest{"b", "p", "h", "00ff"};
  EXPECT_EQ(digest_string_to_sign(facts, "abc"), "2026-11-24T09:00:00Z\nb/k\nabc\n00ff");
}

TEST_F(DigestTest, BeginsWithAStartingDigestAndGoesOnEmpty) {
  auto trail = create_trail(multi_region());
  start_logging(trail);
  pass();
  const auto first = keys("CloudTrail-Digest", "us-west-2");
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_THAT(first[0], EndsWith("/CloudTrail-Digest/us-west-2/2026/11/24/"
                                 "123456789012_CloudTrail-Digest_us-west-2_audit_us-west-2_"
                                 "20261124T080002Z.json.gz"));
  EXPECT_EQ(member(first[0], "digestStartTime"), "2026-11-24T07:59:02Z");
  EXPECT_TRUE(content(first[0]).at("newestEventTime").is_null());
  EXPECT_THAT(content(first[0]).at("logFiles").as_array(), SizeIs(0));
  for (int i = 0; i < 12; ++i) {
    pass();
  }
  EXPECT_EQ(expect_all_listed(), 9) << "three in each region";
  EXPECT_EQ(delivery_->status(trail.id).latest_digest_delivery_error, "");
}

TEST_F(DigestTest, StopEndsTheChainAndStartBeginsANewOne) {
  auto trail = create_trail(multi_region());
  start_logging(trail);
  pass();
  stop_logging(trail);
  pass();
  pass();
  const auto ended = keys("CloudTrail-Digest", "us-west-2");
  ASSERT_THAT(ended, SizeIs(2)) << "the last digest lists the file with StopLogging";
  EXPECT_FALSE(content(ended[1]).at("previousDigestS3Object").is_null());
  EXPECT_THAT(keys("CloudTrail-Digest", "eu-west-1"), SizeIs(1)) << "nothing was left there";
  pass(minutes(5));
  EXPECT_THAT(keys("CloudTrail-Digest", "us-west-2"), SizeIs(2));
  start_logging(trail);
  pass();
  const auto restarted = keys("CloudTrail-Digest", "us-west-2");
  ASSERT_THAT(restarted, SizeIs(3));
  EXPECT_TRUE(content(restarted[2]).at("previousDigestS3Object").is_null());
  pass(minutes(2));
  pass();
  expect_all_listed();
}

TEST_F(DigestTest, StopAndStartWithinASecondKeepTheNamesApart) {
  auto trail = create_trail(multi_region());
  start_logging(trail);
  pass();
  stop_logging(trail);
  start_logging(trail);
  for (int i = 0; i < 12; ++i) {
    pass();
  }
  expect_all_listed();
  EXPECT_EQ(store_.different_bytes, 0);
}

TEST_F(DigestTest, OneDigestCoversTheTimeWithoutAServer) {
  auto trail = create_trail(multi_region());
  start_logging(trail);
  pass();
  call("us-west-2");
  clock_.advance(std::chrono::hours(3));
  reopen();
  pass(seconds(1));
  const auto digests = keys("CloudTrail-Digest", "us-west-2");
  ASSERT_THAT(digests, SizeIs(2));
  EXPECT_EQ(member(digests[1], "digestStartTime"), "2026-11-24T08:00:02Z");
  EXPECT_EQ(member(digests[1], "digestEndTime"), "2026-11-24T11:00:02Z");
  pass(minutes(1));
  pass(minutes(1));
  expect_all_listed();
}

TEST_F(DigestTest, ValidationSwitchedOffEndsAndOnBeginsAgain) {
  auto trail = create_trail(multi_region(false));
  start_logging(trail);
  pass();
  EXPECT_THAT(keys("CloudTrail-Digest"), SizeIs(0));
  const auto before = keys("CloudTrail");
  trail.config.log_file_validation = true;
  change(trail, "UpdateTrail");
  pass(seconds(1));
  call("us-west-2");
  for (int i = 0; i < 12; ++i) {
    pass();
  }
  std::multiset<std::string> listed;
  EXPECT_GE(check_chain("us-west-2", listed), 2);
  EXPECT_FALSE(listed.empty());
  for (const auto& file : before) {
    EXPECT_EQ(listed.count(file), 0U) << "delivered while validation was off";
  }
}

TEST_F(DigestTest, AFailedDigestIsRepeatedAndShown) {
  auto trail = create_trail(multi_region());
  start_logging(trail);
  bool stored = false;
  store_.fault = [&](const objects::PutRequest& request) -> FakeBucketStore::Fault {
    if (request.key.find("CloudTrail-Digest") == std::string::npos) {
      return {};
    }
    stored = !stored;
    return {Error(ErrorCode::Unavailable, "slow", "SlowDown"), stored};
  };
  for (int i = 0; i < 20; ++i) {
    pass();
  }
  EXPECT_EQ(delivery_->status(trail.id).latest_digest_delivery_error, "SlowDown");
  EXPECT_EQ(delivery_->status(trail.id).latest_delivery_error, "");
  store_.fault = nullptr;
  reopen();
  pass(minutes(6));
  pass(minutes(1));
  EXPECT_EQ(delivery_->status(trail.id).latest_digest_delivery_error, "");
  expect_all_listed();
  EXPECT_EQ(store_.different_bytes, 0);
}

TEST_F(DigestTest, KeysAreRenewedAndOldOnesStay) {
  auto trail = create_trail(multi_region());
  start_logging(trail);
  pass();
  pass(minutes(60 * 24 * 31));
  pass(minutes(2));
  const auto now = clock_.now();
  EXPECT_THAT(delivery_->public_keys("us-west-2", Timestamp{}, now).value(), SizeIs(2));
  EXPECT_THAT(delivery_->public_keys("us-west-2", now, now).value(), SizeIs(1));
  EXPECT_THAT(delivery_->public_keys("ap-south-1", now, now).value(), SizeIs(1))
      << "a region that never signed has a key, too";
  expect_all_listed();
}

}  // namespace
}  // namespace opentrail::delivery
