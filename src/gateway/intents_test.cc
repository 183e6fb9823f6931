// Goal: an intent without an outcome is shown by the next start, once, and none is lost when others
// end. Method: intents begun, ended and left over restarts.
#include "gateway/intents.h"

#include "io/temp_folder.h"
#include "record/builder.h"
#include "services/run_to_value.h"

#include <gtest/gtest.h>

namespace opentrail::gateway {
namespace {

record::Record intent_of(std::string id) {
  record::CallFacts facts;
  facts.identity.type = "IAMUser";
  facts.event_time = parse_iso("2026-11-24T08:46:13Z").value();
  facts.event_source = "kms.amazonaws.com";
  facts.event_name = "CreateKey";
  facts.region = "us-east-1";
  facts.event_id = std::move(id);
  facts.recipient_account_id = "111122223333";
  return record::build_record(facts);
}

class IntentsTest : public testing::Test {
 protected:
  void open() {
    intents_.reset();
    auto opened = Intents::open(*files_, folder_.path() + "/intents");
    ASSERT_TRUE(opened) << opened.error().message();
    intents_ = std::move(*opened);
  }
  journal::Offset begin(std::string id) {
    return services::run_to_value(intents_->begin(intent_of(std::move(id)))).value();
  }
  std::vector<std::string> settled() {
    std::vector<std::string> ids;
    const auto done = intents_->settle([&](const record::Record& intent) -> Result<void> {
      ids.push_back(intent.id);
      return {};
    });
    EXPECT_TRUE(done) << done.error().message();
    return ids;
  }

  io::TempFolder folder_;
  std::unique_ptr<io::Filesystem> files_ = io::make_posix_filesystem();
  std::unique_ptr<Intents> intents_;
};

TEST_F(IntentsTest, ShowsWhatAnEarlierRunLeftOnce) {
  open();
  EXPECT_TRUE(settled().empty());
  begin("a");
  intents_->end(begin("b"));
  open();
  // Whether "b" has its record is the caller's to know: both are shown.
  EXPECT_EQ(settled(), (std::vector<std::string>{"a", "b"}));
  open();
  EXPECT_TRUE(settled().empty());
  begin("c");
  open();
  EXPECT_EQ(settled(), (std::vector<std::string>{"c"}));
}

TEST_F(IntentsTest, GoesOnWithAllWhenSettlingFailed) {
  open();
  begin("a");
  begin("b");
  open();
  const auto failed = intents_->settle([](const record::Record& intent) -> Result<void> {
    return intent.id == "b" ? Result<void>(fail(ErrorCode::Unavailable, "no")) : Result<void>();
  });
  EXPECT_FALSE(failed);
  EXPECT_EQ(settled(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(IntentsTest, KeepsTheOpenOneWhileThousandsEnd) {
  open();
  EXPECT_TRUE(settled().empty());
  begin("open");
  constexpr int kMany = 3000;
  for (int i = 0; i < kMany; ++i) {
    intents_->end(begin("ended-" + std::to_string(i)));
  }
  open();
  const auto left = settled();
  ASSERT_FALSE(left.empty());
  EXPECT_EQ(left.front(), "open");
}

}  // namespace
}  // namespace opentrail::gateway
