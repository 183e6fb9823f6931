// Goal: what selectors look at is read from a record as it stands there, whatever stands there.
// Method: whole records, odd members among them.
#include "record/selector_subject.h"

#include <gtest/gtest.h>

namespace opentrail::record {
namespace {

Record record_of(std::string_view json, Category category = Category::Data) {
  Record record;
  record.category = category;
  record.json = json;
  return record;
}

TEST(SelectorSubject, ReadsWhatSelectorsLookAt) {
  const Record record = record_of(R"({"userIdentity":{"arn":"arn:aws:iam::1:user/a"},
      "eventSource":"s3.amazonaws.com","eventName":"ListObjects","eventType":"AwsApiCall",
      "errorCode":"VpceAccessDenied","vpcEndpointId":"vpce-1","sessionCredentialFromConsole":"true",
      "readOnly":true,"resources":[
      {"type":"AWS::S3::Object","ARNPrefix":"arn:aws:s3:::bucket/"},
      {"accountId":"1","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::bucket"},{"type":"x"},
      {"ARN":"y","ARN":"z"},{"type":1.5,"type":"z"},{},7,{"ARN":["z"],"type":{"ARN":"z"}}]})");
  const auto subject = selector_subject(record);
  ASSERT_TRUE(subject.has_value());
  EXPECT_EQ(subject->category, Category::Data);
  EXPECT_TRUE(subject->read_only);
  EXPECT_EQ(subject->event_source, "s3.amazonaws.com");
  EXPECT_EQ(subject->event_name, "ListObjects");
  EXPECT_EQ(subject->event_type, "AwsApiCall");
  EXPECT_EQ(subject->error_code, "VpceAccessDenied");
  EXPECT_EQ(subject->vpc_endpoint_id, "vpce-1");
  EXPECT_EQ(subject->user_identity_arn, "arn:aws:iam::1:user/a");
  EXPECT_EQ(subject->session_credential_from_console, "true");
  EXPECT_EQ(subject->resources,
            (std::vector<SelectorResource>{{"AWS::S3::Object", "arn:aws:s3:::bucket/"},
                                           {"AWS::S3::Bucket", "arn:aws:s3:::bucket"},
                                           {"x", ""},
                                           {"", "y"}}));
  EXPECT_TRUE(subject->own_texts.empty()) << "plain texts are not copied";
}

TEST(SelectorSubject, ARecordThatDoesNotSayIsAWrite) {
  constexpr struct {
    std::string_view json;
    bool read_only;
  } kCases[] = {{R"({})", false},
                {R"({"readOnly":null})", false},
                {R"({"readOnly":"true"})", true},
                {R"({"readOnly":"yes"})", false},
                {R"({"resources":"none"})", false}};
  for (const auto& item : kCases) {
    SCOPED_TRACE(item.json);
    const Record record = record_of(item.json);
    const auto subject = selector_subject(record).value();
    EXPECT_EQ(subject.read_only, item.read_only);
    EXPECT_EQ(subject.event_name, "");
    EXPECT_EQ(subject.session_credential_from_console, "");
    EXPECT_TRUE(subject.resources.empty());
  }
  EXPECT_EQ(selector_subject(record_of("[")).error().code(), ErrorCode::InvalidArgument);
}

TEST(SelectorSubject, TextsWithEscapesOutliveTheReading) {
  // The number makes the walk read a copy of the record, which goes with it.
  const Record record = record_of(R"({"eventName":"Get\u004fbject","errorCode":"\"","n":1e400,
      "eventSource":"s3.amazonaws.com","resources":[{"type":"a\/b","ARN":"c\\d"}]})");
  SelectorSubject moved;
  {
    auto subject = selector_subject(record);
    ASSERT_TRUE(subject.has_value());
    moved = *std::move(subject);
  }
  EXPECT_EQ(moved.event_name, "GetObject");
  EXPECT_EQ(moved.error_code, "\"");
  EXPECT_EQ(moved.event_source, "s3.amazonaws.com");
  EXPECT_EQ(moved.resources, (std::vector<SelectorResource>{{"a/b", "c\\d"}}));
}

}  // namespace
}  // namespace opentrail::record
