// Goal: each id goes in once, the first one stays, and every record sent is counted in exactly one
// way, also when imports overlap or the journal is in trouble. Method: a real history over a
// journal in memory.
#include "services/ingest/import_writer.h"

#include "history/fake_history.h"
#include "history/history_fixture.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace opentrail::services::ingest {
namespace {

using history::kNow;
using history::Sample;
using journal::Offset;
using std::chrono::days;
using std::chrono::seconds;

ImportBatch batch_of(const std::vector<Sample>& samples) {
  ImportBatch batch;
  for (const Sample& sample : samples) {
    batch.items.push_back({.line = batch.items.size() + 1, .record = history::make(sample)});
    batch.bytes += batch.items.back().record.json.size();
  }
  return batch;
}

/// "line id status" of each result.
std::vector<std::string> shown(const ImportTally& tally) {
  std::vector<std::string> lines;
  for (const ItemResult& result : tally.results()) {
    lines.push_back(fmt::format("{} {} {}", result.line, result.id, to_string(result.status)));
  }
  return lines;
}

using Lines = std::vector<std::string>;

class ImportWriterTest : public history::HistoryTest {
 protected:
  ImportWriterTest() { open(); }
  Result<ImportTally> store(ImportWriter& writer, ImportBatch batch) {
    ImportTally tally(limits_, true);
    ImportWriter::Unsettled unsettled;
    OT_TRY_DO(writer.wait_for_what_is_there());
    OT_TRY_DO(writer.put(std::move(batch), tally, unsettled));
    OT_TRY_DO(writer.settle(tally, unsettled));
    return tally;
  }
  Result<ImportTally> store(ImportBatch batch) {
    ImportWriter writer(journal_, *history_, limits_);
    return store(writer, std::move(batch));
  }
  Result<ImportTally> store(const std::vector<Sample>& samples) { return store(batch_of(samples)); }

  ImportLimits limits_;
};

TEST_F(ImportWriterTest, NewRecordsAreDurableAndSearchable) {
  const auto outcome = store({{.id = "a"}, {.id = "b"}});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->received(), 2U);
  EXPECT_EQ(outcome->count(ItemStatus::New), 2U);
  EXPECT_TRUE(outcome->results().empty());
  EXPECT_EQ(outcome->oldest_kept(), kNow - days(90));
  EXPECT_EQ(journal_.durable_end(), Offset{2});
  EXPECT_EQ(history_->applied_end(), Offset{2});
  EXPECT_EQ(lookup_ids(history::query_of()), (history::Ids{"b", "a"}));
}

TEST_F(ImportWriterTest, TheSameAgainIsADuplicate) {
  const std::vector<Sample> samples = {{.id = "a"}, {.id = "b"}};
  ASSERT_TRUE(store(samples));
  const auto again = store(samples);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->count(ItemStatus::New), 0U);
  EXPECT_EQ(again->count(ItemStatus::Duplicate), 2U);
  EXPECT_EQ(shown(*again), (Lines{"1 a Duplicate", "2 b Duplicate"}));
  EXPECT_EQ(journal_.end(), Offset{2});
}

TEST_F(ImportWriterTest, TheFirstOfAnIdStays) {
  ASSERT_TRUE(store({{.id = "a", .name = "CreateTrail"}}));
  const auto forged = store({{.id = "a", .name = "DeleteTrail"}});
  ASSERT_TRUE(forged);
  EXPECT_EQ(forged->count(ItemStatus::Conflicting), 1U);
  EXPECT_EQ(shown(*forged), Lines{"1 a Conflicting"});
  EXPECT_EQ(journal_.end(), Offset{1});
  EXPECT_EQ(lookup_ids(history::LookupKey::EventName, "DeleteTrail"), history::Ids{});
}

TEST_F(ImportWriterTest, ACallsOwnRecordIsKnownToo) {
  add({.id = "a"});
  EXPECT_EQ(store({{.id = "a"}})->count(ItemStatus::Duplicate), 1U);
}

TEST_F(ImportWriterTest, OneBodyIsCheckedAgainstItself) {
  const auto outcome = store({{.id = "a"}, {.id = "a"}, {.id = "a", .name = "DeleteTrail"}});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->count(ItemStatus::New), 1U);
  EXPECT_EQ(shown(*outcome), (Lines{"3 a Conflicting", "2 a Duplicate"}));
  EXPECT_EQ(journal_.end(), Offset{1});
}

TEST_F(ImportWriterTest, OlderThanWhatIsKeptIsNotTaken) {
  const auto outcome = store({{.id = "old", .time = kNow - days(90) - seconds(1)},
                              {.id = "edge", .time = kNow - days(90)}});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->count(ItemStatus::Expired), 1U);
  EXPECT_EQ(outcome->count(ItemStatus::New), 1U);
  EXPECT_EQ(shown(*outcome), Lines{"1 old Expired"});
}

TEST_F(ImportWriterTest, EveryItemIsCountedOnceAndTheWorstComesFirst) {
  ASSERT_TRUE(store({{.id = "there"}}));
  ImportBatch batch = batch_of({{.id = "there"},
                                {.id = "old", .time = kNow - days(100)},
                                {.id = "there", .name = "DeleteTrail"},
                                {.id = "new"}});
  batch.invalid.push_back({.line = 9, .message = "not an object", .items_before = 3});
  batch.digests = 2;
  const auto outcome = store(std::move(batch));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->received(), 5U);
  EXPECT_EQ(outcome->received(),
            outcome->count(ItemStatus::New) + outcome->count(ItemStatus::Duplicate) +
                outcome->count(ItemStatus::Conflicting) + outcome->count(ItemStatus::Expired) +
                outcome->count(ItemStatus::Invalid));
  EXPECT_EQ(outcome->digests(), 2U);
  EXPECT_EQ(shown(*outcome),
            (Lines{"3 there Conflicting", "9  Invalid", "2 old Expired", "1 there Duplicate"}));
  EXPECT_EQ(outcome->results()[1].message, "not an object");
  EXPECT_EQ(outcome->runs(), (std::vector<StatusRun>{{ItemStatus::Duplicate, 1},
                                                     {ItemStatus::Expired, 1},
                                                     {ItemStatus::Conflicting, 1},
                                                     {ItemStatus::Invalid, 1},
                                                     {ItemStatus::New, 1}}));
}

TEST_F(ImportWriterTest, NothingNewTakesNoPlace) {
  EXPECT_EQ(store(ImportBatch{})->received(), 0U);
  EXPECT_EQ(journal_.end(), Offset{0});
}

TEST_F(ImportWriterTest, AFailedJournalStoresNothing) {
  journal_.fail_with(Error(ErrorCode::Unavailable, "fsync failed"));
  const auto outcome = store({{.id = "a"}});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), ErrorCode::Unavailable);
  EXPECT_EQ(journal_.end(), Offset{0});
}

TEST_F(ImportWriterTest, StoredButNotSearchableIsATimeoutThatMayBeSentAgain) {
  history::FakeHistory stuck;
  limits_.patience = std::chrono::milliseconds(0);
  ImportWriter impatient(journal_, stuck, limits_);
  const auto outcome = store(impatient, batch_of({{.id = "a"}}));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), ErrorCode::Timeout);
  EXPECT_EQ(journal_.durable_end(), Offset{1});
  limits_.patience = seconds(30);
  EXPECT_EQ(store({{.id = "a"}})->count(ItemStatus::Duplicate), 1U);
}

TEST_F(ImportWriterTest, ABatchDoesNotWaitForTheOneBeforeToBeDurable) {
  journal_.hold();
  ImportWriter writer(journal_, *history_, limits_);
  ImportTally tally(limits_, false);
  ImportWriter::Unsettled unsettled;
  ASSERT_TRUE(writer.put(batch_of({{.id = "a"}}), tally, unsettled));
  ASSERT_TRUE(writer.put(batch_of({{.id = "b"}}), tally, unsettled));
  EXPECT_EQ(journal_.end(), Offset{2});
  EXPECT_EQ(unsettled.size(), 2U);
  journal_.commit();
  ASSERT_TRUE(writer.settle(tally, unsettled));
  EXPECT_TRUE(unsettled.empty());
  EXPECT_EQ(history_->applied_end(), Offset{2});
}

TEST_F(ImportWriterTest, ARecordThatIsOnItsWayIsKnown) {
  journal_.hold();
  ImportWriter writer(journal_, *history_, limits_);
  ImportTally first(limits_, false);
  ImportWriter::Unsettled unsettled;
  ASSERT_TRUE(writer.put(batch_of({{.id = "a"}, {.id = "b"}}), first, unsettled));
  ImportTally second(limits_, false);
  ImportWriter::Unsettled unsettled_too;
  std::thread overlapping([&] {
    EXPECT_TRUE(writer.put(batch_of({{.id = "a"}, {.id = "b", .name = "Other"}, {.id = "c"}}),
                           second, unsettled_too));
  });
  EXPECT_EQ(journal_.end(), Offset{2});
  journal_.commit();
  overlapping.join();
  journal_.commit();
  ASSERT_TRUE(writer.settle(second, unsettled_too));
  EXPECT_EQ(second.count(ItemStatus::Duplicate), 1U);
  EXPECT_EQ(second.count(ItemStatus::Conflicting), 1U);
  EXPECT_EQ(second.count(ItemStatus::New), 1U);
}

TEST_F(ImportWriterTest, AFullDiskTakesBackWhatWasCounted) {
  ImportWriter writer(journal_, *history_, limits_);
  ImportTally tally(limits_, false);
  ImportWriter::Unsettled unsettled;
  ASSERT_TRUE(writer.put(batch_of({{.id = "a"}}), tally, unsettled));
  journal_.hold();
  ASSERT_TRUE(writer.put(batch_of({{.id = "b"}, {.id = "c"}}), tally, unsettled));
  journal_.take_back(Error(ErrorCode::ResourceExhausted, "no space left"));
  const auto settled = writer.settle(tally, unsettled);
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().code(), ErrorCode::ResourceExhausted);
  EXPECT_EQ(tally.count(ItemStatus::New), 1U);
  EXPECT_EQ(tally.not_stored(), 2U);
  EXPECT_EQ(tally.received(), 3U);
  // What was not stored is new again, and its offset another's.
  std::thread committer([this] {
    while (journal_.end() == Offset{1}) {
      std::this_thread::yield();
    }
    journal_.commit();
  });
  const auto again = store(writer, batch_of({{.id = "b"}}));
  committer.join();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->count(ItemStatus::New), 1U);
}

TEST_F(ImportWriterTest, AFullQueueIsPushedBack) {
  journal_.refuse_with(Error(ErrorCode::Throttled, "the queue is full"));
  const auto refused = store({{.id = "a"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::Throttled);
  journal_.refuse_with(std::nullopt);
  EXPECT_EQ(store({{.id = "a"}})->count(ItemStatus::New), 1U);
}

TEST_F(ImportWriterTest, ASlowDiskIsWaitedForAndThenPushesBack) {
  limits_.unstored_bytes_max = 1;
  limits_.patience = std::chrono::milliseconds(20);
  journal_.hold();
  ImportWriter writer(journal_, *history_, limits_);
  ImportTally tally(limits_, false);
  ImportWriter::Unsettled unsettled;
  ASSERT_TRUE(writer.put(batch_of({{.id = "a"}}), tally, unsettled));
  const auto refused = writer.put(batch_of({{.id = "b"}}), tally, unsettled);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::Throttled);
  EXPECT_EQ(tally.received(), 1U);
  journal_.commit();
  EXPECT_TRUE(writer.put(batch_of({{.id = "b"}}), tally, unsettled));
  journal_.commit();
  EXPECT_TRUE(writer.settle(tally, unsettled));
}

TEST_F(ImportWriterTest, ImportsThatOverlapStoreEachIdOnce) {
  constexpr int kThreads = 4;
  constexpr int kRecords = 50;
  std::vector<Sample> samples;
  for (int i = 0; i < kRecords; ++i) {
    samples.push_back({.id = std::to_string(i)});
  }
  ImportWriter writer(journal_, *history_, limits_);
  std::atomic<std::uint64_t> added = 0;
  std::atomic<std::uint64_t> duplicate = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      const auto outcome = store(writer, batch_of(samples));
      ASSERT_TRUE(outcome);
      added += outcome->count(ItemStatus::New);
      duplicate += outcome->count(ItemStatus::Duplicate);
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(added, kRecords);
  EXPECT_EQ(duplicate, kRecords * (kThreads - 1));
  EXPECT_EQ(journal_.end(), Offset{kRecords});
}

}  // namespace
}  // namespace opentrail::services::ingest
