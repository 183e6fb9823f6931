// Goal: a body of any form becomes records with their lines, within the limits, and whatever is
// wrong with it is told apart: nothing usable, too much, or some broken items. Method: small bodies
// and small limits.
#include "services/ingest/import_body.h"

#include "collect/gzip.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace opentrail::services::ingest {
namespace {

const Timestamp kArrival = parse_iso("2026-11-24T08:46:13Z").value();

std::string record_text(std::string_view id) {
  return fmt::format(R"({{"eventID":"{}","eventTime":"2026-11-20T00:00:00Z"}})", id);
}

Result<ImportBody> read(std::string_view body, std::string_view encoding = {},
                        const ImportLimits& limits = {}) {
  return read_import_body(body, encoding, limits, kArrival);
}

std::vector<std::string> ids_of(const ImportBody& body) {
  std::vector<std::string> ids;
  for (const auto& item : body.items) {
    ids.push_back(item.record.id);
  }
  return ids;
}

using Ids = std::vector<std::string>;

TEST(ImportBody, TakesEveryFormOfRecords) {
  const std::string a = record_text("a");
  const std::string b = record_text("b");
  for (const std::string& body :
       {R"({"Records":[)" + a + "," + b + "]}", "[" + a + "," + b + "]", a + "\n" + b + "\n"}) {
    const auto read_body = read(body);
    ASSERT_TRUE(read_body) << body;
    EXPECT_EQ(ids_of(*read_body), (Ids{"a", "b"}));
    EXPECT_EQ(read_body->items[0].record.json, a);
    EXPECT_EQ(read_body->items[0].record.origin, record::Origin::Import);
    EXPECT_TRUE(read_body->invalid.empty());
  }
}

TEST(ImportBody, KeepsTheLineOfEachRecord) {
  const auto body = read(record_text("a") + "\n\n" + record_text("b") + "\n");
  ASSERT_TRUE(body);
  ASSERT_EQ(body->items.size(), 2U);
  EXPECT_EQ(body->items[0].line, 1U);
  EXPECT_EQ(body->items[1].line, 3U);
}

TEST(ImportBody, AMissingTimeIsThatOfArrival) {
  const auto body = read(R"({"eventID":"a"})");
  ASSERT_TRUE(body);
  EXPECT_EQ(body->items[0].record.event_time, kArrival);
  EXPECT_TRUE(body->items[0].record.event_time_is_arrival);
}

TEST(ImportBody, UnpacksGzip) {
  const std::string packed = collect::gzip(record_text("a"));
  for (const std::string_view encoding : {"gzip", " GZip ", "x-gzip"}) {
    const auto body = read(packed, encoding);
    ASSERT_TRUE(body) << encoding;
    EXPECT_EQ(ids_of(*body), Ids{"a"});
  }
  EXPECT_TRUE(read(record_text("a"), "Identity"));
}

TEST(ImportBody, RefusesAnUnknownEncoding) {
  const auto body = read(record_text("a"), "br\xff" + std::string(200, 'x'));
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code(), ErrorCode::Unsupported);
  EXPECT_LT(body.error().message().size(), 200U);
  EXPECT_TRUE(read(record_text("a"), "gzip, br").error().code() == ErrorCode::Unsupported);
}

TEST(ImportBody, RefusesBrokenGzip) {
  const std::string packed = collect::gzip(record_text("a"));
  EXPECT_EQ(read("no gzip", "gzip").error().code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(read(std::string_view(packed).substr(0, packed.size() - 4), "gzip").error().code(),
            ErrorCode::InvalidArgument);
}

TEST(ImportBody, IsBoundedPackedAndUnpacked) {
  const std::string text = record_text("a");
  const ImportLimits limits{.body_bytes_max = text.size()};
  EXPECT_TRUE(read(text, "", limits));
  EXPECT_EQ(read(text + "\n", "", limits).error().code(), ErrorCode::ResourceExhausted);
  const std::string bomb = collect::gzip(std::string(1 << 20, ' '));
  ASSERT_LT(bomb.size(), 1U << 16);
  const ImportLimits small{.body_bytes_max = 1 << 16};
  EXPECT_EQ(read(bomb, "gzip", small).error().code(), ErrorCode::ResourceExhausted);
}

TEST(ImportBody, BoundsTheNumberOfRecords) {
  const ImportLimits two{.records_max = 2};
  const std::string a_and_broken = record_text("a") + "\n{\"x\":tru}\n";
  EXPECT_TRUE(read(a_and_broken, "", two));
  const auto three = read(a_and_broken + record_text("b"), "", two);
  ASSERT_FALSE(three);
  EXPECT_EQ(three.error().code(), ErrorCode::ResourceExhausted);
}

TEST(ImportBody, KeepsWhatIsBrokenApart) {
  const auto body = read(record_text("a") + "\n{\"x\":tru}\n" + record_text("b"));
  ASSERT_TRUE(body);
  EXPECT_EQ(ids_of(*body), (Ids{"a", "b"}));
  ASSERT_EQ(body->invalid.size(), 1U);
  EXPECT_EQ(body->invalid[0].line, 2U);
  EXPECT_FALSE(body->invalid[0].message.empty());
}

TEST(ImportBody, WhatCameBeforeABreakCounts) {
  const auto body = read(record_text("a") + "\n" + record_text("b").substr(0, 10));
  ASSERT_TRUE(body);
  EXPECT_EQ(ids_of(*body), Ids{"a"});
  ASSERT_EQ(body->invalid.size(), 1U);
  EXPECT_EQ(body->invalid[0].line, 0U);
  EXPECT_NE(body->invalid[0].message.find("line 2"), std::string::npos) << body->invalid[0].message;
}

TEST(ImportBody, TextWithoutARecordIsRefused) {
  EXPECT_EQ(read("<html>").error().code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(read(record_text("a").substr(0, 10)).error().code(), ErrorCode::InvalidArgument);
}

TEST(ImportBody, AnEmptyBodyHoldsNothing) {
  for (const std::string_view empty : {"", "\n", R"({"Records":[]})"}) {
    const auto body = read(empty);
    ASSERT_TRUE(body) << empty;
    EXPECT_TRUE(body->items.empty());
    EXPECT_TRUE(body->invalid.empty());
  }
}

TEST(ImportBody, DigestFilesAreCounted) {
  const auto body = read(R"({"digestS3Object":"d","logFiles":[]})"
                         "\n" +
                         record_text("a"));
  ASSERT_TRUE(body);
  EXPECT_EQ(body->digests, 1U);
  EXPECT_EQ(ids_of(*body), Ids{"a"});
}

}  // namespace
}  // namespace opentrail::services::ingest
