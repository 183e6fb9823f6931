// Goal: ranges and conditions as RFC 9110 and S3 read them. Method: tables.
#include "services/s3/conditions.h"

#include <gtest/gtest.h>

namespace opentrail::services::s3 {
namespace {

TEST(Range, PartsOfAnObject) {
  struct Case {
    std::string_view header;
    std::uint64_t first;
    std::uint64_t length;
  };
  for (const auto& [header, first, length] :
       {Case{"bytes=0-0", 0, 1}, Case{"bytes=2-", 2, 8}, Case{"bytes=-3", 7, 3},
        Case{"bytes=-99", 0, 10}, Case{"bytes=5-99", 5, 5}, Case{"bytes=9-9", 9, 1}}) {
    const auto range = parse_range(header, 10);
    ASSERT_TRUE(range.has_value() && range->has_value()) << header;
    EXPECT_EQ((*range)->first, first) << header;
    EXPECT_EQ((*range)->length, length) << header;
  }
}

TEST(Range, WhatIsNotOneIsIgnored) {
  for (const std::string_view header :
       {"", "bytes=", "bytes=-", "bytes=a-b", "bytes=1-2,4-5", "items=1-2", "bytes=5-2", "bytes=1",
        "bytes=99999999999999999999-"}) {
    const auto range = parse_range(header, 10);
    ASSERT_TRUE(range.has_value()) << header;
    EXPECT_FALSE(range->has_value()) << header;
  }
}

TEST(Range, BehindTheEndIsRefused) {
  EXPECT_EQ(parse_range("bytes=10-", 10).error().reason(), "InvalidRange");
  EXPECT_EQ(parse_range("bytes=-0", 10).error().reason(), "InvalidRange");
  EXPECT_EQ(parse_range("bytes=0-", 0).error().reason(), "InvalidRange");
  EXPECT_EQ(parse_range("bytes=-5", 0).error().reason(), "InvalidRange");
}

TEST(Range, OfACopyMustBeWhole) {
  EXPECT_EQ(parse_copy_range("bytes=2-4", 10)->length, 3U);
  for (const std::string_view header : {"bytes=2-", "bytes=-2", "bytes=4-2", "2-4", "bytes=0-10"}) {
    EXPECT_EQ(parse_copy_range(header, 10).error().reason(), "InvalidArgument") << header;
  }
}

TEST(Conditions, AreJudged) {
  objects::ObjectInfo object;
  object.etag = "\"abc\"";
  object.last_modified =
      parse_http_date("Tue, 24 Nov 2026 08:46:13 GMT").value() + std::chrono::milliseconds(250);
  constexpr std::string_view kBefore = "Tue, 24 Nov 2026 08:46:12 GMT";
  constexpr std::string_view kSame = "Tue, 24 Nov 2026 08:46:13 GMT";
  const std::pair<Conditions, Verdict> cases[] = {
      {{}, Verdict::Proceed},
      {{.if_match = "\"abc\""}, Verdict::Proceed},
      {{.if_match = "abc"}, Verdict::Proceed},
      {{.if_match = "*"}, Verdict::Proceed},
      {{.if_match = "\"x\", \"abc\""}, Verdict::Proceed},
      {{.if_match = "\"x\""}, Verdict::Failed},
      {{.if_none_match = "\"abc\""}, Verdict::NotModified},
      {{.if_none_match = "W/\"abc\""}, Verdict::NotModified},
      {{.if_none_match = "\"x\""}, Verdict::Proceed},
      {{.if_modified_since = kSame}, Verdict::NotModified},
      {{.if_modified_since = kBefore}, Verdict::Proceed},
      {{.if_modified_since = "yesterday"}, Verdict::Proceed},
      {{.if_none_match = "\"x\"", .if_modified_since = kSame}, Verdict::Proceed},
      {{.if_unmodified_since = kBefore}, Verdict::Failed},
      {{.if_unmodified_since = kSame}, Verdict::Proceed},
      {{.if_match = "abc", .if_unmodified_since = kBefore}, Verdict::Proceed},
  };
  int number = 0;
  for (const auto& [conditions, verdict] : cases) {
    EXPECT_EQ(judge(conditions, object), verdict) << "case " << number;
    ++number;
  }
}

}  // namespace
}  // namespace opentrail::services::s3
