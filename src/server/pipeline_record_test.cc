// Goal: nothing is done that cannot be recorded, and no answer says more than the journal holds.
// Method: a journal that holds back commits, refuses appends or loses them, and the state of the
// exchange at each step.
#include "server/pipeline.h"
#include "server/pipeline_kit_test.h"

#include <gtest/gtest.h>

namespace opentrail::server {
namespace {

using journal::Offset;

const Error kDiskGone(ErrorCode::Unavailable, "fsync: Input/output error");

class PipelineRecordTest : public PipelineTest {
 protected:
  /// Starts the call and runs it as far as it goes without anyone's help.
  void start(net::Exchange& exchange) {
    boost::asio::co_spawn(context_, pipeline_->answer(exchange),
                          [this](const std::exception_ptr& error) {
                            EXPECT_FALSE(error);
                            ended_ = true;
                          });
    context_.poll();
  }
  void finish() {
    context_.restart();
    context_.run();
    EXPECT_TRUE(ended_);
  }

  boost::asio::io_context context_{1};
  bool ended_ = false;
};

TEST_F(PipelineRecordTest, AChangeIsDurableBeforeItsAnswer) {
  journal_.memory.hold();
  services::FakeExchange exchange(sign(admin_, json_head()));
  start(exchange);
  EXPECT_EQ(cloudtrail_->handled, 1);
  EXPECT_EQ(journal_.end(), Offset{1});
  EXPECT_FALSE(exchange.responded());
  EXPECT_FALSE(ended_);
  journal_.memory.commit();
  EXPECT_FALSE(exchange.responded());  // the journal's thread does not answer callers
  finish();
  EXPECT_EQ(answer_of(exchange).status, 200);
}

TEST_F(PipelineRecordTest, ARefusedChangeIsDurableBeforeItsAnswer) {
  journal_.memory.hold();
  services::FakeExchange exchange(sign(forged(admin_), json_head()));
  start(exchange);
  EXPECT_EQ(journal_.end(), Offset{1});
  EXPECT_FALSE(exchange.responded());
  journal_.memory.commit();
  finish();
  EXPECT_EQ(answer_of(exchange).status, 403);
}

TEST_F(PipelineRecordTest, AReadIsAcceptedButNotAwaited) {
  cloudtrail_->operation = operation("DescribeTrails", "cloudtrail:DescribeTrails");
  cloudtrail_->operation.read_only = true;
  journal_.memory.hold();
  services::FakeExchange exchange(sign(reader_, json_head()));
  start(exchange);
  EXPECT_TRUE(ended_);
  EXPECT_EQ(answer_of(exchange).status, 200);
  EXPECT_EQ(journal_.end(), Offset{1});
  EXPECT_EQ(journal_.durable_end(), Offset{0});
  journal_.memory.commit();
  EXPECT_EQ(only_record().at("readOnly"), true);
}

TEST_F(PipelineRecordTest, TellsOfTheRecordsOfCallsThatAskedEventHistory) {
  cloudtrail_->operation = operation("DescribeTrails", "cloudtrail:DescribeTrails");
  cloudtrail_->operation.read_only = true;
  send(sign(reader_, json_head()));
  EXPECT_TRUE(history_reads_.empty());
  cloudtrail_->operation.reads_history = true;
  send(sign(reader_, json_head()));
  EXPECT_EQ(history_reads_, std::vector{Offset{1}});
}

TEST_F(PipelineRecordTest, TheServiceLearnsTheOffsetBeforeTheAnswer) {
  send(sign(reader_, json_head()));  // takes offset 0
  services::FakeExchange exchange(sign(admin_, json_head()));
  std::optional<Offset> recorded_at;
  bool answered_before = true;
  Offset durable{};
  cloudtrail_->outcome = [&] {
    services::Outcome outcome;
    outcome.on_recorded = [&](Offset offset) {
      recorded_at = offset;
      answered_before = exchange.responded();
      durable = journal_.durable_end();
    };
    return outcome;
  };
  services::run_to_value(answer_through(exchange));
  EXPECT_EQ(recorded_at, Offset{1});
  EXPECT_FALSE(answered_before);
  EXPECT_EQ(durable, Offset{2});
  EXPECT_EQ(answer_of(exchange).status, 200);
}

TEST_F(PipelineRecordTest, NothingIsDoneWhenTheJournalHasFailed) {
  journal_.memory.fail_with(kDiskGone);
  const Answer answer = send(sign(admin_, json_head()));
  EXPECT_EQ(answer.status, 500);
  EXPECT_TRUE(answer.body.starts_with("InternalFailure: ")) << answer.body;
  EXPECT_NE(answer.body.find("nothing was done"), std::string::npos) << answer.body;
  EXPECT_EQ(cloudtrail_->handled, 0);
}

TEST_F(PipelineRecordTest, ARefusalThatCannotBeRecordedSaysThatNothingWasDone) {
  journal_.memory.fail_with(kDiskGone);
  const Answer answer = send(sign(reader_, json_head()));
  EXPECT_EQ(answer.status, 500);
  EXPECT_NE(answer.body.find("nothing was done"), std::string::npos) << answer.body;
}

TEST_F(PipelineRecordTest, AChangeWhoseRecordIsRefusedIsNotConfirmed) {
  bool told = false;
  cloudtrail_->outcome = [&] {
    journal_.memory.fail_with(kDiskGone);  // between the check and the append
    services::Outcome outcome;
    outcome.body = "done";
    outcome.on_recorded = [&](Offset) { told = true; };
    return outcome;
  };
  const Answer answer = send(sign(admin_, json_head()));
  EXPECT_EQ(cloudtrail_->handled, 1);
  EXPECT_EQ(answer.status, 500);
  EXPECT_NE(answer.body.find("not confirmed"), std::string::npos) << answer.body;
  EXPECT_EQ(answer.request_id.size(), 36U);
  EXPECT_FALSE(told);
}

TEST_F(PipelineRecordTest, AChangeWithoutARecordGetsAPlaceWhileTheJournalWorks) {
  send(sign(reader_, json_head()));  // takes offset 0
  std::optional<Offset> placed;
  cloudtrail_->outcome = [&] {
    journal_.refuse_next(Error(ErrorCode::InvalidArgument, "too large"));
    services::Outcome outcome;
    outcome.on_recorded = [&](Offset offset) { placed = offset; };
    return outcome;
  };
  EXPECT_EQ(send(sign(admin_, json_head())).status, 500);
  EXPECT_EQ(placed, Offset{1});
}

TEST_F(PipelineRecordTest, AChangeWhoseRecordIsLostIsNotConfirmed) {
  journal_.lose_with(kDiskGone);
  const Answer answer = send(sign(admin_, json_head()));
  EXPECT_EQ(cloudtrail_->handled, 1);
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("fsync"), std::string::npos) << answer.body;
}

TEST_F(PipelineRecordTest, AReadThatCannotBeRecordedIsNotAnswered) {
  cloudtrail_->operation.read_only = true;
  journal_.refuse_next(kDiskGone);
  const Answer answer = send(sign(admin_, json_head()));
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("done\n"), std::string::npos);
}

TEST_F(PipelineRecordTest, AFullQueueIsWaitedFor) {
  journal_.refuse_next(Error(ErrorCode::Throttled, "the queue is full"));
  EXPECT_EQ(send(sign(admin_, json_head())).status, 200);
  EXPECT_EQ(journal_.appends(), 2);
  EXPECT_EQ(records().size(), 1U);
}

TEST_F(PipelineRecordTest, AnErrorOfTheServiceIsRecordedWithTheParametersAndNoResponse) {
  cloudtrail_->outcome = [] {
    services::Outcome outcome;
    outcome.head.status = 409;
    outcome.body = "exists";
    outcome.error = services::ApiError{"TrailAlreadyExistsException", "t exists", 409, {}};
    outcome.response_elements = json::object{{"made", "yes"}};
    return outcome;
  };
  const Answer answer = send(sign(admin_, json_head()));
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.body, "exists");
  const json::object record = only_record();
  EXPECT_EQ(record.at("errorCode"), "TrailAlreadyExistsException");
  EXPECT_EQ(record.at("errorMessage"), "t exists");
  EXPECT_EQ(record.at("requestParameters"), (json::object{{"name", "t"}}));
  EXPECT_TRUE(record.at("responseElements").is_null());
}

TEST_F(PipelineRecordTest, DataEventsAreRecordedWhenSomeTrailWantsThem) {
  s3_->operation = operation("PutObject", "s3:PutObject");
  s3_->operation.category = record::Category::Data;
  s3_->operation.resources = {{account_, "AWS::S3::Bucket", "arn:aws:s3:::bucket"}};
  const SignWith with = for_service(admin_, "s3");
  EXPECT_EQ(send(sign(with, s3_head())).status, 200);
  EXPECT_TRUE(records().empty());
  wants_data_events_ = true;
  EXPECT_EQ(send(sign(with, s3_head())).status, 200);
  const json::object record = only_record();
  EXPECT_EQ(record.at("eventCategory"), "Data");
  EXPECT_EQ(record.at("managementEvent"), false);
  EXPECT_EQ(record.at("resources").at(0).at("ARN"), "arn:aws:s3:::bucket");
}

TEST_F(PipelineRecordTest, AnAnswerThatTheServiceHasSentIsNotSentAgain) {
  services::FakeExchange exchange(sign(for_service(admin_, "s3"), s3_head()));
  s3_->outcome = [&] {
    services::Outcome outcome;
    outcome.sent = true;
    return outcome;
  };
  services::run_to_value(answer_through(exchange));
  EXPECT_FALSE(exchange.responded());
  EXPECT_EQ(records().size(), 1U);
}

}  // namespace
}  // namespace opentrail::server
