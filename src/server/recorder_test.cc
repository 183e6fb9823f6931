// Goal: a record waits for room and is never dropped silently; changes wait for the disk, reads do
// not; data events that no trail wants take no place. Method: a journal that refuses, holds back or
// loses.
#include "server/recorder.h"

#include "server/pipeline_kit_test.h"

#include <thread>

#include <gtest/gtest.h>

namespace opentrail::server {
namespace {

using journal::Offset;
using Recorded = Result<std::optional<Offset>>;

record::CallFacts facts_of(std::string event_id) {
  record::CallFacts facts;
  facts.identity.type = "IAMUser";
  facts.event_time = parse_iso("2026-11-24T08:46:13Z").value();
  facts.event_source = "cloudtrail.amazonaws.com";
  facts.event_name = "CreateTrail";
  facts.region = "us-east-1";
  facts.request_id = "r";
  facts.event_id = std::move(event_id);
  facts.read_only = false;
  facts.recipient_account_id = "111122223333";
  return facts;
}

class RecorderTest : public testing::Test {
 protected:
  Recorded record(const record::CallFacts& facts) {
    return services::run_to_value(recorder_.record(facts));
  }

  TroubledJournal journal_;
  std::vector<std::string> asked_;  ///< Ids of the data events that were asked about.
  bool wanted_ = false;
  Recorder recorder_{journal_, [this](const record::Record& record) {
                       asked_.push_back(record.id);
                       return wanted_;
                     }};
};

TEST_F(RecorderTest, GivesTheOffset) {
  EXPECT_EQ(record(facts_of("a")).value(), Offset{0});
  EXPECT_EQ(record(facts_of("b")).value(), Offset{1});
  const auto stored = journal_.read({}, 1 << 20).value();
  ASSERT_EQ(stored.size(), 2U);
  EXPECT_EQ(stored[1].record.id, "b");
  EXPECT_EQ(stored[1].record.origin, record::Origin::Call);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(RecorderTest, WaitsForRoomInTheQueue) {
  const Error full(ErrorCode::Throttled, "the queue is full");
  for (int i = 0; i < 3; ++i) {
    journal_.refuse_next(full);
  }
  EXPECT_EQ(record(facts_of("a")).value(), Offset{0});
  EXPECT_EQ(journal_.appends(), 4);
  auto read = facts_of("b");
  read.read_only = true;
  journal_.refuse_next(full);
  EXPECT_EQ(record(read).value(), Offset{1});
  EXPECT_EQ(journal_.end(), Offset{2});
}

TEST_F(RecorderTest, OtherRefusalsAreFinal) {
  for (const bool read_only : {true, false}) {
    auto facts = facts_of("a");
    facts.read_only = read_only;
    journal_.refuse_next(Error(ErrorCode::Unavailable, "the journal has failed"));
    const Recorded recorded = record(facts);
    ASSERT_FALSE(recorded);
    EXPECT_EQ(recorded.error().code(), ErrorCode::Unavailable);
  }
  EXPECT_EQ(journal_.appends(), 2);
}

TEST_F(RecorderTest, ALostChangeIsAnError) {
  journal_.lose_with(Error(ErrorCode::Unavailable, "fsync failed"));
  EXPECT_FALSE(record(facts_of("a")));
}

TEST_F(RecorderTest, AReadIsDoneOnceAccepted) {
  journal_.memory.hold();
  auto facts = facts_of("a");
  facts.read_only = true;
  EXPECT_EQ(record(facts).value(), Offset{0});
  EXPECT_EQ(journal_.durable_end(), Offset{0});
}

TEST_F(RecorderTest, ACallThatDoesNotSayCountsAsAChange) {
  auto facts = facts_of("a");
  facts.read_only.reset();
  journal_.lose_with(Error(ErrorCode::Unavailable, "fsync failed"));
  EXPECT_FALSE(record(facts));
}

TEST_F(RecorderTest, ADataEventIsRecordedWhenWanted) {
  auto facts = facts_of("a");
  facts.category = record::Category::Data;
  EXPECT_EQ(record(facts).value(), std::nullopt);
  EXPECT_EQ(journal_.appends(), 0);
  wanted_ = true;
  EXPECT_EQ(record(facts).value(), Offset{0});
  EXPECT_EQ(asked_, (std::vector<std::string>{"a", "a"}));
}

TEST_F(RecorderTest, ComesBackToItsOwnThread) {
  journal_.memory.hold();
  boost::asio::io_context context(1);
  std::optional<std::thread::id> resumed_on;
  auto facts = facts_of("a");
  auto call = [&]() -> boost::asio::awaitable<void> {
    EXPECT_TRUE(co_await recorder_.record(facts));
    resumed_on = std::this_thread::get_id();
  };
  boost::asio::co_spawn(context, call(), [](const std::exception_ptr&) {});
  context.poll();
  ASSERT_EQ(journal_.end(), Offset{1});
  std::thread committer([&] { journal_.memory.commit(); });
  context.run();  // waits for the commit: the call in flight keeps the context at work
  committer.join();
  EXPECT_EQ(resumed_on, std::this_thread::get_id());
}

}  // namespace
}  // namespace opentrail::server
