// Goal: a crash before any single change of the catalog, or a catalog that fails there and works
// again, loses nothing and repeats nothing. Method: one scenario is played once for each of its
// transactions, which fails with all that come after it until the crash.
#include "delivery/delivery_fixture.h"

#include <gmock/gmock.h>

namespace opentrail::delivery {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

/// A catalog that fails from the n-th transaction on, for as long as the test says.
class FaultyDatabase final : public sql::Database {
 public:
  explicit FaultyDatabase(std::unique_ptr<sql::Database> inner) : inner_(std::move(inner)) {}

  Result<void> transaction(const std::function<Result<void>(sql::Transaction&)>& work) override {
    if (fails_after && (*fails_after)-- <= 0) {
      failed = true;
      return fail(ErrorCode::ResourceExhausted, "the disk is full");
    }
    return inner_->transaction(work);
  }

  std::optional<int> fails_after;
  bool failed = false;

 private:
  std::unique_ptr<sql::Database> inner_;
};

class FaultTest : public DeliveryFixture {
 protected:
  FaultTest() {
    auto faulty = std::make_unique<FaultyDatabase>(std::move(catalog_));
    faulty_ = faulty.get();
    catalog_ = std::move(faulty);
    restart();
  }

  /// As after a crash, the trails included.
  void restart() {
    faulty_->fails_after.reset();
    faulty_->failed = false;
    delivery_.reset();
    trails_ = catalog::TrailStore::open(*catalog_).value();
    ASSERT_TRUE(trails_->settle_pending(journal::value(journal_->end())));
    reopen();
  }

  std::string delete_trail(const catalog::Trail& trail) {
    const auto version = trails_->remove(trail.id, clock_.now()).value();
    record::Record record = make_call(trail.home_region, "DeleteTrail");
    const std::string id = record.id;
    const auto offset = append(std::move(record));
    EXPECT_TRUE(trails_->set_effective(trail.id, version, offset + 1));
    return id;
  }

  FaultyDatabase* faulty_ = nullptr;
};

/// The scenario's passes share one budget of transactions; where it ends, `recover` is called.
class FaultSweepTest : public FaultTest {
 protected:
  void faulty_pass(seconds by) {
    faulty_->fails_after = budget_;
    pass(by);
    budget_ = faulty_->fails_after.value_or(0);
    faulty_->fails_after.reset();
    if (faulty_->failed) {
      faulty_->failed = false;
      hit_ = true;
      budget_ = 1'000'000;
      if (crash_) {
        restart();
      }
    }
  }

  /// False once the whole scenario needs no more than `budget` transactions.
  bool play(int budget, bool crash) {
    budget_ = budget;
    crash_ = crash;
    hit_ = false;
    std::vector<std::string> wanted;
    auto trail = create_trail(multi_region());
    wanted.push_back(start_logging(trail));
    faulty_pass(seconds(1));
    wanted.push_back(call("us-west-2"));
    wanted.push_back(call("eu-west-1"));
    faulty_pass(seconds(10));
    wanted.push_back(stop_logging(trail));
    call("us-west-2");
    wanted.push_back(start_logging(trail));
    wanted.push_back(call("us-east-1"));
    faulty_pass(seconds(60));
    faulty_pass(seconds(10));
    wanted.push_back(delete_trail(trail));
    for (int i = 0; i < 4; ++i) {
      faulty_pass(seconds(30));
    }
    for (int i = 0; i < 3; ++i) {
      pass(minutes(6));
    }
    expect_once(wanted);
    expect_all_listed();
    EXPECT_EQ(store_.different_bytes, 0);
    EXPECT_TRUE(trails_->all_versions().empty()) << "the deleted trail stays";
    return hit_;
  }

  void sweep(bool crash) {
    for (int budget = 0;; ++budget) {
      SCOPED_TRACE(testing::Message() << "the catalog fails from transaction " << budget << " on");
      if (!play(budget, crash) || HasFailure()) {
        EXPECT_GT(budget, 20);
        return;
      }
      store_.objects.clear();
    }
  }

 private:
  int budget_ = 0;
  bool crash_ = false;
  bool hit_ = false;
};

TEST_F(FaultSweepTest, ACrashBeforeAnyTransactionLosesAndRepeatsNothing) { sweep(true); }

TEST_F(FaultSweepTest, ACatalogThatFailsForAWhileLosesAndRepeatsNothing) { sweep(false); }

TEST_F(FaultTest, AnUnknownOutcomeIsSettledWhereItWasBegun) {
  auto trail = create_trail(multi_region());
  std::vector<std::string> ids = {start_logging(trail), call("us-west-2")};
  store_.fault = [](const objects::PutRequest&) -> FakeBucketStore::Fault {
    return {Error(ErrorCode::Timeout, "no answer"), true};
  };
  pass();
  store_.fault = nullptr;
  store_.buckets["other"] = true;
  trail.config.bucket = "other";
  ids.push_back(change(trail, "UpdateTrail"));
  pass(minutes(6));
  ids.push_back(stop_logging(trail));
  pass(minutes(6));
  pass();
  expect_once(ids);
  expect_all_listed();
}

TEST_F(FaultTest, AnUnknownOutcomeBeforeACrashIsSettledWhereItWasBegun) {
  auto trail = create_trail(multi_region());
  std::vector<std::string> ids = {start_logging(trail), call("us-west-2")};
  faulty_->fails_after = 10;  // somewhere behind the first plan; the put itself is done
  store_.fault = [this](const objects::PutRequest&) -> FakeBucketStore::Fault {
    faulty_->fails_after = 0;
    return {};
  };
  pass();
  store_.fault = nullptr;
  restart();
  store_.buckets["other"] = true;
  trail.config.bucket = "other";
  ids.push_back(change(trail, "UpdateTrail"));
  pass(minutes(6));
  ids.push_back(stop_logging(trail));
  pass(minutes(6));
  pass();
  expect_once(ids);
  expect_all_listed();
}

TEST_F(FaultTest, ADeletedTrailStaysUntilADigestListsItsFiles) {
  auto trail = create_trail(multi_region());
  std::vector<std::string> ids = {start_logging(trail), call("us-west-2"), delete_trail(trail)};
  // The clock was wrong and is put right: the chain may not begin yet, the files are written.
  clock_.set(clock_.now() - seconds(5));
  restart();
  pass(seconds(1));
  expect_once(ids);
  pass(seconds(30));
  pass(seconds(30));
  expect_all_listed();
  EXPECT_TRUE(trails_->all_versions().empty());
}

TEST_F(FaultTest, APlaceThatCouldNotBeSavedIsSavedLater) {
  auto trail = create_trail(multi_region());
  trail.config.logging = true;
  const auto version = trails_->update(trail, clock_.now()).value();
  record::Record record = make_call("us-west-2", "StartLogging");
  std::vector<std::string> ids = {record.id};
  const auto offset = append(std::move(record));
  faulty_->fails_after = 0;
  EXPECT_FALSE(trails_->set_effective(trail.id, *version, offset));
  faulty_->fails_after.reset();
  ids.push_back(call("us-west-2"));
  pass();
  pass();
  expect_once(ids);
}

TEST_F(FaultTest, AClockThatWasAheadDoesNotHoldTheFilesBack) {
  auto trail = create_trail(multi_region(false));
  std::vector<std::string> ids = {start_logging(trail)};
  pass(std::chrono::days(30));
  store_.buckets.clear();
  ids.push_back(call("us-west-2"));
  pass();
  store_.buckets["logs"] = true;
  clock_.set(clock_.now() - std::chrono::days(30));
  ids.push_back(call("us-west-2"));
  pass(seconds(20));
  pass(minutes(6));
  expect_once(ids);
}

TEST_F(FaultTest, ATrailThatIsChangedOftenKeepsFewVersions) {
  auto trail = create_trail(multi_region());
  std::vector<std::string> ids = {start_logging(trail)};
  for (int i = 0; i < 100; ++i) {
    trail.config.selectors[0].read_write_type =
        i % 2 == 0 ? record::ReadWriteType::WriteOnly : record::ReadWriteType::All;
    ids.push_back(change(trail, "PutEventSelectors"));
    ids.push_back(call("us-west-2"));
    if (i % 10 == 0) {
      pass();
    }
    if (i == 50) {
      restart();
    }
  }
  pass();
  EXPECT_LT(trails_->all_versions().front().versions.size(), 30U);
  ids.push_back(stop_logging(trail));
  pass();
  pass(minutes(2));
  expect_once(ids);
  EXPECT_GT(expect_all_listed(), 3);
}

/// Both trails' digests would have one name if a chain began where the other's last digest ends.
TEST_F(FaultTest, ATrailMadeAgainNeverOverwritesTheOldOnesDigest) {
  auto old = create_trail(multi_region());
  std::vector<std::string> ids = {start_logging(old)};
  pass(seconds(1));
  ids.push_back(call("us-west-2"));
  ids.push_back(delete_trail(old));
  clock_.advance(seconds(9));
  auto fresh = create_trail(multi_region());
  ids.push_back(start_logging(fresh));
  pass(seconds(0));
  for (int i = 0; i < 12; ++i) {
    pass();
  }
  expect_once(ids);
  EXPECT_EQ(store_.different_bytes, 0);
}

}  // namespace
}  // namespace opentrail::delivery
