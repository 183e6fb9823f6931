// Goal: records made here have AWS's fields in AWS's order, and keep AWS's size limits whatever the
// caller sent. Method: whole records compared byte for byte with the shapes of the specification
// (records §1.2, §1.3, §1.6, §1.8, §2.2), and every record read back.
#include "record/builder.h"

#include "base/json.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::record {
namespace {

using testing::HasSubstr;
using testing::Not;

CallFacts trail_status() {
  CallFacts facts;
  facts.identity = {.type = "IAMUser",
                    .principal_id = "AIDAEXAMPLE",
                    .arn = "arn:aws:iam::111111111111:user/U",
                    .account_id = "111111111111",
                    .access_key_id = "AKIAEXAMPLE",
                    .user_name = "U",
                    .invoked_by = "",
                    .session_context_json = ""};
  facts.event_time = parse_iso("2026-09-13T17:50:49.750Z").value();
  facts.event_source = "cloudtrail.amazonaws.com";
  facts.event_name = "GetTrailStatus";
  facts.region = "us-east-1";
  facts.source_ip_address = "192.0.2.10";
  facts.user_agent = "aws-cli/2.15";
  facts.request_parameters_json = R"({"name":"t"})";
  facts.request_id = "623d0143-0000-4000-8000-000000000000";
  facts.event_id = "dba7a184-0000-4000-8000-000000000000";
  facts.read_only = true;
  facts.recipient_account_id = "111111111111";
  facts.tls = TlsInfo{"TLSv1.3", "TLS_AES_128_GCM_SHA256", "cloudtrail.us-east-1.amazonaws.com"};
  return facts;
}

std::vector<Terms::Term> terms_of(const Record& record) {
  std::vector<Terms::Term> terms;
  for (const Terms::Term term : record.terms) {
    terms.push_back(term);
  }
  return terms;
}

Record built(const CallFacts& facts) {
  Record record = build_record(facts);
  EXPECT_TRUE(parse_json(record.json, {.depth_max = kRecordDepthMax}).has_value()) << record.json;
  EXPECT_LE(record.json.size(), kOwnRecordBytesMax);
  const auto again = parse_record(record.json, Origin::Call, Timestamp{});
  EXPECT_EQ(again->id, record.id);
  EXPECT_EQ(again->account_id, record.account_id);
  EXPECT_EQ(again->region, record.region);
  EXPECT_EQ(again->event_time, record.event_time);
  EXPECT_EQ(again->category, record.category);
  EXPECT_EQ(again->event_time_is_arrival, record.event_time_is_arrival);
  EXPECT_TRUE(terms_of(*again) == terms_of(record));
  EXPECT_FALSE(record.terms.empty());
  return record;
}

json::object object_of(const Record& record) { return parse_json(record.json)->as_object(); }

TEST(BuildRecord, IsTheSampleOfTheSpecification) {
  const Record record = built(trail_status());
  EXPECT_EQ(
      record.json,
      R"({"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLE",)"
      R"("arn":"arn:aws:iam::111111111111:user/U","accountId":"111111111111",)"
      R"("accessKeyId":"AKIAEXAMPLE","userName":"U"},"eventTime":"2026-09-13T17:50:49Z",)"
      R"("eventSource":"cloudtrail.amazonaws.com","eventName":"GetTrailStatus",)"
      R"("awsRegion":"us-east-1","sourceIPAddress":"192.0.2.10","userAgent":"aws-cli/2.15",)"
      R"("requestParameters":{"name":"t"},"responseElements":null,)"
      R"("requestID":"623d0143-0000-4000-8000-000000000000",)"
      R"("eventID":"dba7a184-0000-4000-8000-000000000000","readOnly":true,)"
      R"("eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111111111111",)"
      R"("eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3",)"
      R"("cipherSuite":"TLS_AES_128_GCM_SHA256",)"
      R"("clientProvidedHostHeader":"cloudtrail.us-east-1.amazonaws.com"}})");
  EXPECT_EQ(record.id, "dba7a184-0000-4000-8000-000000000000");
  EXPECT_EQ(record.account_id, "111111111111");
  EXPECT_EQ(record.region, "us-east-1");
  EXPECT_EQ(record.event_time, parse_iso("2026-09-13T17:50:49Z"));
  EXPECT_EQ(record.origin, Origin::Call);
  EXPECT_FALSE(record.event_time_is_arrival);
}

TEST(BuildRecord, WritesEveryFieldInOrder) {
  CallFacts facts = trail_status();
  facts.identity.type = "AssumedRole";
  facts.identity.user_name = "";
  facts.identity.invoked_by = "config.amazonaws.com";
  facts.identity.session_context_json = R"({"attributes":{"mfaAuthenticated":"false"}})";
  facts.error_code = "TrailNotFoundException";
  facts.error_message = "Unknown trail: X for the user: 111111111111";
  facts.request_parameters_json = "";
  facts.response_elements_json = R"({"a":[1]})";
  facts.additional_event_data_json = R"({"SignatureVersion":"SigV4"})";
  facts.read_only = false;
  facts.resources = {{"1", "AWS::S3::Bucket", "arn:aws:s3:::b"}, {"", "AWS::S3::Object", ""}};
  facts.api_version = "2015-03-31";
  facts.category = Category::Data;
  facts.tls.reset();
  EXPECT_EQ(
      built(facts).json,
      R"({"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AIDAEXAMPLE",)"
      R"("arn":"arn:aws:iam::111111111111:user/U","accountId":"111111111111",)"
      R"("accessKeyId":"AKIAEXAMPLE","sessionContext":{"attributes":{"mfaAuthenticated":"false"}},)"
      R"("invokedBy":"config.amazonaws.com"},"eventTime":"2026-09-13T17:50:49Z",)"
      R"("eventSource":"cloudtrail.amazonaws.com","eventName":"GetTrailStatus",)"
      R"("awsRegion":"us-east-1","sourceIPAddress":"192.0.2.10","userAgent":"aws-cli/2.15",)"
      R"("errorCode":"TrailNotFoundException",)"
      R"("errorMessage":"Unknown trail: X for the user: 111111111111",)"
      R"("requestParameters":null,"responseElements":{"a":[1]},)"
      R"("additionalEventData":{"SignatureVersion":"SigV4"},)"
      R"("requestID":"623d0143-0000-4000-8000-000000000000",)"
      R"("eventID":"dba7a184-0000-4000-8000-000000000000","readOnly":false,)"
      R"("resources":[{"accountId":"1","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b"},)"
      R"({"type":"AWS::S3::Object"}],"eventType":"AwsApiCall","apiVersion":"2015-03-31",)"
      R"("managementEvent":false,"recipientAccountId":"111111111111","eventCategory":"Data"})");
}

TEST(BuildRecord, WritesASignInFailureWithAnEmptyAccessKeyId) {
  CallFacts facts;
  facts.identity.type = "IAMUser";
  facts.identity.account_id = "111111111111";
  facts.identity.access_key_id = "";
  facts.identity.user_name = std::string(kHiddenForSecurity);
  facts.event_time = parse_iso("2026-09-13T17:50:49Z").value();
  facts.event_source = "signin.amazonaws.com";
  facts.event_name = "ConsoleLogin";
  facts.region = "us-east-1";
  facts.source_ip_address = "192.0.2.10";
  facts.error_message = "No username found in supplied account";
  facts.response_elements_json = R"({"ConsoleLogin":"Failure"})";
  facts.event_id = "dba7a184-0000-4000-8000-000000000000";
  facts.read_only = false;
  facts.event_type = "AwsConsoleSignIn";
  const Record record = built(facts);
  EXPECT_EQ(
      record.json,
      R"({"eventVersion":"1.11","userIdentity":{"type":"IAMUser","accountId":"111111111111",)"
      R"("accessKeyId":"","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"},)"
      R"("eventTime":"2026-09-13T17:50:49Z","eventSource":"signin.amazonaws.com",)"
      R"("eventName":"ConsoleLogin","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.10",)"
      R"("errorMessage":"No username found in supplied account","requestParameters":null,)"
      R"("responseElements":{"ConsoleLogin":"Failure"},)"
      R"("eventID":"dba7a184-0000-4000-8000-000000000000","readOnly":false,)"
      R"("eventType":"AwsConsoleSignIn","managementEvent":true,"eventCategory":"Management"})");
  EXPECT_EQ(record.account_id, "111111111111");
}

TEST(BuildRecord, NetworkActivityLeavesOutWhatItNeverHas) {
  CallFacts facts = trail_status();
  facts.category = Category::NetworkActivity;
  facts.event_type = "AwsVpceEvent";
  facts.resources = {{"1", "AWS::S3::Bucket", "arn:aws:s3:::b"}};
  const json::object record = object_of(built(facts));
  for (const auto* absent : {"userAgent", "requestParameters", "responseElements", "readOnly",
                             "managementEvent", "resources"}) {
    EXPECT_FALSE(record.contains(absent)) << absent;
  }
  EXPECT_EQ(string_member(record, "eventCategory"), "NetworkActivity");
}

TEST(BuildRecord, CutsStringsBetweenCharacters) {
  CallFacts facts = trail_status();
  std::string agent = "x";
  while (agent.size() < 3000) {
    agent += "\u20ac";  // three bytes: 1 + 3 * 341 = 1024
  }
  facts.user_agent = agent + "y";
  facts.error_code = std::string(5000, 'c');
  facts.error_message = "\xFF" + std::string(5000, 'm');
  facts.request_id = std::string(kScalarBytesMax, 'r');
  const json::object record = object_of(built(facts));
  EXPECT_EQ(string_member(record, "userAgent"), agent.substr(0, 1024));
  EXPECT_EQ(string_member(record, "errorCode"), std::string(1024, 'c'));
  EXPECT_EQ(string_member(record, "errorMessage"), "\uFFFD" + std::string(1021, 'm'));
  EXPECT_EQ(string_member(record, "requestID"), facts.request_id);
}

std::string object_of_size(std::size_t bytes) {
  const std::string frame = R"({"a":""})";
  return R"({"a":")" + std::string(bytes - frame.size(), 'x') + R"("})";
}

TEST(BuildRecord, ReplacesObjectsOverTheirLimit) {
  const struct {
    std::string CallFacts::* field;
    std::size_t limit;
    std::string_view name;
  } cases[] = {
      {&CallFacts::request_parameters_json, 102'400, "requestParameters"},
      {&CallFacts::response_elements_json, 102'400, "responseElements"},
      {&CallFacts::additional_event_data_json, 28'672, "additionalEventData"},
  };
  for (const auto& c : cases) {
    CallFacts facts = trail_status();
    facts.*c.field = object_of_size(c.limit);
    EXPECT_THAT(built(facts).json, HasSubstr(fmt::format("\"{}\":{}", c.name, facts.*c.field)));
    facts.*c.field = object_of_size(c.limit + 1);
    EXPECT_THAT(built(facts).json,
                HasSubstr(fmt::format(
                    R"("{0}":{{"reason":"{0} too large","omitted":true,"originalSize":{1}}})",
                    c.name, c.limit + 1)));
  }
}

TEST(BuildRecord, ShrinksTheWholeInAwsOrder) {
  CallFacts facts = trail_status();
  facts.request_parameters_json = object_of_size(kParametersBytesMax);
  facts.response_elements_json = object_of_size(kParametersBytesMax);
  facts.additional_event_data_json = object_of_size(kAdditionalDataBytesMax);
  facts.resources.assign(40, {"1", "AWS::S3::Bucket", std::string(1000, 'r')});
  // 228 KB of objects and 40 KB of resources: the additional data alone is enough to give up.
  std::string json = built(facts).json;
  EXPECT_THAT(json, HasSubstr(R"({"reason":"additionalEventData too large")"));
  EXPECT_THAT(json, HasSubstr(facts.response_elements_json));
  EXPECT_THAT(json, HasSubstr(facts.request_parameters_json));

  facts.resources.assign(100, {"1", "AWS::S3::Bucket", std::string(1000, 'r')});
  json = built(facts).json;
  EXPECT_THAT(json, HasSubstr(R"({"reason":"responseElements too large")"));
  EXPECT_THAT(json, HasSubstr(facts.request_parameters_json));

  facts.resources.assign(200, {"1", "AWS::S3::Bucket", std::string(1000, 'r')});
  json = built(facts).json;
  EXPECT_THAT(json, HasSubstr(R"({"reason":"requestParameters too large")"));
  EXPECT_EQ(object_of(built(facts)).at("resources").as_array().size(), 200U);

  facts.resources.assign(1000, {"1", "AWS::S3::Bucket", std::string(1000, 'r')});
  EXPECT_EQ(object_of(built(facts)).at("resources").as_array().size(), 125U);
}

TEST(BuildRecord, StaysWithinTheLimitAtTheWorstInput) {
  const std::string worst(10'000, '\x01');  // each byte becomes six
  CallFacts facts;
  facts.identity = {worst, worst, worst, worst,
                    worst, worst, worst, object_of_size(kSessionContextBytesMax)};
  facts.event_source = facts.event_name = facts.region = facts.source_ip_address = worst;
  facts.user_agent = facts.error_code = facts.error_message = facts.request_id = worst;
  facts.event_id = facts.event_type = facts.api_version = facts.recipient_account_id = worst;
  facts.request_parameters_json = object_of_size(kParametersBytesMax);
  facts.response_elements_json = object_of_size(kParametersBytesMax);
  facts.additional_event_data_json = object_of_size(kAdditionalDataBytesMax);
  facts.resources.assign(500, {worst, worst, worst});
  facts.tls = TlsInfo{worst, worst, worst};
  const Record record = built(facts);
  EXPECT_THAT(record.id, HasSubstr("sha256:"));
}

TEST(BuildRecord, StaysValidJsonWhenAPartIsNot) {
  for (const std::string_view bad : {"{", "{} {}", "nonsense", "\"open", "{\"a\":\"\xFF\"}"}) {
    CallFacts facts = trail_status();
    facts.request_parameters_json = bad;
    EXPECT_THAT(
        built(facts).json,
        HasSubstr(R"("requestParameters":{"reason":"requestParameters is not valid JSON")"));
  }
  CallFacts facts = trail_status();
  std::string deep;
  for (std::size_t i = 0; i < kRecordDepthMax; ++i) {
    deep += "[";
  }
  deep += std::string(kRecordDepthMax, ']');
  facts.identity.session_context_json = deep;
  EXPECT_THAT(built(facts).json, HasSubstr("sessionContext is not valid JSON"));
  facts.identity.session_context_json = deep.substr(2, deep.size() - 4);
  EXPECT_THAT(built(facts).json, Not(HasSubstr("not valid JSON")));
}

}  // namespace
}  // namespace opentrail::record
