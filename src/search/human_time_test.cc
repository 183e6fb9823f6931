// Goal: times as people write them mean what they say, in UTC; everything else is refused with
// examples.
#include "search/human_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::search {
namespace {

using testing::HasSubstr;

const Timestamp kNow = *parse_iso("2026-11-24T08:46:13Z");

TEST(HumanTime, ReadsWhatPeopleWrite) {
  const struct {
    std::string_view text, begin, end;
  } cases[] = {
      {"now", "2026-11-24T08:46:13Z", "2026-11-24T08:46:13Z"},
      {" Today ", "2026-11-24T00:00:00Z", "2026-11-24T23:59:59Z"},
      {"yesterday", "2026-11-23T00:00:00Z", "2026-11-23T23:59:59Z"},
      {"2 hours ago", "2026-11-24T06:46:13Z", "2026-11-24T06:46:13Z"},
      {"2h", "2026-11-24T06:46:13Z", "2026-11-24T06:46:13Z"},
      {"-2h", "2026-11-24T06:46:13Z", "2026-11-24T06:46:13Z"},
      {"-2 hours", "2026-11-24T06:46:13Z", "2026-11-24T06:46:13Z"},
      {"an hour ago", "2026-11-24T07:46:13Z", "2026-11-24T07:46:13Z"},
      {"a day", "2026-11-23T08:46:13Z", "2026-11-23T08:46:13Z"},
      {"90 MIN ago", "2026-11-24T07:16:13Z", "2026-11-24T07:16:13Z"},
      {"13s ago", "2026-11-24T08:46:00Z", "2026-11-24T08:46:00Z"},
      {"3 weeks ago", "2026-11-03T08:46:13Z", "2026-11-03T08:46:13Z"},
      {"2024-02-29", "2024-02-29T00:00:00Z", "2024-02-29T23:59:59Z"},
      {"2026-11-24T08:46:13Z", "2026-11-24T08:46:13Z", "2026-11-24T08:46:13Z"},
      {"2026-11-24T09:46:13+01:00", "2026-11-24T08:46:13Z", "2026-11-24T08:46:13Z"},
      {"1795510000", "2026-11-24T08:46:40Z", "2026-11-24T08:46:40Z"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.text);
    const auto begin = parse_human_time(one.text, kNow, SpanEdge::Begin);
    const auto end = parse_human_time(one.text, kNow, SpanEdge::End);
    ASSERT_TRUE(begin.has_value());
    ASSERT_TRUE(end.has_value());
    EXPECT_EQ(to_iso_seconds(*begin), one.begin);
    EXPECT_EQ(to_iso_seconds(*end), one.end);
  }
}

TEST(HumanTime, RefusesTheRestWithExamples) {
  for (const std::string_view text :
       {"", "soon", "2 moons ago", "-2 hours ago", "--2h", "-h", "2", "12345678", "123456789012",
        "2026-13-01", "2025-02-29", "24.11.2026", "hours ago", "99999999999 days ago", "2000000 d",
        "ago", "2026-11-24 25:00"}) {
    SCOPED_TRACE(text);
    const auto time = parse_human_time(text, kNow, SpanEdge::Begin);
    ASSERT_FALSE(time.has_value());
    EXPECT_EQ(time.error().code(), ErrorCode::InvalidArgument);
    EXPECT_THAT(time.error().message(), HasSubstr("'2 hours ago'"));
  }
}

}  // namespace
}  // namespace opentrail::search
