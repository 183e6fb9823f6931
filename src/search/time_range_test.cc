// Goal: a span of time says what people mean by it, and its ends are in the right order.
#include "search/time_range.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::search {
namespace {

using testing::HasSubstr;

const Timestamp kNow = *parse_iso("2026-11-24T08:46:13Z");

std::string shown(const Result<TimeRange>& range) {
  if (!range) {
    return range.error().message();
  }
  return (range->begin ? to_iso_millis(*range->begin) : "") + " " +
         (range->end ? to_iso_millis(*range->end) : "");
}

TEST(TimeRange, ReadsOneText) {
  const struct {
    std::string_view text, range;
  } cases[] = {
      {"", " "},
      {" ", " "},
      {"..", " "},
      {"yesterday", "2026-11-23T00:00:00.000Z 2026-11-23T23:59:59.999Z"},
      {"2026-11-20", "2026-11-20T00:00:00.000Z 2026-11-20T23:59:59.999Z"},
      {"last 2 hours", "2026-11-24T06:46:13.000Z "},
      {"Past 2h", "2026-11-24T06:46:13.000Z "},
      {"-2h", "2026-11-24T06:46:13.000Z "},
      {"2 hours ago", "2026-11-24T06:46:13.000Z "},
      {"1795510000", "2026-11-24T08:46:40.000Z "},
      {"2026-11-20..2026-11-21", "2026-11-20T00:00:00.000Z 2026-11-21T23:59:59.999Z"},
      {"3 days ago .. yesterday", "2026-11-21T08:46:13.000Z 2026-11-23T23:59:59.999Z"},
      {"3 days ago TO now", "2026-11-21T08:46:13.000Z 2026-11-24T08:46:13.000Z"},
      {"3d ..", "2026-11-21T08:46:13.000Z "},
      {"..2026-11-24T08:46:13.250Z", " 2026-11-24T08:46:13.250Z"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(shown(parse_time_range(one.text, kNow)), one.range) << one.text;
  }
}

TEST(TimeRange, RefusesTheRest) {
  for (const std::string_view text : {"soon", "last", "last moon", "now .. soon", "a..b..c"}) {
    EXPECT_THAT(shown(parse_time_range(text, kNow)), HasSubstr("is not a time")) << text;
  }
  EXPECT_EQ(shown(parse_time_range("now", "2 hours ago", kNow)),
            "the start, 2026-11-24T08:46:13Z, is after the end, 2026-11-24T06:46:13Z");
  EXPECT_TRUE(parse_time_range("today", "today", kNow).has_value());
}

TEST(TimeRange, BothEndsBelongToIt) {
  const TimeRange range = parse_time_range("yesterday", kNow).value();
  EXPECT_FALSE(range.contains(*range.begin - std::chrono::milliseconds(1)));
  EXPECT_TRUE(range.contains(*range.begin));
  EXPECT_TRUE(range.contains(*range.end));
  EXPECT_FALSE(range.contains(*range.end + std::chrono::milliseconds(1)));
  EXPECT_TRUE(TimeRange().contains(kNow));
}

}  // namespace
}  // namespace opentrail::search
