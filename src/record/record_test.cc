// Goal: routing and lookup fields are read from real and from broken records alike, and what is not
// one bounded JSON object is refused. Method: tables of records with the fields they must give, and
// the real samples under tests/data/aws.
#include "record/record.h"

#include "crypto/hash.h"
#include "io/filesystem.h"
#include "record/splitter.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::record {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Timestamp kArrival{std::chrono::milliseconds{1'795'510'000'250}};

Record parsed(std::string json) {
  auto record = parse_record(std::move(json), Origin::Import, kArrival);
  EXPECT_TRUE(record.has_value()) << (record ? "" : record.error().message());
  return record.value_or(Record());
}

LookupFields fields_of(std::string_view json) {
  auto fields = lookup_fields(json);
  EXPECT_TRUE(fields.has_value()) << (fields ? "" : fields.error().message());
  return fields.value_or(LookupFields());
}

std::string first_record_of(const std::string& path) {
  const auto files = io::make_posix_filesystem();
  const auto text = io::read_file(*files, "tests/data/aws/" + path, 1 << 20);
  EXPECT_TRUE(text.has_value()) << path;
  std::string first;
  RecordSplitter splitter([&first](const RecordSplitter::Item& item) -> Result<void> {
    if (first.empty()) {
      first = item.json;
    }
    return {};
  });
  EXPECT_TRUE(splitter.feed(text.value_or("")).has_value());
  EXPECT_TRUE(splitter.finish().has_value());
  return first;
}

TEST(ParseRecord, ReadsTheRoutingFieldsAndKeepsTheBytes) {
  const std::string json =
      R"({ "eventID":"dba7a184-0000-4000-8000-000000000001","eventTime":"2026-09-13T17:50:49Z",)"
      R"("awsRegion":"us-west-2","recipientAccountId":"111111111111",)"
      R"("userIdentity":{"accountId":"222222222222"},"eventCategory":"Management"} )";
  const Record record = parsed(json);
  EXPECT_EQ(record.id, "dba7a184-0000-4000-8000-000000000001");
  EXPECT_EQ(record.account_id, "111111111111");
  EXPECT_EQ(record.region, "us-west-2");
  EXPECT_EQ(record.event_time, parse_iso("2026-09-13T17:50:49Z"));
  EXPECT_FALSE(record.event_time_is_arrival);
  EXPECT_EQ(record.category, Category::Management);
  EXPECT_EQ(record.origin, Origin::Import);
  EXPECT_EQ(record.json, json);
}

TEST(ParseRecord, TellsTheCategory) {
  constexpr struct {
    std::string_view json;
    Category category;
  } kCases[] = {
      {R"({"eventCategory":"Management"})", Category::Management},
      {R"({"eventCategory":"Data","managementEvent":true})", Category::Data},
      {R"({"eventCategory":"NetworkActivity"})", Category::NetworkActivity},
      {R"({"eventCategory":"Insight"})", Category::Insight},
      {R"({"eventCategory":"Aggregated"})", Category::Other},
      {R"({"eventType":"AwsApiCall","managementEvent":false})", Category::Data},
      {R"({"eventType":"AwsApiCall","managementEvent":true})", Category::Management},
      {R"({"eventType":"AwsApiCall","managementEvent":"True"})", Category::Management},
      {R"({"eventType":"AwsVpceEvent"})", Category::NetworkActivity},
      {R"({"eventType":"AwsVpceEvents"})", Category::NetworkActivity},
      {R"({"eventType":"AwsCloudTrailInsight"})", Category::Insight},
      {R"({"eventType":"AwsAggregatedEvent"})", Category::Other},
      {R"({})", Category::Management},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(parsed(std::string(c.json)).category, c.category) << c.json;
  }
}

TEST(ParseRecord, StandsInForWhatIsMissingOrOfAnotherType) {
  const auto hash_id = [](std::string_view json) { return "sha256:" + crypto::sha256_hex(json); };
  for (const std::string& json :
       {std::string(R"({})"), std::string(R"({"eventID":null,"eventTime":"redacted"})"),
        std::string(R"({"eventID":"","eventTime":"..."})"),
        std::string(R"({"eventID":{"a":1},"eventTime":17})"),
        std::string(R"({"eventID":["x"],"userIdentity":"none"})"),
        fmt::format(R"({{"eventID":"{}","awsRegion":["us-east-1"]}})",
                    std::string(kRoutingValueBytesMax + 1, 'x'))}) {
    const Record record = parsed(json);
    EXPECT_EQ(record.id, hash_id(json)) << json;
    EXPECT_EQ(record.account_id, "") << json;
    EXPECT_EQ(record.region, "") << json;
    EXPECT_TRUE(record.event_time_is_arrival) << json;
    EXPECT_EQ(record.event_time, kArrival) << json;
    EXPECT_EQ(fields_of(json).event_id, record.id) << json;
  }
}

TEST(ParseRecord, TakesNumbersForTheirDigitsAndTheFirstOfTwoKeys) {
  const Record record = parsed(
      R"({"eventID":12345,"eventID":"second","recipientAccountId":123456789012,"awsRegion":"a",)"
      R"("awsRegion":"b"})");
  EXPECT_EQ(record.id, "12345");
  EXPECT_EQ(record.account_id, "123456789012");
  EXPECT_EQ(record.region, "a");
  EXPECT_EQ(
      parsed(R"({"recipientAccountId":"","userIdentity":{"accountId":"<accountId>"}})").account_id,
      "<accountId>");
}

TEST(ParseRecord, ReadsTheTimesThatAreInTheWorld) {
  constexpr std::string_view kTimes[] = {"2024-01-02T03:04:05Z", "2024-01-02 03:04:05",
                                         "2024-01-02 03:04:05.000000000"};
  for (const auto time : kTimes) {
    const Record record = parsed(fmt::format(R"({{"eventTime":"{}"}})", time));
    EXPECT_EQ(record.event_time, parse_iso("2024-01-02T03:04:05Z")) << time;
    EXPECT_FALSE(record.event_time_is_arrival) << time;
  }
}

TEST(ParseRecord, AcceptsNumbersOfAnySize) {
  const std::string json =
      R"({"eventID":"a","n":123456789012345678901234567890,"m":[-1e999,0.1e-999,1E+400],)"
      R"("text":"1e999 \" 123456789012345678901234567890"})";
  const Record record = parsed(json);
  EXPECT_EQ(record.id, "a");
  EXPECT_EQ(record.json, json);
  for (const std::string_view bad :
       {"01234567890123456789012", "1e", "--1e5", "1.e400", "+1e400"}) {
    EXPECT_FALSE(parse_record(fmt::format(R"({{"n":{}}})", bad), Origin::Import, kArrival)) << bad;
  }
}

TEST(ParseRecord, RefusesWhatIsNotOneObject) {
  const struct {
    std::string json;
    std::string_view message;
  } cases[] = {
      {"", "not valid JSON"},
      {"   ", "not valid JSON"},
      {"[]", "not a JSON object"},
      {"\"text\"", "not a JSON object"},
      {"7", "not a JSON object"},
      {"null", "not a JSON object"},
      {"{", "not valid JSON"},
      {"{}{}", "not valid JSON"},
      {"{} x", "not valid JSON"},
      {"{\"a\":1,}", "not valid JSON"},
      {"{\"a\":\"\xFF\"}", "not valid JSON"},
      {"{\"a\":\"line\nbreak\"}", "not valid JSON"},
      {"{'a':1}", "not valid JSON"},
      {"{\"a\":\"" + std::string(kRecordBytesMax, 'x') + "\"}", "at most 1048576 bytes"},
  };
  for (const auto& c : cases) {
    const auto record = parse_record(c.json, Origin::Import, kArrival);
    ASSERT_FALSE(record.has_value()) << c.json.substr(0, 40);
    EXPECT_EQ(record.error().code(), ErrorCode::InvalidArgument);
    EXPECT_THAT(record.error().message(), HasSubstr(c.message));
  }
}

TEST(ParseRecord, BoundsSizeAndDepthExactly) {
  const auto nested = [](std::size_t depth) {
    std::string json;
    for (std::size_t i = 1; i < depth; ++i) {
      json += R"({"a":)";
    }
    return json + "{}" + std::string(depth - 1, '}');
  };
  EXPECT_TRUE(parse_record(nested(kRecordDepthMax), Origin::Import, kArrival));
  const auto deep = parse_record(nested(kRecordDepthMax + 1), Origin::Import, kArrival);
  ASSERT_FALSE(deep.has_value());
  EXPECT_THAT(deep.error().message(), HasSubstr("deeper than 128"));

  const std::string frame = R"({"a":""})";
  std::string largest = frame;
  largest.insert(6, kRecordBytesMax - frame.size(), 'x');
  EXPECT_TRUE(parse_record(largest, Origin::Import, kArrival));
  const std::string deep_and_large =
      R"({"pad":")" + std::string(100'000, 'x') + R"(","d":)" + nested(kRecordDepthMax) + "}";
  EXPECT_FALSE(parse_record(deep_and_large, Origin::Import, kArrival));
}

TEST(LookupFields, NamesTheUser) {
  constexpr struct {
    std::string_view identity;
    std::string_view username;
  } kCases[] = {
      {R"({"type":"IAMUser","userName":"alice"})", "alice"},
      {R"({"type":"Root","accountId":"1","userName":"my-alias"})", "root"},
      {R"({"type":"AssumedRole","principalId":"AROAX:session-1",)"
       R"("arn":"arn:aws:sts::1:assumed-role/R/session-1",)"
       R"("sessionContext":{"sessionIssuer":{"userName":"R"}}})",
       "session-1"},
      {R"({"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/R/from-arn"})", "from-arn"},
      {R"({"type":"FederatedUser","principalId":"111111111111:bob"})", "bob"},
      {R"({"type":"SAMLUser","principalId":"q:sub","userName":"sub"})", "sub"},
      {R"({"type":"AWSService","invokedBy":"config.amazonaws.com"})", ""},
      {R"({"type":"AWSAccount","principalId":"AIDA","accountId":"1"})", ""},
      {R"({"type":"IAMUser","userName":7})", "7"},
      {R"({"type":"IAMUser","userName":{"a":"b"}})", ""},
      {R"({"userName":"no-type"})", "no-type"},
      {R"("someone")", ""},
      {R"(null)", ""},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(fields_of(fmt::format(R"({{"userIdentity":{}}})", c.identity)).username, c.username)
        << c.identity;
  }
}

TEST(LookupFields, SaysReadOnlyAsText) {
  constexpr struct {
    std::string_view value, shown;
  } kCases[] = {{"true", "true"}, {"false", "false"}, {"\"True\"", "true"}, {"\"false\"", "false"},
                {"null", ""},     {"1", ""},          {"\"maybe\"", ""}};
  for (const auto& c : kCases) {
    EXPECT_EQ(fields_of(fmt::format(R"({{"readOnly":{}}})", c.value)).read_only, c.shown)
        << c.value;
  }
  EXPECT_EQ(fields_of("{}").read_only, "");
}

TEST(LookupFields, GetTrailStatusHasItsTrailAsResource) {
  const auto fields = fields_of(
      R"({"eventSource":"cloudtrail.amazonaws.com","eventName":"GetTrailStatus",)"
      R"("requestParameters":{"name":"t"},"userIdentity":{"accessKeyId":"AKIAEXAMPLE"}})");
  EXPECT_EQ(fields.event_name, "GetTrailStatus");
  EXPECT_EQ(fields.event_source, "cloudtrail.amazonaws.com");
  EXPECT_EQ(fields.access_key_id, "AKIAEXAMPLE");
  EXPECT_THAT(fields.resources, ElementsAre(ResourceName{"AWS::CloudTrail::Trail", "t"}));
}

TEST(LookupFields, FindsResourcesByWholeArnAndByName) {
  const auto fields = fields_of(
      R"({"eventSource":"s3.amazonaws.com","eventName":"PutObject","resources":[)"
      R"({"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/folder/key"},)"
      R"({"accountId":"1","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b"},)"
      R"({"type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b"},{"type":"AWS::CloudWatch::Metric"},)"
      R"("odd",null,{"ARN":7}],"requestParameters":{"bucketName":"b"}})");
  EXPECT_THAT(fields.resources,
              ElementsAre(ResourceName{"AWS::S3::Object", "arn:aws:s3:::b/folder/key"},
                          ResourceName{"AWS::S3::Object", "folder/key"},
                          ResourceName{"AWS::S3::Bucket", "arn:aws:s3:::b"},
                          ResourceName{"AWS::S3::Bucket", "b"}, ResourceName{"", "7"}));
}

TEST(LookupFields, DerivesNamesFromParametersAndResponse) {
  const auto create_user = fields_of(
      R"({"eventSource":"iam.amazonaws.com","eventName":"CreateUser",)"
      R"("requestParameters":{"userName":"bob"},"responseElements":{"user":{"userName":"bob",)"
      R"("arn":"arn:aws:iam::1:user/team/bob","userId":"AIDAEXAMPLE"}}})");
  EXPECT_THAT(create_user.resources,
              ElementsAre(ResourceName{"AWS::IAM::User", "bob"},
                          ResourceName{"AWS::IAM::User", "arn:aws:iam::1:user/team/bob"},
                          ResourceName{"AWS::IAM::User", "AIDAEXAMPLE"}));
  const auto stop = fields_of(
      R"({"eventSource":"ec2.amazonaws.com","eventName":"StopInstances","requestParameters":)"
      R"({"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"},"odd",{}]}}})");
  EXPECT_THAT(stop.resources, ElementsAre(ResourceName{"AWS::EC2::Instance", "i-1"},
                                          ResourceName{"AWS::EC2::Instance", "i-2"}));
  const auto store =
      fields_of(R"({"eventSource":"cloudtrail.amazonaws.com","eventName":"CreateEventDataStore",)"
                R"("requestParameters":{"name":"lake"}})");
  EXPECT_THAT(store.resources,
              ElementsAre(ResourceName{"AWS::CloudTrail::EventDataStore", "lake"}));
  EXPECT_THAT(
      fields_of(R"({"eventSource":"new.example.com","requestParameters":{"name":"x"}})").resources,
      IsEmpty());
}

TEST(LookupFields, BoundsTheNumberOfNames) {
  std::string items;
  for (int i = 0; i < 100; ++i) {
    items += fmt::format("{}{{\"instanceId\":\"i-{}\"}}", i == 0 ? "" : ",", i);
  }
  const auto fields =
      fields_of(fmt::format(R"({{"eventSource":"ec2.amazonaws.com","eventName":"RunInstances",)"
                            R"("responseElements":{{"instancesSet":{{"items":[{}]}}}}}})",
                            items));
  EXPECT_EQ(fields.resources.size(), kResourceNamesMax);
}

TEST(LookupFields, ReadsRealRecords) {
  const auto stop =
      fields_of(first_record_of("stratus-red-team/aws.defense-evasion.cloudtrail-stop.json"));
  EXPECT_EQ(stop.event_id, "10163ed2-2253-469d-a5ee-cbc6651f8934");
  EXPECT_EQ(stop.event_name, "StopLogging");
  EXPECT_EQ(stop.username, "christophe");
  EXPECT_EQ(stop.access_key_id, "AKIAGGWFBBHBE7D3M9WI");
  EXPECT_EQ(stop.read_only, "false");
  EXPECT_THAT(stop.resources,
              ElementsAre(ResourceName{"AWS::CloudTrail::Trail",
                                       "stratus-red-team-ct-stop-trail-buykxbqejv"}));

  const std::string bucket =
      first_record_of("cloud-custodian/event-cloud-trail-create-bucket.json");
  EXPECT_EQ(fields_of(bucket).username, "root");
  EXPECT_EQ(fields_of(bucket).read_only, "");
  EXPECT_EQ(parsed(bucket).account_id, "619193117841");
  EXPECT_EQ(parsed(bucket).region, "us-west-2");

  const auto role = fields_of(first_record_of(
      "trailscraper/111111111111_CloudTrail_eu-central-1_20171211T1505Z_A6kvhMoVeCsc7v8U.json"));
  EXPECT_EQ(role.username, "AutoScalingDescribeHandlerSession");
}

}  // namespace
}  // namespace opentrail::record
