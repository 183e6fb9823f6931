// Goal: every value behind a path is told once, in order and as it stands; what is not JSON is
// refused without harm. Method: a table of records and paths with what they tell.
#include "record/json_path.h"

#include "record/record.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::record {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Next = JsonPathSet::Next;

/// "0 String x": path, kind, text.
std::string shown(std::size_t path, const JsonValue& value) {
  constexpr std::string_view kKinds[] = {"String", "Number", "Boolean", "Object", "Array"};
  return fmt::format("{} {} {}", path, kKinds[static_cast<std::size_t>(value.kind)], value.text);
}

std::vector<std::string> told(std::string_view json, const std::vector<JsonPath>& paths) {
  std::vector<std::string> all;
  const auto result = JsonPathSet(paths).visit(json, [&](std::size_t path, const auto& value) {
    all.push_back(shown(path, value));
    return Next::GoOn;
  });
  if (!result) {
    all.push_back(result.error().message());
  }
  return all;
}

TEST(JsonPathSet, TellsScalarsAsTheyStand) {
  const std::string json =
      R"({ "s" : "a\u0062\"\/\ud83d\ude00" , "i":-0, "f":1.50e+3 ,"big":123456789012345678901234,)"
      R"("t":true,"n":null,"e":"" })";
  EXPECT_THAT(told(json, {{"s"}, {"i"}, {"f"}, {"big"}, {"t"}, {"n"}, {"e"}, {"absent"}}),
              ElementsAre("0 String ab\"/\U0001F600", "1 Number -0", "2 Number 1.50e+3",
                          "3 Number 123456789012345678901234", "4 Boolean true", "6 String "));
}

TEST(JsonPathSet, WalksThroughArraysAndTellsContainers) {
  const std::string json = R"({"items": [ {"id":"a"}, [ {"id":"b"}, 7 ], "x", null ],"o": { } })";
  EXPECT_THAT(told(json, {{"items", "id"}}), ElementsAre("0 String a", "0 String b"));
  EXPECT_THAT(told(json, {{"items"}}),
              ElementsAre(R"(0 Array [ {"id":"a"}, [ {"id":"b"}, 7 ], "x", null ])",
                          R"(0 Object {"id":"a"})", R"(0 Array [ {"id":"b"}, 7 ])",
                          R"(0 Object {"id":"b"})", "0 Number 7", "0 String x"));
  EXPECT_THAT(told(json, {{"o"}, {"o", "a"}, {"items", "id"}, {"items", "id"}}),
              ElementsAre("2 String a", "3 String a", "2 String b", "3 String b", "0 Object { }"));
}

TEST(JsonPathSet, OfANameThatStandsTwiceTheFirstCounts) {
  EXPECT_THAT(told(R"({"a":{"b":1,"\u0062":2},"a":{"b":3}})", {{"a", "b"}}),
              ElementsAre("0 Number 1"));
  EXPECT_THAT(told(R"({"a":null,"a":1})", {{"a"}}), IsEmpty());
  EXPECT_THAT(told(R"({"l":[{"b":1,"b":9},{"b":2}]})", {{"l", "b"}}),
              ElementsAre("0 Number 1", "0 Number 2"));
}

TEST(JsonPathSet, AContainerAndWhatIsInItAreBothTold) {
  EXPECT_THAT(told(R"({"p":{"x":{"y":[1,{"z":"v"}]},"w":2}})",
                   {{"p"}, {"p", "x"}, {"p", "x", "y", "z"}, {"p", "w"}}),
              ElementsAre(R"(0 Object {"x":{"y":[1,{"z":"v"}]},"w":2})",
                          R"(1 Object {"y":[1,{"z":"v"}]})", "2 String v", "3 Number 2"));
}

TEST(JsonPathSet, StopsWhenTold) {
  std::vector<std::string> all;
  const std::vector<JsonPath> paths = {{"a"}, {"a", "b"}};
  const auto result =
      JsonPathSet(paths).visit(R"({"a":[1,2,{"b":3}]})", [&](auto path, auto& value) {
        all.push_back(shown(path, value));
        return all.size() == 2 ? Next::Stop : Next::GoOn;
      });
  EXPECT_TRUE(result.has_value());
  EXPECT_THAT(all, ElementsAre(R"(0 Array [1,2,{"b":3}])", "0 Number 1"));
}

TEST(JsonPathSet, MayBeUsedInsideAVisit) {
  const std::vector<JsonPath> paths = {{"a"}};
  const JsonPathSet set(paths);
  std::vector<std::string> all;
  const auto result = set.visit(R"({"a":["x","y"]})", [&](auto, const JsonValue& outer) {
    const auto inner = set.visit(R"({"a":"inner"})", [&](auto, const JsonValue& value) {
      all.push_back(fmt::format("{} {}", outer.text, value.text));
      return Next::GoOn;
    });
    EXPECT_TRUE(inner.has_value());
    return Next::GoOn;
  });
  EXPECT_TRUE(result.has_value());
  EXPECT_THAT(all, ElementsAre(R"(["x","y"] inner)", "x inner", "y inner"));
}

TEST(JsonPathSet, ReadsRecordsOfEverySize) {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{63}, std::size_t{64} << 10, std::size_t{500} << 10}) {
    const std::string json = fmt::format(R"({{"fill":"{}","a":"x"}})", std::string(size, '.'));
    EXPECT_THAT(told(json, {{"a"}}), ElementsAre("0 String x")) << size;
  }
}

TEST(JsonPathSet, RefusesWhatIsNoRecord) {
  for (const std::string_view json :
       {"", "  ", "null", "[]", "1", "{", R"({"a")", R"({"a":)", R"({"a":[1,)", R"({"a":"x)",
        R"({"a":"\ud800"})", R"({"a":["\q"]})", "{\"a\":\"\xff\"}", R"({"b":1 "a":2})"}) {
    EXPECT_THAT(told(json, {{"a"}}), testing::Contains(HasSubstr("not valid JSON"))) << json;
  }
  EXPECT_THAT(told(std::string(kRecordBytesMax + 1, ' '), {{"a"}}),
              ElementsAre(HasSubstr("at most 1048576 bytes")));
  const std::string deep = R"({"a":)" + std::string(4000, '[') + std::string(4000, ']') + "}";
  EXPECT_THAT(told(deep, {{"a", "b"}}), ElementsAre(HasSubstr("not valid JSON")));
}

TEST(JsonPathSet, WithoutPathsNothingIsTold) { EXPECT_THAT(told(R"({"a":1})", {}), IsEmpty()); }

}  // namespace
}  // namespace opentrail::record
