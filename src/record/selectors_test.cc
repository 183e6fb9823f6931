// Goal: a trail gets the records its basic event selectors name, and no others.
// Method: tables of (selector value, resource ARN) with the near misses that prefixes invite, and
// whole records for what a selector looks at.
#include "record/selectors.h"

#include <gtest/gtest.h>

namespace opentrail::record {
namespace {

SelectorSubject management(bool read_only, std::string source = "iam.amazonaws.com") {
  SelectorSubject subject;
  subject.read_only = read_only;
  subject.event_source = std::move(source);
  return subject;
}

SelectorSubject data(std::vector<std::string> arns, bool read_only = true) {
  SelectorSubject subject;
  subject.category = Category::Data;
  subject.read_only = read_only;
  subject.resource_arns = std::move(arns);
  return subject;
}

TEST(Selectors, TheDefaultSelectorWantsAllManagementEventsAndNothingElse) {
  const std::vector<EventSelector> selectors(1);
  EXPECT_TRUE(selects(selectors, management(true)));
  EXPECT_TRUE(selects(selectors, management(false)));
  EXPECT_FALSE(selects(selectors, data({"arn:aws:s3:::bucket/key"})));
  for (const auto category : {Category::NetworkActivity, Category::Insight, Category::Other}) {
    SelectorSubject subject = management(true);
    subject.category = category;
    EXPECT_FALSE(selects(selectors, subject));
  }
  EXPECT_FALSE(selects({}, management(true)));
}

TEST(Selectors, ReadWriteTypeHoldsForBothKinds) {
  EventSelector selector;
  selector.data_resources = {{"AWS::S3::Object", {"arn:aws:s3"}}};
  constexpr struct {
    ReadWriteType type;
    bool reads, writes;
  } kCases[] = {{ReadWriteType::All, true, true},
                {ReadWriteType::ReadOnly, true, false},
                {ReadWriteType::WriteOnly, false, true}};
  for (const auto& wanted : kCases) {
    SCOPED_TRACE(to_string(wanted.type));
    selector.read_write_type = wanted.type;
    EXPECT_EQ(selects({selector}, management(true)), wanted.reads);
    EXPECT_EQ(selects({selector}, management(false)), wanted.writes);
    EXPECT_EQ(selects({selector}, data({"arn:aws:s3:::b/k"}, true)), wanted.reads);
    EXPECT_EQ(selects({selector}, data({"arn:aws:s3:::b/k"}, false)), wanted.writes);
    EXPECT_EQ(parse_read_write_type(to_string(wanted.type)), wanted.type);
  }
  EXPECT_FALSE(parse_read_write_type("readonly").has_value());
  EXPECT_FALSE(parse_read_write_type("").has_value());
}

TEST(Selectors, ManagementEventsCanBeLeftOutWhollyOrBySource) {
  EventSelector selector;
  selector.exclude_management_event_sources = {"kms.amazonaws.com"};
  EXPECT_FALSE(selects({selector}, management(true, "kms.amazonaws.com")));
  EXPECT_TRUE(selects({selector}, management(true, "iam.amazonaws.com")));
  selector.include_management_events = false;
  EXPECT_FALSE(selects({selector}, management(true)));
  // Any selector of a trail may want the record.
  EXPECT_TRUE(selects({selector, EventSelector{}}, management(true, "kms.amazonaws.com")));
}

TEST(Selectors, ComparesDataResourcesAsTheirTypeWants) {
  constexpr struct {
    std::string_view type, value, arn;
    bool wanted;
  } kCases[] = {
      {"AWS::S3::Object", "arn:aws:s3", "arn:aws:s3:::bucket/key", true},
      {"AWS::S3::Object", "arn:aws:s3:::", "arn:aws:s3:::bucket/key", true},
      {"AWS::S3::Object", "arn:aws:s3:::", "arn:aws:s3:::bucket", true},
      {"AWS::S3::Object", "arn:aws:s3", "arn:aws:s3-outposts:us-east-1:1:outpost/x", false},
      {"AWS::S3::Object", "arn:aws:s3:::bucket/", "arn:aws:s3:::bucket/key", true},
      {"AWS::S3::Object", "arn:aws:s3:::bucket/", "arn:aws:s3:::bucket", true},
      {"AWS::S3::Object", "arn:aws:s3:::bucket/", "arn:aws:s3:::bucket2/key", false},
      {"AWS::S3::Object", "arn:aws:s3:::bucket/pre", "arn:aws:s3:::bucket/prefix/key", true},
      {"AWS::S3::Object", "arn:aws:s3:::bucket/pre", "arn:aws:s3:::bucket/other", false},
      {"AWS::S3::Object", "arn:aws:s3:::bucket/pre", "arn:aws:s3:::bucket", false},
      {"AWS::S3::Object", "arn:aws:s3:::Bucket/", "arn:aws:s3:::bucket/key", false},
      {"AWS::S3::Object", "arn:aws:s3", "", false},
      {"AWS::Lambda::Function", "arn:aws:lambda", "arn:aws:lambda:r:1:function:f", true},
      {"AWS::Lambda::Function", "arn:aws:lambda:r:1:function:helloworld",
       "arn:aws:lambda:r:1:function:helloworld", true},
      {"AWS::Lambda::Function", "arn:aws:lambda:r:1:function:helloworld",
       "arn:aws:lambda:r:1:function:helloworld2", false},
      {"AWS::Lambda::Function", "arn:aws:lambda", "arn:aws:s3:::bucket/key", false},
      {"AWS::DynamoDB::Table", "arn:aws:dynamodb", "arn:aws:dynamodb:r:1:table/t", true},
      {"AWS::DynamoDB::Table", "arn:aws:dynamodb:r:1:table/t", "arn:aws:dynamodb:r:1:table/t2",
       false},
      {"AWS::Unknown::Type", "arn:aws:s3", "arn:aws:s3:::bucket/key", false},
  };
  for (const auto& item : kCases) {
    SCOPED_TRACE(std::string(item.value) + " : " + std::string(item.arn));
    EventSelector selector;
    selector.include_management_events = false;
    selector.data_resources = {{std::string(item.type), {std::string(item.value)}}};
    EXPECT_EQ(selects({selector}, data({std::string(item.arn)})), item.wanted);
  }
}

TEST(Selectors, AnyResourceOfTheRecordMayBeTheOne) {
  EventSelector selector;
  selector.data_resources = {{"AWS::S3::Object", {"arn:aws:s3:::other/", "arn:aws:s3:::bucket/"}}};
  EXPECT_TRUE(selects({selector}, data({"arn:aws:iam::1:role/x", "arn:aws:s3:::bucket/key"})));
  EXPECT_FALSE(selects({selector}, data({})));
}

TEST(Selectors, ReadsWhatItNeedsFromARecord) {
  Record record;
  record.category = Category::Data;
  record.json = R"({"eventSource":"s3.amazonaws.com","readOnly":true,"resources":[
      {"type":"AWS::S3::Object","ARNPrefix":"arn:aws:s3:::bucket/"},
      {"accountId":"1","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::bucket"},{"type":"x"},7]})";
  const auto subject = selector_subject(record);
  ASSERT_TRUE(subject.has_value());
  EXPECT_EQ(subject->category, Category::Data);
  EXPECT_TRUE(subject->read_only);
  EXPECT_EQ(subject->event_source, "s3.amazonaws.com");
  EXPECT_EQ(subject->resource_arns,
            (std::vector<std::string>{"arn:aws:s3:::bucket/", "arn:aws:s3:::bucket"}));
}

TEST(Selectors, ARecordThatDoesNotSayIsAWrite) {
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
    Record record;
    record.json = item.json;
    EXPECT_EQ(selector_subject(record).value().read_only, item.read_only);
  }
  Record broken;
  broken.json = "[";
  EXPECT_EQ(selector_subject(broken).error().code(), ErrorCode::InvalidArgument);
}

TEST(Selectors, KnowsGlobalServices) {
  EXPECT_TRUE(is_global_service("iam.amazonaws.com"));
  EXPECT_TRUE(is_global_service("signin.amazonaws.com"));
  EXPECT_FALSE(is_global_service("sts.amazonaws.com"));
  EXPECT_FALSE(is_global_service("cloudtrail.amazonaws.com"));
}

}  // namespace
}  // namespace opentrail::record
