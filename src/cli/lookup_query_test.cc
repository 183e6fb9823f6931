// Goal: what a person writes becomes one search, and a mistake in it is shown where it stands.
// Method: tables.
#include "cli/lookup_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::cli {
namespace {

using testing::HasSubstr;

const Timestamp kNow = *parse_iso("2026-11-24T08:46:13Z");

std::string refusal(const LookupCommand& command) {
  const auto query = make_lookup_query(command, kNow);
  EXPECT_FALSE(query.has_value());
  return query ? "" : query.error().message();
}

TEST(LookupQuery, SaysOnlyWhatWasSaid) {
  const auto query = make_lookup_query({}, kNow);
  ASSERT_TRUE(query.has_value());
  EXPECT_EQ(search_body(*query, false, 50, ""), R"({"MaxResults":50})");
  EXPECT_EQ(count_body(*query, "", 50, ""), "{}");
  EXPECT_EQ(describe(*query, "eu-west-1"), "all events in eu-west-1");
}

TEST(LookupQuery, SaysEverything) {
  LookupCommand command;
  command.expression = {"error", "exists", "or", "name", "^=", "Delete"};
  command.attributes = {{"Username", "o\"brien"}, {"error", "AccessDenied"}};
  command.start_time = "2026-11-20";
  command.end_time = "yesterday";
  command.accounts = {"111122223333", "444455556666"};
  command.connection.region = "eu-west-1, us-east-1";
  const auto query = make_lookup_query(command, kNow);
  ASSERT_TRUE(query.has_value()) << query.error().message();
  EXPECT_EQ(query->text, R"((errorCode exists or eventName ^= "Delete") and username = "o\"brien" )"
                         R"(and errorCode = "AccessDenied")");
  EXPECT_THAT(search_body(*query, true, 7, "t"),
              HasSubstr(R"("StartTime":1795132800,"EndTime":1795478399.999,)"
                        R"("Regions":["eu-west-1","us-east-1"],)"
                        R"("Accounts":["111122223333","444455556666"],"Order":"oldest",)"
                        R"("MaxResults":7,"NextToken":"t"})"));
  EXPECT_THAT(count_body(*query, "user", 9, "auto"),
              HasSubstr(R"("By":"user","Groups":9,"Bucket":"auto"})"));
  EXPECT_THAT(describe(*query, "x"),
              HasSubstr("in eu-west-1, us-east-1 of 111122223333, 444455556666 since "
                        "2026-11-20T00:00:00Z until 2026-11-23T23:59:59Z"));
}

TEST(LookupQuery, AllOfThem) {
  LookupCommand command;
  command.all_accounts = true;
  command.all_regions = true;
  command.last = "2h";
  const auto query = make_lookup_query(command, kNow);
  ASSERT_TRUE(query.has_value()) << query.error().message();
  EXPECT_EQ(search_body(*query, false, 1, ""),
            R"({"StartTime":1795502773,"Regions":["*"],"Accounts":["*"],"MaxResults":1})");
  EXPECT_EQ(describe(*query, "x"),
            "all events in all regions of all accounts since 2026-11-24T06:46:13Z");
}

TEST(LookupQuery, ShowsWhereAnExpressionIsWrong) {
  LookupCommand command;
  command.expression = {"user = admin and name ="};
  const std::string text = refusal(command);
  EXPECT_THAT(text, HasSubstr("the expression, at 24: expected"));
  EXPECT_THAT(text, HasSubstr("\n  user = admin and name =\n                         ^"));
  EXPECT_EQ(with_caret("at 2: x", "ab"), "the expression, at 2: x\n  ab\n   ^");
  EXPECT_EQ(with_caret("at 3: x", "äöü"), "the expression, at 3: x\n  äöü\n    ^");
  EXPECT_EQ(with_caret("too long", "ab"), "the expression: too long");
  const std::string lengthy(300, 'x');
  const std::string shown = with_caret("at 200: y", lengthy);
  EXPECT_EQ(shown, "the expression, at 200: y\n  " + std::string(70, 'x') + "\n  " +
                       std::string(50, ' ') + "^");
  EXPECT_THAT(with_caret("at 1: x", "a\x1b[2J"), testing::Not(HasSubstr("\x1b")));
}

TEST(LookupQuery, RefusesWithTheReason) {
  const auto expect = [](auto change, std::string_view text) {
    LookupCommand command;
    change(command);
    EXPECT_THAT(refusal(command), HasSubstr(text));
  };
  expect([](auto& c) { c.accounts = {"1111"}; }, "--account 1111: an account id has 12 digits");
  expect(
      [](auto& c) {
        c.accounts = {"111122223333"};
        c.all_accounts = true;
      },
      "one of them");
  expect(
      [](auto& c) {
        c.connection.region = "a";
        c.all_regions = true;
      },
      "one of them");
  expect([](auto& c) { c.connection.region = "a,,b"; }, "names between commas");
  expect([](auto& c) { c.start_time = "soon"; }, "--since: 'soon' is not a time");
  expect([](auto& c) { c.end_time = "soon"; }, "--until: 'soon' is not a time");
  expect([](auto& c) { c.last = "soon"; }, "--last: 'soon' is not a time");
  expect(
      [](auto& c) {
        c.last = "2h";
        c.start_time = "now";
      },
      "not with them");
  expect(
      [](auto& c) {
        c.start_time = "now";
        c.end_time = "yesterday";
      },
      "2026-11-24T08:46:13Z, is after the end, 2026-11-23T23:59:59Z");
  expect([](auto& c) { c.attributes = {{"usr", "x"}}; }, "did you mean user?");
}

}  // namespace
}  // namespace opentrail::cli
