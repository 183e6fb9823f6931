// Goal: a column shows the values that the search language finds under the same name. Method: one
// event with everything, and names that are none.
#include "cli/event_columns.h"

#include "cli/event_printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

LookupEvent event() {
  LookupEvent event;
  event.event_id = "id-1";
  event.event_time = "2026-11-24T08:46:40Z";
  event.resources = {{"AWS::S3::Bucket", "logs"}, {"", "arn"}};
  event.record =
      R"({"eventName":"PutObject","userIdentity":{"type":"Root","arn":"arn:aws:iam::1:root"},)"
      R"("sourceIPAddress":"192.0.2.1","errorCode":"NoSuchKey","requestParameters":)"
      R"({"bucketName":"logs","n":7,"items":[{"k":"a"},{"k":"b"}],"tags":["x","y"]}})";
  return event;
}

TEST(EventColumns, ShowWhatTheNamesStandFor) {
  const auto columns = EventColumns::parse(
      "time, id,name,user,ip,error,arn,resources,requestParameters.bucketName,"
      "requestParameters.items.k,requestParameters.tags,requestParameters.n,requestParameters."
      "none");
  ASSERT_TRUE(columns.has_value()) << columns.error().message();
  EXPECT_EQ(columns->names()[1], "id");
  EXPECT_THAT(
      columns->values(event()),
      ElementsAre("2026-11-24T08:46:40Z", "id-1", "PutObject", "root", "192.0.2.1", "NoSuchKey",
                  "arn:aws:iam::1:root", "logs, arn", "logs", "a, b", "x, y", "7", ""));
  LookupEvent broken = event();
  broken.record = "no JSON";
  EXPECT_EQ(columns->values(broken)[2], "");
}

TEST(EventColumns, RefuseWhatIsNoName) {
  for (const std::string_view list :
       {"", "user,", "a or b", "user = x", "not user", "user exists)", "usr"}) {
    const auto columns = EventColumns::parse(list);
    ASSERT_FALSE(columns.has_value()) << list;
    EXPECT_THAT(columns.error().message(), HasSubstr("--fields"));
  }
}

}  // namespace
}  // namespace opentrail::cli
