// Goal: counts are shown whole in every format, empty buckets in the table too. Method: an answer
// with two groups and a gap in time.
#include "cli/count_printer.h"

#include "cli/fake_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::cli {
namespace {

using testing::HasSubstr;

constexpr std::string_view kBoth = R"({"Total":1003,"BucketSeconds":3600,
  "Buckets":[{"StartTime":1795510800,"Count":3},{"StartTime":1795503600,"Count":1000}],
  "Values":5,"Groups":[
    {"Value":"alice","Count":1000,"Buckets":[{"StartTime":1795503600,"Count":1000}]},
    {"Value":"b,\"o\"b","Count":3,"Buckets":[{"StartTime":1795510800,"Count":3}]}]})";
constexpr std::string_view kByTime = R"({"Total":1003,"BucketSeconds":3600,
  "Buckets":[{"StartTime":1795503600,"Count":1000},{"StartTime":1795510800,"Count":3}]})";
constexpr std::string_view kByField = R"({"Total":1003,"Values":2,"Groups":[
    {"Value":"alice","Count":1000},{"Value":"b\u001b[2Job","Count":3}]})";

std::string render(std::string_view answer, std::string_view format, FakeWorld& world) {
  const auto counts = parse_lookup_counts(*parse_json(answer));
  EXPECT_TRUE(counts.has_value());
  return render_counts(*counts, "user", format, world.context());
}

std::string render(std::string_view answer, std::string_view format) {
  FakeWorld world;
  return render(answer, format, world);
}

TEST(LookupCounts, AreRefusedWhenTheyAreNone) {
  for (const std::string_view answer :
       {"[]", "{}", R"({"Total":-1})", R"({"Total":"1"})", R"({"Total":1,"BucketSeconds":0})",
        R"({"Total":1,"BucketSeconds":1,"Buckets":[{}]})",
        R"({"Total":1,"BucketSeconds":1,"Buckets":[{"StartTime":1e300,"Count":1}]})",
        R"({"Total":1,"Values":1,"Groups":[1]})", R"({"Total":1,"Groups":[]})"}) {
    EXPECT_FALSE(parse_lookup_counts(*parse_json(answer)).has_value()) << answer;
  }
}

TEST(CountPrinter, OneNumber) {
  constexpr std::string_view kAnswer = R"({"Total":1003})";
  EXPECT_EQ(render(kAnswer, "table"), "1003\n");
  EXPECT_EQ(render(kAnswer, "text"), "1003\n");
  EXPECT_EQ(render(kAnswer, "json"), "{\"Total\":1003}\n");
  EXPECT_EQ(render(kAnswer, "ndjson"), "{\"Count\":1003}\n");
  EXPECT_EQ(render(kAnswer, "csv"), "Count\r\n1003\r\n");
}

TEST(CountPrinter, LinesForScripts) {
  EXPECT_EQ(render(kByField, "text"), "alice\t1000\nb?[2Job\t3\n");
  EXPECT_EQ(render(kByTime, "text"), "2026-11-24T07:00:00Z\t1000\n2026-11-24T09:00:00Z\t3\n");
  EXPECT_EQ(render(kBoth, "csv"),
            "user,Time,Count\r\nalice,2026-11-24T07:00:00Z,1000\r\n"
            "\"b,\"\"o\"\"b\",2026-11-24T09:00:00Z,3\r\n");
  EXPECT_EQ(render(kBoth, "ndjson"),
            "{\"user\":\"alice\",\"Time\":\"2026-11-24T07:00:00Z\",\"Count\":1000}\n"
            "{\"user\":\"b,\\\"o\\\"b\",\"Time\":\"2026-11-24T09:00:00Z\",\"Count\":3}\n");
  EXPECT_EQ(parse_json(render(kBoth, "json")).value().at("Groups").at(0).at("Buckets").at(0),
            *parse_json(R"({"StartTime":"2026-11-24T07:00:00Z","Count":1000})"));
}

TEST(CountPrinter, TheTableHasBarsAndEmptyBuckets) {
  FakeWorld world;
  world.terminal = true;
  world.environment["NO_COLOR"] = "1";
  const std::string text = render(kBoth, "table", world);
  EXPECT_THAT(text, HasSubstr("2026-11-24 07:00"));
  EXPECT_THAT(text, HasSubstr("2026-11-24 08:00      0\n")) << text;
  EXPECT_THAT(text, HasSubstr("1,000  █████"));
  EXPECT_THAT(text, HasSubstr("    3  ▏\n")) << "what is there is seen";
  EXPECT_THAT(text, HasSubstr("alice "));
  EXPECT_THAT(render(kByField, "table"), testing::Not(HasSubstr("\x1b")));
}

TEST(CountPrinter, NothingFound) {
  constexpr std::string_view kNone =
      R"({"Total":0,"BucketSeconds":60,"Buckets":[],"Values":0,"Groups":[]})";
  EXPECT_EQ(render(kNone, "csv"), "user,Time,Count\r\n");
  EXPECT_EQ(render(kNone, "ndjson"), "");
  EXPECT_EQ(render(kNone, "table"), "user  COUNT\n\nTIME (UTC)  COUNT\n");
}

}  // namespace
}  // namespace opentrail::cli
