// Goal: generated records are valid, repeatable, all different, of the templates' size and shape,
// and are found by what describe() says of them. Method: thousands of records from the built-in
// templates are read back with record::lookup_fields(), which knows nothing of how they were made.
#include "bench/record_generator.h"

#include "base/json.h"
#include "bench/templates.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

namespace opentrail::bench {
namespace {

constexpr std::size_t kCount = 20'000;
const Timestamp kFirst = *parse_iso("2026-11-24T08:46:13Z");

RecordGenerator make(std::uint64_t seed, GeneratorOptions options = {}) {
  options.seed = seed;
  options.first_time = kFirst;
  const Templates templates = load_builtin_templates();
  EXPECT_EQ(templates.unusable, 0U);
  auto generator = RecordGenerator::make(templates.records, options);
  EXPECT_TRUE(generator.has_value()) << generator.error().message();
  return *std::move(generator);
}

std::string text_of(RecordGenerator generator, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    generator.next(out);
    out.push_back('\n');
  }
  return out;
}

TEST(RecordGenerator, TheSameSeedMakesTheSameBytes) {
  EXPECT_EQ(text_of(make(7), 500), text_of(make(7), 500));
  EXPECT_NE(text_of(make(7), 500), text_of(make(8), 500));
}

TEST(RecordGenerator, RecordsAreValidAndFoundByTheirFacts) {
  RecordGenerator generator = make(1);
  RecordFacts facts;
  std::set<std::string> ids;
  Timestamp last = kFirst;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    std::string json;
    generator.next(json);
    generator.describe(facts);
    bytes += json.size();
    ASSERT_TRUE(parse_json(json).has_value()) << json;
    const auto record = record::parse_record(json, record::Origin::Import, Timestamp{});
    ASSERT_TRUE(record.has_value()) << record.error().message() << json;
    const auto fields = record::lookup_fields(json);
    ASSERT_TRUE(fields.has_value());
    SCOPED_TRACE(json);
    ASSERT_TRUE(ids.insert(record->id).second);
    ASSERT_EQ(facts.event_id, record->id);
    ASSERT_EQ(facts.account, record->account_id);
    ASSERT_EQ(facts.region, record->region);
    ASSERT_EQ(facts.time, record->event_time);
    ASSERT_FALSE(record->event_time_is_arrival);
    ASSERT_GE(record->event_time, std::chrono::floor<std::chrono::seconds>(last));
    last = record->event_time;
    ASSERT_EQ(facts.category, record->category);
    ASSERT_EQ(facts.event_name, fields->event_name);
    ASSERT_EQ(facts.event_source, fields->event_source);
    ASSERT_EQ(facts.username, fields->username);
    ASSERT_EQ(facts.access_key_id, fields->access_key_id);
    ASSERT_EQ(facts.read_only, fields->read_only);
    if (!fields->resources.empty()) {
      ASSERT_EQ(facts.resource_type, fields->resources.front().type);
      ASSERT_EQ(facts.resource_name, fields->resources.front().name);
    }
  }
  const double mean = static_cast<double>(bytes) / kCount;
  EXPECT_NEAR(mean, generator.template_bytes_mean(), generator.template_bytes_mean() * 0.05);
}

TEST(RecordGenerator, AUsersKeyNameAndArnGoTogether) {
  RecordGenerator generator = make(2);
  std::map<std::string, std::string> user_of_key;
  std::map<std::string, std::string> principal_of_user;
  for (std::size_t i = 0; i < kCount; ++i) {
    std::string json;
    generator.next(json);
    const auto record = parse_json(json);
    const auto& identity = record->at("userIdentity").as_object();
    if (string_member(identity, "type") != "IAMUser") {
      continue;
    }
    const std::string user = string_member(identity, "userName");
    const std::string arn = string_member(identity, "arn");
    if (!arn.empty()) {
      EXPECT_EQ(arn, "arn:aws:iam::" + string_member(identity, "accountId") + ":user/" + user);
    }
    if (const std::string key = string_member(identity, "accessKeyId"); !key.empty()) {
      EXPECT_EQ(user_of_key.try_emplace(key.substr(4), user).first->second, user);
    }
    const std::string principal = string_member(identity, "principalId");
    EXPECT_EQ(principal_of_user.try_emplace(user, principal).first->second, principal);
  }
  EXPECT_GT(principal_of_user.size(), 300U);
}

TEST(RecordGenerator, BusyUsersAreFewAndSessionsHoldTogether) {
  GeneratorOptions options;
  options.session_records_mean = 8;
  RecordGenerator generator = make(3, options);
  RecordFacts facts;
  std::map<std::string, std::size_t> records_of_user;
  std::string last_user;
  std::size_t same = 0;
  std::size_t named = 0;
  std::set<std::string> accounts;
  for (std::size_t i = 0; i < kCount; ++i) {
    std::string json;
    generator.next(json);
    generator.describe(facts);
    accounts.insert(facts.account);
    if (facts.username.empty() || facts.username == "root") {
      continue;
    }
    ++named;
    same += facts.username == last_user ? 1U : 0U;
    last_user = facts.username;
    ++records_of_user[facts.username];
  }
  std::size_t busiest = 0;
  for (const auto& [user, count] : records_of_user) {
    busiest = std::max(busiest, count);
  }
  // 1 / H(2000) is 12 %; an even share would be 0.05 %.
  EXPECT_GT(busiest, named / 20);
  EXPECT_GT(records_of_user.size(), 400U);
  EXPECT_GT(same, named / 2);
  EXPECT_EQ(accounts.size(), 4U);
}

TEST(RecordGenerator, OneRecordKeepsItsInnerEqualities) {
  const std::string json =
      R"({"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLEEXAMPLEEXA",)"
      R"("arn":"arn:aws:iam::111122223333:user/ada.example","accountId":"111122223333",)"
      R"("accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"ada.example"},)"
      R"("eventTime":"2026-11-24T08:46:13Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances",)"
      R"("awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7","userAgent":"curl/7.1.2.3",)"
      R"("requestParameters":{"instanceId":"i-0a1b2c3d4e5f60718","again":"i-0a1b2c3d4e5f60718",)"
      R"("start":"2026-11-24T07:46:13Z","owner":"111122223333","peer":"444455556666"},)"
      R"("requestID":"623d0143-1c5e-4f0a-9a3c-0e1d2c3b4a59","token":"623d0143-1c5e-4f0a-9a3c-0e1d2c3b4a59",)"
      R"("eventID":"00000000-1c5e-4f0a-9a3c-0e1d2c3b4a59","eventType":"AwsApiCall"})";
  GeneratorOptions options;
  options.first_time = kFirst;
  auto generator = RecordGenerator::make(std::vector{json}, options);
  ASSERT_TRUE(generator.has_value());
  for (int i = 0; i < 100; ++i) {
    std::string out;
    generator->next(out);
    const auto record = parse_json(out).value().as_object();
    const auto& parameters = record.at("requestParameters").as_object();
    EXPECT_EQ(parameters.at("instanceId"), parameters.at("again"));
    EXPECT_NE(parameters.at("instanceId"), "i-0a1b2c3d4e5f60718");
    EXPECT_EQ(record.at("requestID"), record.at("token"));
    EXPECT_NE(record.at("requestID"), record.at("eventID"));
    EXPECT_EQ(parameters.at("owner"), record.at("userIdentity").at("accountId"));
    EXPECT_NE(parameters.at("peer"), parameters.at("owner"));
    EXPECT_EQ(*parse_iso(string_member(record, "eventTime")) -
                  *parse_iso(string_member(parameters, "start")),
              std::chrono::hours(1));
    EXPECT_EQ(string_member(record, "userAgent"), "curl/7.1.2.3");
    EXPECT_NE(string_member(record, "sourceIPAddress"), "192.0.2.7");
  }
}

TEST(RecordGenerator, RefusesWhatCannotBeReplayed) {
  EXPECT_FALSE(RecordGenerator::make({}, {}).has_value());
  for (const std::string json : {"[]", "{", R"({"eventID":"12345678-1"})"}) {
    EXPECT_FALSE(RecordGenerator::make(std::vector{json}, {}).has_value()) << json;
    EXPECT_FALSE(is_replayable(json));
  }
}

TEST(Templates, WhiteSpaceGoesButNotInStrings) {
  EXPECT_EQ(without_white_space("{ \"a b\" :\n [1, \"\\\" c\\\\\" ,\t\"d\"]\r}"),
            R"({"a b":[1,"\" c\\","d"]})");
}

}  // namespace
}  // namespace opentrail::bench
