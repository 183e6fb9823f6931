// Goal: a lookup sees all that was on the journal when it began, nothing that aged out or is gone,
// and says so when it cannot know. Method: a journal that holds back, drops and fails when told.
#include "history/history_fixture.h"

#include <future>
#include <set>
#include <thread>

namespace opentrail::history {
namespace {

using journal::Offset;
using std::chrono::days;
using std::chrono::minutes;
using std::chrono::seconds;

class HistoryFollowTest : public HistoryTest {};

TEST_F(HistoryFollowTest, ForgetsWhatAgedOut) {
  add({.id = "too-old", .time = kNow - days(90) - seconds(1)});
  add({.id = "old", .time = kNow - days(90)});
  add({.id = "new"});
  open();
  EXPECT_EQ(history_->oldest_kept(), kNow - days(90));
  EXPECT_EQ(lookup_ids(query_of()), (Ids{"new", "old"}));
  EXPECT_FALSE(history_->contains("too-old").value());
  EXPECT_EQ(history_->needed_from(), Offset{0});

  // At once out of sight.
  clock_.advance(seconds(1));
  EXPECT_EQ(lookup_ids(query_of()), Ids{"new"});
  EXPECT_EQ(lookup_ids(LookupKey::EventId, "old"), Ids{});
  EXPECT_FALSE(history_->contains("old").value());

  clock_.advance(minutes(2));
  add({.id = "newest", .time = clock_.now()});
  EXPECT_EQ(lookup_ids(query_of()), (Ids{"newest", "new"}));

  clock_.advance(days(200));
  add({.id = "too-old-already"});
  EXPECT_EQ(lookup_ids(query_of()), Ids{});
}

TEST_F(HistoryFollowTest, OfABatchOneRecordReplacesWhatAgedOut) {
  add({.id = "same", .time = kNow - days(90), .user = "old"});
  open();
  ASSERT_EQ(history_->size(), 1U);
  clock_.advance(days(1));
  journal_.hold();
  add({.id = "same", .time = clock_.now(), .user = "first"});
  add({.id = "same", .time = clock_.now() + seconds(1), .user = "second"});
  journal_.commit();
  EXPECT_EQ(lookup_ids(LookupKey::EventId, "same"), Ids{"same"});
  EXPECT_EQ(lookup_ids(LookupKey::Username, "first"), Ids{"same"});
  EXPECT_EQ(lookup_ids(LookupKey::Username, "second"), Ids{});
}

TEST_F(HistoryFollowTest, SaysSoWhenTheJournalDroppedWhatIsNotSealed) {
  open();
  for (int i = 0; i < 10; ++i) {
    add({.id = std::to_string(i)});
  }
  ASSERT_TRUE(history_->wait_applied(Offset{10}, minutes(1)));
  ASSERT_TRUE(journal_.drop_before(Offset{6}).has_value());
  EXPECT_FALSE(history_->lookup(query_of()).has_value());
}

TEST_F(HistoryFollowTest, WaitsForWhatWasAcceptedBefore) {
  open();
  journal_.hold();
  add({.id = "pending"});
  auto found = std::async(std::launch::async, [&] { return lookup_ids(query_of()); });
  auto known =
      std::async(std::launch::async, [&] { return history_->contains("pending").value(); });
  EXPECT_EQ(history_->applied_end(), Offset{0});
  journal_.commit();
  EXPECT_EQ(found.get(), Ids{"pending"});
  EXPECT_TRUE(known.get());
  EXPECT_EQ(history_->applied_end(), Offset{1});
}

// One page after the other would take a commit each, because of the record of the page before.
TEST_F(HistoryFollowTest, DoesNotWaitForTheRecordsOfLookups) {
  open();
  add({.id = "before"});
  journal_.hold();
  for (const char* id : {"first lookup", "second lookup"}) {
    const Offset offset = add({.id = id});
    history_->need_not_wait_for(offset);
    EXPECT_EQ(lookup_ids(query_of()), Ids{"before"});
  }
  // Anything else is waited for, and with it all that was accepted before.
  add({.id = "change"});
  auto found = std::async(std::launch::async, [&] { return lookup_ids(query_of()); });
  EXPECT_EQ(history_->applied_end(), Offset{1});
  journal_.commit();
  EXPECT_EQ(found.get(), (Ids{"change", "second lookup", "first lookup", "before"}));
}

// A full disk took the lookup's record back, and a change came to stand where it had been.
TEST_F(HistoryFollowTest, WaitsForWhatStandsWhereALookupWasTakenBack) {
  open();
  add({.id = "before"});
  journal_.hold();
  history_->need_not_wait_for(add({.id = "lookup"}));
  journal_.take_back({ErrorCode::ResourceExhausted, "disk full"});
  add({.id = "change"});
  auto found = std::async(std::launch::async, [&] { return lookup_ids(query_of()); });
  EXPECT_EQ(found.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  journal_.commit();
  EXPECT_EQ(found.get(), (Ids{"change", "before"}));
}

// Whoever was answered after a commit sees it, whatever else was said of its offset.
TEST_F(HistoryFollowTest, WaitsForAllThatIsDurable) {
  open();
  history_->need_not_wait_for(add({.id = "durable"}));
  EXPECT_EQ(lookup_ids(query_of()), Ids{"durable"});
}

TEST_F(HistoryFollowTest, CatchesUpWithoutBeingWoken) {
  open();
  journal_.on_commit(nullptr);
  add({.id = "quiet"});
  EXPECT_EQ(lookup_ids(query_of()), Ids{"quiet"});
}

TEST_F(HistoryFollowTest, IsUnavailableWhenTheJournalFailed) {
  open();
  add({.id = "kept"});
  ASSERT_EQ(lookup_ids(query_of()), Ids{"kept"});
  journal_.hold();
  add({.id = "never durable"});
  journal_.fail_with({ErrorCode::ResourceExhausted, "disk full"});
  EXPECT_EQ(history_->lookup(query_of()).error().code(), ErrorCode::Unavailable);
  EXPECT_EQ(history_->contains("x").error().code(), ErrorCode::Unavailable);
  EXPECT_EQ(history_->content_hash("x").error().code(), ErrorCode::Unavailable);
  EXPECT_TRUE(history_->contains("kept").value()) << "what is known stays known";
}

TEST_F(HistoryFollowTest, TriesAgainAfterAFailedRead) {
  open();
  journal_.fail_reads_with(Error(ErrorCode::ResourceExhausted, "too many open files"));
  add({.id = "late"});
  const auto refused = history_->lookup(query_of());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::Unavailable);
  EXPECT_NE(refused.error().message().find("too many open files"), std::string::npos);
  journal_.fail_reads_with(std::nullopt);
  EXPECT_EQ(lookup_ids(query_of()), Ids{"late"});
}

TEST_F(HistoryFollowTest, AFailedReadIsTriedAgainWithoutAnyoneAsking) {
  options_.retry_interval = std::chrono::milliseconds(1);
  open();
  journal_.fail_reads_with(Error(ErrorCode::ResourceExhausted, "too many open files"));
  add({.id = "late"});
  ASSERT_FALSE(history_->lookup(query_of()).has_value());
  ASSERT_TRUE(history_->failure());
  journal_.fail_reads_with(std::nullopt);
  constexpr int kTries = 5000;
  for (int i = 0; i < kTries && history_->failure(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(history_->failure(), std::nullopt);
  EXPECT_EQ(history_->size(), 1U);
}

TEST_F(HistoryFollowTest, DoesNotOpenOverAJournalThatCannotBeRead) {
  add({.id = "there"});
  journal_.fail_reads_with(Error(ErrorCode::Corruption, "segment 0, byte 17"));
  const auto opened = History::open(files_, journal_, clock_, random_, options_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::Corruption);
}

TEST_F(HistoryFollowTest, StopsWithCallersWaiting) {
  open();
  add({.id = "there"});
  EXPECT_EQ(lookup_ids(query_of()), Ids{"there"});
  history_->stop();
  history_->stop();
  EXPECT_EQ(lookup_ids(query_of()), Ids{"there"});
  add({.id = "after"});
  EXPECT_EQ(history_->lookup(query_of()).error().code(), ErrorCode::Unavailable);
}

// Readers, writers and the follower at once; what ThreadSanitizer looks at.
TEST_F(HistoryFollowTest, ServesManyThreads) {
  open();
  constexpr int kWriters = 2;
  constexpr int kEach = 300;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([this, writer] {
      for (int i = 0; i < kEach; ++i) {
        const std::string id = fmt::format("{}-{}", writer, i);
        add({.id = id, .time = kNow - seconds(i * 7 % 50)});
        ASSERT_TRUE(history_->contains(id).value());
        ASSERT_EQ(lookup_ids(LookupKey::EventId, id), Ids{id});
      }
    });
  }
  threads.emplace_back([this] {
    for (int i = 0; i < 50; ++i) {
      const Ids ids = all_pages(query_of());
      ASSERT_EQ(std::set(ids.begin(), ids.end()).size(), ids.size());
      static_cast<void>(history_->accounts());
      static_cast<void>(history_->needed_from());
    }
  });
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(all_pages(query_of()).size(), static_cast<std::size_t>(kWriters * kEach));
}

}  // namespace
}  // namespace opentrail::history
