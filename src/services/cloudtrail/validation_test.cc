// Goal: CloudTrail's rules for names, buckets, prefixes and tags, with its error names and texts.
// Method: tables of values around each limit; expected texts are those of spec api §3.
#include "services/cloudtrail/validation.h"

#include <gtest/gtest.h>

namespace opentrail::services::cloudtrail {
namespace {

std::string code_of(const ApiResult<void>& result) { return result ? "" : result.error().code; }
std::string message_of(const ApiResult<void>& result) {
  return result ? "" : result.error().message;
}

TEST(TrailName, AcceptsWhatAwsDoes) {
  const std::string names[] = {
      "abc",   "a.b",       "management-events", "A_1-2.z",    "123",
      "1.2.3", "1.2.3.4.5", "1.2.3.x",           "1.2.3.4444", std::string(128, 'a')};
  for (const auto& name : names) {
    EXPECT_EQ(message_of(check_trail_name(name)), "") << name;
  }
}

TEST(TrailName, RefusesInAwssOrderWithItsTexts) {
  const struct {
    std::string name, message;
  } cases[] = {
      {"", "Trail name cannot be blank!"},
      {"   ", "Trail name cannot be blank!"},
      {"-a",
       "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 2 "
       "characters."},
      {"äb",
       "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 2 "
       "characters."},
      {std::string(129, '-'),
       "Trail name too long. Maximum allowed length: 128 characters. Specified name length: 129 "
       "characters."},
      {"-a$-", "Trail name must starts with a letter or number."},
      {"a$-", "Trail name must ends with a letter or number."},
      {"a$--b",
       "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods "
       "(.), hyphens (-), and underscores (_)."},
      {"a b c",
       "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods "
       "(.), hyphens (-), and underscores (_)."},
      {"a-.b",
       "Trail name must not have two adjacent periods (.), hyphens (-), or underscores (_)."},
      {"a__b",
       "Trail name must not have two adjacent periods (.), hyphens (-), or underscores (_)."},
      {"10.0.0.1", "Trail name must not be formatted as an IP address."},
  };
  for (const auto& item : cases) {
    SCOPED_TRACE(item.name);
    const auto checked = check_trail_name(item.name);
    EXPECT_EQ(code_of(checked), "InvalidTrailNameException");
    EXPECT_EQ(message_of(checked), item.message);
  }
}

TEST(TrailReference, TellsNamesFromArns) {
  const auto name = parse_trail_reference("main").value();
  EXPECT_FALSE(name.is_arn());
  EXPECT_EQ(name.name, "main");
  const auto arn =
      parse_trail_reference("arn:aws:cloudtrail:us-east-2:111122223333:trail/main").value();
  EXPECT_TRUE(arn.is_arn());
  EXPECT_EQ(arn.region, "us-east-2");
  EXPECT_EQ(arn.account_id, "111122223333");
  EXPECT_EQ(arn.name, "main");
  constexpr std::string_view kBroken[] = {
      "arn:",
      "arn:aws:s3:::bucket",
      "arn:aws:cloudtrail:us-east-2:111122223333:main",
      "arn:aws:cloudtrail:us-east-2:111122223333:trail/",
      "arn:aws:cloudtrail:us-east-2:111122223333:trail/a",
      "arn:aws:cloudtrail::111122223333:trail/main",
      "arn:aws:cloudtrail:us-east-2:111122223333:trail/main:x",
      "arn:gcp:cloudtrail:us-east-2:111122223333:trail/main",
  };
  for (const auto text : kBroken) {
    EXPECT_EQ(parse_trail_reference(text).error().code, "CloudTrailARNInvalidException") << text;
  }
  EXPECT_EQ(parse_trail_reference("a").error().code, "InvalidTrailNameException");
}

TEST(Settings, RefusesBucketsAndPrefixes) {
  EXPECT_EQ(code_of(check_bucket_name("my-logs")), "");
  EXPECT_EQ(code_of(check_bucket_name("")), "InvalidS3BucketNameException");
  EXPECT_EQ(code_of(check_bucket_name("My_Logs")), "InvalidS3BucketNameException");
  EXPECT_EQ(code_of(check_key_prefix("")), "");
  EXPECT_EQ(code_of(check_key_prefix("a/b")), "");
  EXPECT_EQ(code_of(check_key_prefix(std::string(200, 'a'))), "");
  for (const auto& prefix : {std::string(201, 'a'), std::string("/a"), std::string("a/"),
                             std::string("a\nb"), std::string("a\x7f")}) {
    EXPECT_EQ(code_of(check_key_prefix(prefix)), "InvalidS3PrefixException") << prefix;
  }
}

TEST(Settings, RefusesWhatIsNotOffered) {
  const struct {
    std::string_view input, code;
  } cases[] = {
      {R"({})", ""},
      {R"({"SnsTopicName":"","KmsKeyId":"","IsOrganizationTrail":false,
           "CloudWatchLogsLogGroupArn":"","CloudWatchLogsRoleArn":""})",
       ""},
      {R"({"SnsTopicName":"topic"})", "UnsupportedOperationException"},
      {R"({"KmsKeyId":"alias/x"})", "UnsupportedOperationException"},
      {R"({"IsOrganizationTrail":true})", "OrganizationsNotInUseException"},
      {R"({"CloudWatchLogsLogGroupArn":"arn"})", "InvalidCloudWatchLogsRoleArnException"},
      {R"({"CloudWatchLogsRoleArn":"arn"})", "InvalidCloudWatchLogsLogGroupArnException"},
      {R"({"CloudWatchLogsLogGroupArn":"arn","CloudWatchLogsRoleArn":"arn"})",
       "CloudWatchLogsDeliveryUnavailableException"},
  };
  for (const auto& item : cases) {
    EXPECT_EQ(code_of(check_offered(json::parse(item.input).as_object())), item.code) << item.input;
  }
}

ApiResult<catalog::Tags> tags_of(const std::string& text) {
  return read_tags(json::parse(text).as_array());
}

TEST(Tags, AreCheckedBeforeTheyAreKept) {
  EXPECT_EQ(tags_of(R"([{"Key":"a","Value":"1"},{"Key":"b"}])").value(),
            (catalog::Tags{{"a", "1"}, {"b", ""}}));
  const std::string refused[] = {
      R"([{"Key":""}])",
      R"([{"Key":"a"},{"Key":"a"}])",
      R"([{"Key":"AWS:x"}])",
      R"([{"Key":")" + std::string(129, 'k') + R"("}])",
      R"([{"Key":"a","Value":")" + std::string(257, 'v') + R"("}])",
  };
  for (const auto& text : refused) {
    EXPECT_EQ(tags_of(text).error().code, "InvalidTagParameterException") << text;
  }
  json::array many;
  for (std::size_t i = 0; i <= kTagsInRequestMax; ++i) {
    many.push_back(json::object{{"Key", std::to_string(i)}});
  }
  EXPECT_EQ(read_tags(many).error().code, "TagsLimitExceededException");
  many.resize(kTagsMax + 1);
  EXPECT_EQ(code_of(check_tag_count(read_tags(many).value())), "TagsLimitExceededException");
}

catalog::Trail trail(std::int64_t id, std::string name, std::string region, bool multi = false) {
  catalog::Trail out;
  out.id = id;
  out.account_id = "111122223333";
  out.name = std::move(name);
  out.home_region = std::move(region);
  out.config.multi_region = multi;
  return out;
}

TEST(Room, NamesMustNotMeetInAnyRegion) {
  const std::vector<std::string> regions = {"east", "west"};
  const std::vector<catalog::Trail> others = {trail(1, "single", "east"),
                                              trail(2, "multi", "east", true)};
  const struct {
    catalog::Trail candidate;
    std::string_view code;
  } cases[] = {
      {trail(0, "single", "east"), "TrailAlreadyExistsException"},
      {trail(0, "single", "west"), ""},
      {trail(0, "single", "west", true), "TrailAlreadyExistsException"},
      {trail(0, "multi", "west"), "TrailAlreadyExistsException"},
      {trail(0, "other", "west", true), ""},
      {trail(1, "single", "east", true), ""},
  };
  for (const auto& item : cases) {
    const auto checked = check_room(others, item.candidate, regions);
    EXPECT_EQ(code_of(checked), item.code) << item.candidate.arn();
  }
  EXPECT_EQ(message_of(check_room(others, cases[0].candidate, regions)),
            "Trail single already exists for customer: 111122223333");
}

TEST(Room, FiveTrailsInARegionShadowsIncluded) {
  std::vector<catalog::Trail> others;
  for (std::int64_t i = 1; i <= 4; ++i) {
    others.push_back(trail(i, "name" + std::to_string(i), "east"));
  }
  others.push_back(trail(5, "shadow", "west", true));
  const auto full = check_room(others, trail(0, "new", "east"), {"east", "west"});
  EXPECT_EQ(code_of(full), "MaximumNumberOfTrailsExceededException");
  EXPECT_EQ(message_of(full), "User: 111122223333 already has 5 trails in east.");
  EXPECT_EQ(code_of(check_room(others, trail(0, "new", "west"), {"east", "west"})), "");
  EXPECT_EQ(code_of(check_room(others, trail(0, "new", "west", true), {"east", "west"})),
            "MaximumNumberOfTrailsExceededException");
}

}  // namespace
}  // namespace opentrail::services::cloudtrail
