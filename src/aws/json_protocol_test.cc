// Goal: JSON 1.1 requests are read as AWS's clients send them, and records show their parameters as
// CloudTrail does. Method: tables of headers, bodies and shapes, with the refused ones beside.
#include "aws/json_protocol.h"

#include <gtest/gtest.h>

namespace opentrail::aws {
namespace {

using std::chrono::milliseconds;

net::RequestHead with_target(std::string target) {
  net::RequestHead head;
  head.method = "POST";
  head.target = "/";
  if (!target.empty()) {
    head.headers.add("X-Amz-Target", std::move(target));
  }
  return head;
}

TEST(JsonProtocol, FindsTheOperationInBothFormsOfTheTarget) {
  constexpr std::string_view kBoth[] = {
      "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents",
      "CloudTrail_20131101.LookupEvents"};
  for (const auto target : kBoth) {
    EXPECT_EQ(json_operation(with_target(std::string(target))), "LookupEvents");
  }
  const std::string refused[] = {"",
                                 "LookupEvents",
                                 "CloudTrail_20131101.",
                                 "X.Look up",
                                 "X.Look\"up",
                                 "X.Look/../up",
                                 "X.Löokup",
                                 "X." + std::string(kOperationNameBytesMax + 1, 'a')};
  for (const auto& target : refused) {
    SCOPED_TRACE(target);
    EXPECT_FALSE(json_operation(with_target(target)).has_value());
  }
}

TEST(JsonProtocol, ReadsBodies) {
  EXPECT_TRUE(parse_json_body("").value().empty());
  EXPECT_TRUE(parse_json_body(" \n").value().empty());
  EXPECT_EQ(parse_json_body(R"({"Name":"x"})").value().at("Name").as_string(), "x");
  const std::string deep = std::string(kJsonBodyDepthMax + 2, '[');
  const std::string refused[] = {"[]",
                                 "1",
                                 "null",
                                 "{",
                                 "{\"a\":}",
                                 "{}{}",
                                 "{'a':1}",
                                 "{\"a\":" + deep,
                                 "{\"a\":\"" + std::string(kJsonBodyBytesMax, 'x') + "\"}"};
  for (const auto& body : refused) {
    SCOPED_TRACE(body.substr(0, 20));
    const auto parsed = parse_json_body(body);
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().reason(), "SerializationException");
  }
}

TEST(JsonProtocol, WritesErrorsInTheirOwnSpelling) {
  EXPECT_EQ(json_error("TrailNotFoundException", "Unknown \"x\""),
            R"({"__type":"TrailNotFoundException","Message":"Unknown \"x\""})");
  EXPECT_EQ(json_error("InvalidSignatureException", "no"),
            R"({"__type":"InvalidSignatureException","message":"no"})");
}

TEST(JsonProtocol, ReadsTimestamps) {
  const Timestamp time{milliseconds{1'441'139'757'497}};
  EXPECT_EQ(json_timestamp(1441139757.497), time);
  EXPECT_EQ(json_timestamp("2015-09-01T20:35:57.497Z"), time);
  EXPECT_EQ(json_timestamp(1441139757), std::chrono::floor<std::chrono::seconds>(time));
  EXPECT_EQ(json_timestamp("1441139757"), std::chrono::floor<std::chrono::seconds>(time));
  for (const json::value& refused :
       {json::value("yesterday"), json::value(true), json::value(1e300), json::value(-1e300),
        json::value(json::object()), json::value(std::numeric_limits<std::int64_t>::max()),
        json::value(std::numeric_limits<std::uint64_t>::max())}) {
    EXPECT_FALSE(json_timestamp(refused).has_value()) << refused;
  }
}

TEST(JsonProtocol, RecordsLowerTheFirstLetterOnly) {
  EXPECT_EQ(record_member_name("S3BucketName"), "s3BucketName");
  EXPECT_EQ(record_member_name("UUID"), "uUID");
  EXPECT_EQ(record_member_name("trailNameList"), "trailNameList");
  EXPECT_EQ(record_member_name(""), "");
  EXPECT_EQ(
      to_text(with_record_member_names(json::parse(R"({"A":[{"BC":"D"},1],"E":{"F":true}})"))),
      R"({"a":[{"bC":"D"},1],"e":{"f":true}})");
}

constexpr std::string_view kShape =
    "{Name!:s,Flag:b,Count:i,At:t,Map:m,Names:[s],Tags:[{Key!:s,Value:s}],Inner:{S3!:{Uri:s}}}";

TEST(JsonShape, KeepsWhatTheModelKnowsAndRecordsItAsCloudTrailDoes) {
  const auto shaped = JsonShape::parse(kShape).read(
      json::parse(R"({"Name":"n","Flag":true,"Count":5.0,"At":1441139757.9,"Map":{"Key":"V"},
                      "Names":["A"],"Tags":[{"Key":"K","Value":null,"Odd":1}],"Unknown":{"x":1},
                      "Inner":{"S3":{"Uri":"u"}}})")
          .as_object());
  ASSERT_FALSE(shaped.error.has_value()) << shaped.error->message();
  EXPECT_EQ(to_text(shaped.recorded),
            R"({"name":"n","flag":true,"count":5,"at":"2015-09-01T20:35:57Z","map":{"Key":"V"},)"
            R"("names":["A"],"tags":[{"key":"K"}],"inner":{"s3":{"uri":"u"}}})");
  EXPECT_EQ(shaped.input.at("Count").as_int64(), 5);
  EXPECT_FALSE(shaped.input.contains("Unknown"));
  EXPECT_EQ(to_text(shaped.input.at("Tags")), R"([{"Key":"K"}])");
}

TEST(JsonShape, AnEmptyInputHasNoRecordedParameters) {
  const auto shaped = JsonShape::parse("{Name:s}").read(json::object{{"Name", nullptr}});
  EXPECT_FALSE(shaped.error.has_value());
  EXPECT_TRUE(shaped.recorded.is_null());
  EXPECT_TRUE(shaped.input.empty());
}

TEST(JsonShape, RefusesValuesOfTheWrongType) {
  constexpr struct {
    std::string_view input, message;
  } kCases[] = {
      {R"({"Name":1})", "NUMBER_VALUE cannot be converted to String"},
      {R"({"Name":"n","Flag":"true"})", "STRING_VALUE cannot be converted to Boolean"},
      {R"({"Name":"n","Count":1.5})", "DECIMAL_VALUE cannot be converted to Integer"},
      {R"({"Name":"n","Count":99999999999999999999})", "cannot be converted to Integer"},
      {R"({"Name":"n","At":"noon"})", "STRING_VALUE cannot be converted to Timestamp"},
      {R"({"Name":{}})", "Start of structure or map found where not expected."},
      {R"({"Name":["n"]})", "Start of list found where not expected"},
      {R"({"Name":"n","Names":"A"})", "STRING_VALUE cannot be converted to a list"},
      {R"({"Name":"n","Names":[null]})", "NULL_VALUE cannot be converted to String"},
      {R"({"Name":"n","Tags":["A"]})", "STRING_VALUE cannot be converted to a structure"},
      {R"({"Name":"n","Map":{"a":1}})", "found where not expected"},
  };
  const JsonShape shape = JsonShape::parse(kShape);
  for (const auto& item : kCases) {
    SCOPED_TRACE(item.input);
    const auto shaped = shape.read(json::parse(item.input).as_object());
    ASSERT_TRUE(shaped.error.has_value());
    EXPECT_EQ(shaped.error->reason(), "SerializationException");
    EXPECT_NE(shaped.error->message().find(item.message), std::string::npos)
        << shaped.error->message();
    EXPECT_TRUE(shaped.recorded.is_null());
  }
}

TEST(JsonShape, NamesEveryMissingMemberAndStillRecordsTheRest) {
  const auto shaped = JsonShape::parse(kShape).read(
      json::parse(R"({"Tags":[{"Key":"a"},{"Value":"b"}]})").as_object());
  ASSERT_TRUE(shaped.error.has_value());
  EXPECT_EQ(shaped.error->reason(), "ValidationException");
  EXPECT_EQ(shaped.error->message(),
            "2 validation errors detected: Value null at 'name' failed to satisfy constraint: "
            "Member must not be null; Value null at 'tags.2.member.key' failed to satisfy "
            "constraint: Member must not be null");
  EXPECT_EQ(to_text(shaped.recorded), R"({"tags":[{"key":"a"},{"value":"b"}]})");
}

}  // namespace
}  // namespace opentrail::aws
