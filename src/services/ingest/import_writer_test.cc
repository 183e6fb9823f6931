// Goal: each id goes in once, the first one stays, and every record sent is counted in exactly one
// way, also when imports overlap or the journal is in trouble. Method: a real history over a
// journal in memory.
#include "services/ingest/import_writer.h"

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

ImportBody body_of(const std::vector<Sample>& samples) {
  ImportBody body;
  for (const Sample& sample : samples) {
    body.items.push_back({.line = body.items.size() + 1, .record = history::make(sample)});
  }
  return body;
}

/// "line id status" of each result.
std::vector<std::string> shown(const ImportOutcome& outcome) {
  std::vector<std::string> lines;
  for (const ItemResult& result : outcome.results) {
    lines.push_back(fmt::format("{} {} {}", result.line, result.id, to_string(result.status)));
  }
  return lines;
}

using Lines = std::vector<std::string>;

class ImportWriterTest : public history::HistoryTest {
 protected:
  ImportWriterTest() { open(); }
  Result<ImportOutcome> store(const std::vector<Sample>& samples) {
    ImportWriter writer(journal_, *history_);
    return writer.store(body_of(samples));
  }
};

TEST_F(ImportWriterTest, NewRecordsAreDurableAndSearchable) {
  const auto outcome = store({{.id = "a"}, {.id = "b"}});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->received, 2U);
  EXPECT_EQ(outcome->added, 2U);
  EXPECT_TRUE(outcome->results.empty());
  EXPECT_EQ(outcome->oldest_kept, kNow - days(90));
  EXPECT_EQ(journal_.durable_end(), Offset{2});
  EXPECT_EQ(history_->applied_end(), Offset{2});
  EXPECT_EQ(lookup_ids(history::query_of()), (history::Ids{"b", "a"}));
}

TEST_F(ImportWriterTest, TheSameAgainIsADuplicate) {
  const std::vector<Sample> samples = {{.id = "a"}, {.id = "b"}};
  ASSERT_TRUE(store(samples));
  const auto again = store(samples);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->added, 0U);
  EXPECT_EQ(again->duplicate, 2U);
  EXPECT_EQ(shown(*again), (Lines{"1 a Duplicate", "2 b Duplicate"}));
  EXPECT_EQ(journal_.end(), Offset{2});
}

TEST_F(ImportWriterTest, TheFirstOfAnIdStays) {
  ASSERT_TRUE(store({{.id = "a", .name = "CreateTrail"}}));
  const auto forged = store({{.id = "a", .name = "DeleteTrail"}});
  ASSERT_TRUE(forged);
  EXPECT_EQ(forged->conflicting, 1U);
  EXPECT_EQ(shown(*forged), Lines{"1 a Conflicting"});
  EXPECT_EQ(journal_.end(), Offset{1});
  EXPECT_EQ(lookup_ids(history::LookupKey::EventName, "DeleteTrail"), history::Ids{});
}

TEST_F(ImportWriterTest, ACallsOwnRecordIsKnownToo) {
  add({.id = "a"});
  EXPECT_EQ(store({{.id = "a"}})->duplicate, 1U);
}

TEST_F(ImportWriterTest, OneBodyIsCheckedAgainstItself) {
  const auto outcome = store({{.id = "a"}, {.id = "a"}, {.id = "a", .name = "DeleteTrail"}});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->added, 1U);
  EXPECT_EQ(shown(*outcome), (Lines{"3 a Conflicting", "2 a Duplicate"}));
  EXPECT_EQ(journal_.end(), Offset{1});
}

TEST_F(ImportWriterTest, OlderThanWhatIsKeptIsNotTaken) {
  const auto outcome = store({{.id = "old", .time = kNow - days(90) - seconds(1)},
                              {.id = "edge", .time = kNow - days(90)}});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->expired, 1U);
  EXPECT_EQ(outcome->added, 1U);
  EXPECT_EQ(shown(*outcome), Lines{"1 old Expired"});
}

TEST_F(ImportWriterTest, EveryItemIsCountedOnceAndTheWorstComesFirst) {
  ASSERT_TRUE(store({{.id = "there"}}));
  ImportBody body = body_of({{.id = "there"},
                             {.id = "old", .time = kNow - days(100)},
                             {.id = "there", .name = "DeleteTrail"},
                             {.id = "new"}});
  body.invalid.push_back({.line = 9, .message = "not an object"});
  body.digests = 2;
  ImportWriter writer(journal_, *history_);
  const auto outcome = writer.store(std::move(body));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->received, 5U);
  EXPECT_EQ(outcome->received, outcome->added + outcome->duplicate + outcome->conflicting +
                                   outcome->expired + outcome->invalid);
  EXPECT_EQ(outcome->digests, 2U);
  EXPECT_EQ(shown(*outcome),
            (Lines{"3 there Conflicting", "9  Invalid", "2 old Expired", "1 there Duplicate"}));
  EXPECT_EQ(outcome->results[1].message, "not an object");
}

TEST_F(ImportWriterTest, NothingNewTakesNoPlace) {
  EXPECT_EQ(store({})->received, 0U);
  EXPECT_EQ(journal_.end(), Offset{0});
}

TEST_F(ImportWriterTest, AFailedJournalStoresNothing) {
  journal_.fail_with(Error(ErrorCode::Unavailable, "fsync failed"));
  const auto outcome = store({{.id = "a"}});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), ErrorCode::Unavailable);
  EXPECT_EQ(journal_.end(), Offset{0});
}

/// Knows no record and never gets on.
class StuckHistory final : public history::History {
 public:
  Result<history::LookupPage> lookup(const history::LookupQuery&) override { return {}; }
  Result<history::SearchPage> search(const history::SearchQuery&) override {
    return history::SearchPage();
  }
  Result<history::Counts> count(const history::CountQuery&) override { return history::Counts(); }
  Result<bool> contains(std::string_view) override { return false; }
  Result<std::optional<std::string>> content_hash(std::string_view) override {
    return std::nullopt;
  }
  [[nodiscard]] Timestamp oldest_kept() const override { return {}; }
  [[nodiscard]] std::vector<std::string> accounts() override { return {}; }
  [[nodiscard]] Offset needed_from() const override { return {}; }
  [[nodiscard]] Offset applied_end() const override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return 0; }
  [[nodiscard]] std::optional<Error> failure() const override { return std::nullopt; }
  bool wait_settled() override { return true; }
  void wake() override {}
  void stop() override {}
};

TEST_F(ImportWriterTest, StoredButNotSearchableIsATimeoutThatMayBeSentAgain) {
  StuckHistory stuck;
  ImportWriter impatient(journal_, stuck, std::chrono::milliseconds(0));
  const auto outcome = impatient.store(body_of({{.id = "a"}}));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), ErrorCode::Timeout);
  EXPECT_EQ(journal_.durable_end(), Offset{1});
  EXPECT_EQ(store({{.id = "a"}})->duplicate, 1U);
}

TEST_F(ImportWriterTest, ImportsThatOverlapStoreEachIdOnce) {
  constexpr int kThreads = 4;
  constexpr int kRecords = 50;
  std::vector<Sample> samples;
  for (int i = 0; i < kRecords; ++i) {
    samples.push_back({.id = std::to_string(i)});
  }
  ImportWriter writer(journal_, *history_);
  std::atomic<std::uint64_t> added = 0;
  std::atomic<std::uint64_t> duplicate = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      const auto outcome = writer.store(body_of(samples));
      ASSERT_TRUE(outcome);
      added += outcome->added;
      duplicate += outcome->duplicate;
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
