// Goal: LookupEvents asks history for exactly what was meant, shows events in AWS's shape, refuses
// with its errors, and lets an administrator alone look into another account. Method: a history
// that keeps the query it was asked.
#include "services/cloudtrail/service_kit_test.h"

namespace opentrail::services::cloudtrail {
namespace {

using history::LookupKey;

TEST_F(CloudTrailTest, LookupShowsEventsInTheShapeOfTheModel) {
  history::FoundEvent full;
  full.fields.event_id = "id-1";
  full.fields.event_name = "CreateTrail";
  full.fields.event_source = "cloudtrail.amazonaws.com";
  full.fields.username = "admin";
  full.fields.access_key_id = "AKIA1";
  full.fields.read_only = "false";
  full.fields.resources = {{"AWS::CloudTrail::Trail", "main"}, {"", "arn"}};
  full.event_time = Timestamp(std::chrono::seconds{1'795'000'000});
  full.json = R"({"eventID":"id-1"})";
  history::FoundEvent bare;
  bare.fields.event_id = "id-2";
  bare.event_time = full.event_time;
  bare.json = "{}";
  history_.page_ = {{full, bare}, "more"};
  const auto found = call("LookupEvents", "");
  EXPECT_EQ(found.outcome.body,
            R"({"Events":[{"EventId":"id-1","EventName":"CreateTrail","ReadOnly":"false",)"
            R"("AccessKeyId":"AKIA1","EventTime":1795000000,)"
            R"("EventSource":"cloudtrail.amazonaws.com","Username":"admin","Resources":[)"
            R"({"ResourceType":"AWS::CloudTrail::Trail","ResourceName":"main"},)"
            R"({"ResourceName":"arn"}],"CloudTrailEvent":"{\"eventID\":\"id-1\"}"},)"
            R"({"EventId":"id-2","EventTime":1795000000,"Resources":[],"CloudTrailEvent":"{}"}],)"
            R"("NextToken":"more"})");
  EXPECT_TRUE(found.operation.read_only);
  EXPECT_TRUE(found.outcome.response_elements.is_null());
  EXPECT_TRUE(found.operation.request_parameters.is_null());
  history_.page_ = {};
  EXPECT_EQ(call("LookupEvents", "{}").outcome.body, R"({"Events":[]})");
}

TEST_F(CloudTrailTest, LookupPassesOnWhatWasAsked) {
  const auto asked = call("LookupEvents",
                          R"({"LookupAttributes":[{"AttributeKey":"EventName",
                              "AttributeValue":"RunInstances"}],"StartTime":1794000000.25,
                              "EndTime":1795000000,"MaxResults":7,"NextToken":"t"})",
                          "eu-west-1");
  ASSERT_TRUE(history_.last_query_.has_value());
  const auto& query = *history_.last_query_;
  EXPECT_EQ(query.account_id, "111122223333");
  EXPECT_EQ(query.region, "eu-west-1");
  EXPECT_EQ(query.filter->key, LookupKey::EventName);
  EXPECT_EQ(query.filter->value, "RunInstances");
  EXPECT_EQ(query.start_time, Timestamp(std::chrono::milliseconds{1'794'000'000'250}));
  EXPECT_EQ(query.end_time, Timestamp(std::chrono::seconds{1'795'000'000}));
  EXPECT_EQ(query.results_max, 7U);
  EXPECT_EQ(query.next_token, "t");
  EXPECT_EQ(to_text(asked.operation.request_parameters),
            R"({"lookupAttributes":[{"attributeKey":"EventName","attributeValue":"RunInstances"}],)"
            R"("startTime":"2026-11-06T21:20:00Z","endTime":"2026-11-18T11:06:40Z","maxResults":7,)"
            R"("nextToken":"t"})");
}

TEST_F(CloudTrailTest, LookupKnowsAllEightAttributes) {
  constexpr std::pair<std::string_view, LookupKey> kKeys[] = {
      {"EventId", LookupKey::EventId},           {"EventName", LookupKey::EventName},
      {"ReadOnly", LookupKey::ReadOnly},         {"Username", LookupKey::Username},
      {"ResourceType", LookupKey::ResourceType}, {"ResourceName", LookupKey::ResourceName},
      {"EventSource", LookupKey::EventSource},   {"AccessKeyId", LookupKey::AccessKeyId}};
  for (const auto& [name, key] : kKeys) {
    call("LookupEvents", R"({"LookupAttributes":[{"AttributeKey":")" + std::string(name) +
                             R"(","AttributeValue":"v"}]})");
    EXPECT_EQ(history_.last_query_->filter->key, key) << name;
    EXPECT_EQ(history_.last_query_->results_max, 50U);
  }
}

TEST_F(CloudTrailTest, LookupRefusesWithAwssErrors) {
  const auto attribute = [](const std::string& key, const std::string& value) {
    return R"({"AttributeKey":")" + key + R"(","AttributeValue":")" + value + R"("})";
  };
  const auto lookup = [](const std::string& attributes, const std::string& more = "") {
    return R"({"LookupAttributes":[)" + attributes + "]" + more + "}";
  };
  const struct {
    std::string input, code;
  } cases[] = {
      {lookup(attribute("EventName", "a") + "," + attribute("Username", "b")),
       "InvalidLookupAttributesException"},
      {lookup(attribute("eventName", "a")), "InvalidLookupAttributesException"},
      {lookup(attribute("EventName", "")), "InvalidLookupAttributesException"},
      {lookup(attribute("EventName", std::string(2001, 'a'))), "InvalidLookupAttributesException"},
      {lookup(attribute("EventName", std::string(1001, '_'))), "InvalidLookupAttributesException"},
      {lookup(attribute("EventName", std::string(2000, 'a'))), ""},
      {R"({"StartTime":2,"EndTime":1})", "InvalidTimeRangeException"},
      {R"({"StartTime":1,"EndTime":1})", ""},
      {R"({"MaxResults":0})", "InvalidMaxResultsException"},
      {R"({"MaxResults":51})", "InvalidMaxResultsException"},
      {R"({"MaxResults":-1})", "InvalidMaxResultsException"},
      {R"({"MaxResults":50})", ""},
      {R"({"MaxResults":"5"})", "SerializationException"},
      {R"({"NextToken":"stale"})", "InvalidNextTokenException"},
      {R"({"NextToken":"broken"})", "ServiceUnavailable"},
      {R"({"EventCategory":"data"})", "InvalidEventCategoryException"},
      {lookup(attribute("Username", "a"), R"(,"EventCategory":"insight")"),
       "InvalidLookupAttributesException"},
      {R"({"EventCategory":"insight","NextToken":"x"})", "InvalidNextTokenException"},
      {R"({"LookupAttributes":[{"AttributeKey":"EventName"}]})", "ValidationException"},
  };
  for (const auto& item : cases) {
    SCOPED_TRACE(item.input.substr(0, 100));
    EXPECT_EQ(call("LookupEvents", item.input).error_code, item.code);
  }
  EXPECT_EQ(call("LookupEvents", R"({"MaxResults":51})").message,
            "A max results value of 51 is invalid. Specify max results between 1 and 50.");
}

TEST_F(CloudTrailTest, InsightsAreNeverMixedWithManagementEvents) {
  history_.page_.events.resize(1);
  EXPECT_EQ(call("LookupEvents", R"({"EventCategory":"insight"})").outcome.body,
            R"({"Events":[]})");
  EXPECT_FALSE(history_.last_query_.has_value());
}

TEST_F(CloudTrailTest, AnAdministratorMayLookIntoAnotherAccount) {
  extra_headers_ = {{"X-OpenTrail-Account", "999999999999"}};
  signed_headers_ = {"host", "x-opentrail-account"};
  const auto found = call("LookupEvents", "");
  EXPECT_EQ(found.error_code, "") << found.message;
  ASSERT_TRUE(history_.last_query_.has_value());
  EXPECT_EQ(history_.last_query_->account_id, "999999999999");
  EXPECT_EQ(to_text(found.outcome.additional_event_data), R"({"lookupAccountId":"999999999999"})");

  history_.last_query_.reset();
  EXPECT_EQ(call("CreateTrail", R"({"Name":"main","S3BucketName":"logs"})").error_code,
            "ValidationException");
  EXPECT_TRUE(trails_->trails("999999999999").empty());
  EXPECT_TRUE(trails_->trails("111122223333").empty());
  signed_headers_ = {"host"};
  EXPECT_EQ(call("LookupEvents", "").error_code, "ValidationException");
  signed_headers_ = {"host", "x-opentrail-account"};
  extra_headers_ = {{"x-opentrail-account", "99999999999a"}};
  EXPECT_EQ(call("LookupEvents", "").error_code, "ValidationException");
  EXPECT_FALSE(history_.last_query_.has_value());
}

TEST_F(CloudTrailTest, OthersMayNot) {
  const auto bob = iam_->create_user("111122223333", "bob", "/", {});
  ASSERT_TRUE(bob.has_value());
  caller_ = admin_;
  caller_->principal_id = bob->user_id;
  caller_->user_name = "bob";
  caller_->arn = "arn:aws:iam::111122223333:user/bob";
  extra_headers_ = {{"x-opentrail-account", "999999999999"}};
  signed_headers_ = {"host", "x-opentrail-account"};
  const auto denied = call("LookupEvents", "");
  EXPECT_EQ(denied.error_code, "AccessDeniedException");
  EXPECT_EQ(denied.outcome.error->record_code, "AccessDenied");
  EXPECT_FALSE(history_.last_query_.has_value());
  // The caller's own account is no other account.
  extra_headers_ = {{"x-opentrail-account", "111122223333"}};
  EXPECT_EQ(call("LookupEvents", "").error_code, "");
}

}  // namespace
}  // namespace opentrail::services::cloudtrail
