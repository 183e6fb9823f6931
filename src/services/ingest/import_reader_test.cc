// Goal: a body of any form becomes records with their lines, within the limits, and whatever is
// wrong with it is told apart: nothing usable, too much, or some broken items. Method: small bodies
// in every coding, taken whole and in pieces, and small limits.
#include "services/ingest/import_reader.h"

#include "collect/gzip.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace opentrail::services::ingest {
namespace {

using collect::Coding;

const Timestamp kArrival = parse_iso("2026-11-24T08:46:13Z").value();

std::string record_text(std::string_view id) {
  return fmt::format(R"({{"eventID":"{}","eventTime":"2026-11-20T00:00:00Z"}})", id);
}

/// What a whole body gave, and in how many batches.
struct Read {
  ImportBatch all;
  std::size_t batches = 0;
  std::size_t batch_bytes_max = 0;
};

Result<Read> read(std::string_view body, Coding coding = Coding::Identity,
                  const ImportLimits& limits = {}, std::size_t piece_bytes = 1 << 20) {
  ImportReader reader(coding, limits, kArrival);
  Read out;
  ImportBatch batch;
  const auto take_over = [&] {
    ++out.batches;
    out.batch_bytes_max = std::max(out.batch_bytes_max, batch.bytes);
    for (auto& broken : batch.invalid) {
      broken.items_before += out.all.items.size();
      out.all.invalid.push_back(std::move(broken));
    }
    std::ranges::move(batch.items, std::back_inserter(out.all.items));
    out.all.broken_off = batch.broken_off;
    out.all.digests += batch.digests;
    batch = {};
  };
  while (!body.empty()) {
    const std::string piece(body.substr(0, piece_bytes));
    body.remove_prefix(piece.size());
    std::string_view rest = piece;
    for (;;) {
      OT_TRY(const bool full, reader.take(rest, batch));
      if (!full) {
        break;
      }
      take_over();
    }
    EXPECT_TRUE(rest.empty());
  }
  OT_TRY_DO(reader.finish(batch));
  take_over();
  return out;
}

std::vector<std::string> ids_of(const Read& read) {
  std::vector<std::string> ids;
  for (const auto& item : read.all.items) {
    ids.push_back(item.record.id);
  }
  return ids;
}

std::string pack(Coding coding, std::string_view text) {
  switch (coding) {
    case Coding::Gzip:
      return collect::gzip(text);
    case Coding::Zstd:
      return collect::pack_zstd(text);
    case Coding::Identity:
      break;
  }
  return std::string(text);
}
constexpr auto kCodings = {Coding::Identity, Coding::Gzip, Coding::Zstd};

using Ids = std::vector<std::string>;

TEST(ImportReader, TakesEveryFormOfRecords) {
  const std::string a = record_text("a");
  const std::string b = record_text("b");
  for (const std::string& body :
       {R"({"Records":[)" + a + "," + b + "]}", "[" + a + "," + b + "]", a + "\n" + b + "\n"}) {
    const auto read_body = read(body);
    ASSERT_TRUE(read_body) << body;
    EXPECT_EQ(ids_of(*read_body), (Ids{"a", "b"}));
    EXPECT_EQ(read_body->all.items[0].record.json, a);
    EXPECT_EQ(read_body->all.items[0].record.origin, record::Origin::Import);
    EXPECT_TRUE(read_body->all.invalid.empty());
  }
}

TEST(ImportReader, KeepsTheLineOfEachRecord) {
  const auto body = read(record_text("a") + "\n\n" + record_text("b") + "\n");
  ASSERT_TRUE(body);
  ASSERT_EQ(body->all.items.size(), 2U);
  EXPECT_EQ(body->all.items[0].line, 1U);
  EXPECT_EQ(body->all.items[1].line, 3U);
}

TEST(ImportReader, AMissingTimeIsThatOfArrival) {
  const auto body = read(R"({"eventID":"a"})");
  ASSERT_TRUE(body);
  EXPECT_EQ(body->all.items[0].record.event_time, kArrival);
  EXPECT_TRUE(body->all.items[0].record.event_time_is_arrival);
}

TEST(ImportReader, HowItIsCutChangesNothing) {
  std::string text = R"({"Records":[)";
  Ids ids;
  for (int i = 0; i < 100; ++i) {
    ids.push_back(std::to_string(i));
    text += (i == 0 ? "" : ",\n") + record_text(ids.back());
  }
  text += "]}";
  for (const Coding coding : kCodings) {
    const std::string packed = pack(coding, text);
    for (const std::size_t piece_bytes : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
      const auto got = read(packed, coding, {}, piece_bytes);
      ASSERT_TRUE(got) << got.error().message();
      EXPECT_EQ(ids_of(*got), ids) << to_string(coding) << piece_bytes;
      EXPECT_EQ(got->all.items[99].line, 100U);
    }
  }
}

TEST(ImportReader, RefusesWhatIsNotPackedAsItSays) {
  for (const Coding coding : {Coding::Gzip, Coding::Zstd}) {
    EXPECT_EQ(read(record_text("a"), coding).error().code(), ErrorCode::InvalidArgument);
    EXPECT_EQ(read("", coding).error().code(), ErrorCode::InvalidArgument);
  }
}

TEST(ImportReader, ABodyCutOffGivesWhatCameBefore) {
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text += record_text(std::to_string(i * 7919)) + "\n";
  }
  for (const Coding coding : {Coding::Gzip, Coding::Zstd}) {
    const std::string packed = pack(coding, text);
    const auto got = read(std::string_view(packed).substr(0, packed.size() * 3 / 4), coding);
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_GT(got->all.items.size(), 100U);
    ASSERT_EQ(got->all.invalid.size(), 1U);
    EXPECT_NE(got->all.invalid[0].message.find("the rest of the body was not read: "),
              std::string::npos);
    EXPECT_GT(got->all.invalid[0].line, 100U);
    EXPECT_TRUE(got->all.broken_off);
    EXPECT_EQ(got->all.invalid[0].items_before, got->all.items.size());
  }
}

TEST(ImportReader, BatchesAreBoundedWhateverTheBodyUnpacksTo) {
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    text += record_text(std::to_string(i));
  }
  const ImportLimits limits{.batch_records_max = 500, .batch_bytes_max = 100'000};
  for (const Coding coding : kCodings) {
    const auto got = read(pack(coding, text), coding, limits);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->all.items.size(), 3000U);
    EXPECT_GE(got->batches, 3U);
  }
  // The smallest objects: 2 MiB of them in a few KiB.
  std::string smallest;
  for (int i = 0; i < (2 << 20) / 3; ++i) {
    smallest += "{}\n";
  }
  const auto got = read(collect::pack_zstd(smallest), Coding::Zstd);
  ASSERT_TRUE(got);
  EXPECT_GT(got->batches, 10U);
  EXPECT_LT(got->batch_bytes_max, 20U << 20);
}

TEST(ImportReader, BoundsWhatABodyUnpacksTo) {
  const ImportLimits limits{.unpacked_bytes_max = 1 << 20};
  for (const Coding coding : {Coding::Gzip, Coding::Zstd}) {
    const std::string bomb = pack(coding, record_text("a") + std::string(50 << 20, ' '));
    ASSERT_LT(bomb.size(), 300'000U);
    const auto refused = read(bomb, coding, limits);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::ResourceExhausted);
    EXPECT_EQ(refused.error().reason(), kBodyTooLarge);
  }
}

TEST(ImportReader, KeepsWhatIsBrokenApart) {
  const auto body = read(record_text("a") + "\n{\"x\":tru}\n" + record_text("b"));
  ASSERT_TRUE(body);
  EXPECT_EQ(ids_of(*body), (Ids{"a", "b"}));
  ASSERT_EQ(body->all.invalid.size(), 1U);
  EXPECT_EQ(body->all.invalid[0].line, 2U);
  EXPECT_FALSE(body->all.invalid[0].message.empty());
}

TEST(ImportReader, ABrokenLineIsOneInvalidItem) {
  for (const std::string_view broken :
       {"null", "{\"eventID\":\"x", "{\"eventID\":{\"x\":1}", "]"}) {
    const auto body = read(fmt::format("{}\n{}\n{}\n", record_text("a"), broken, record_text("b")));
    ASSERT_TRUE(body);
    EXPECT_EQ(ids_of(*body), (Ids{"a", "b"})) << broken;
    ASSERT_EQ(body->all.invalid.size(), 1U);
    EXPECT_EQ(body->all.invalid[0].line, 2U);
    EXPECT_EQ(body->all.invalid[0].items_before, 1U);
    EXPECT_FALSE(body->all.broken_off);
  }
}

TEST(ImportReader, BrokenLinesFillABatchToo) {
  std::string text = record_text("a");
  for (int i = 0; i < 50'000; ++i) {
    text += "\n7\n{}";
  }
  const auto body = read(text, Coding::Identity, {.batch_records_max = 100});
  ASSERT_TRUE(body);
  EXPECT_EQ(body->all.invalid.size(), 50'000U);
  EXPECT_GT(body->batches, 3U);
}

TEST(ImportReader, WhatCameBeforeABreakCounts) {
  const auto body = read(record_text("a") + "\n" + record_text("b").substr(0, 10));
  ASSERT_TRUE(body);
  EXPECT_EQ(ids_of(*body), Ids{"a"});
  ASSERT_EQ(body->all.invalid.size(), 1U);
  EXPECT_EQ(body->all.invalid[0].line, 2U);
  EXPECT_TRUE(body->all.broken_off);
  EXPECT_NE(body->all.invalid[0].message.find("line 2"), std::string::npos)
      << body->all.invalid[0].message;
}

TEST(ImportReader, TextWithoutARecordIsRefused) {
  EXPECT_EQ(read("<html>").error().code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(read(record_text("a").substr(0, 10)).error().code(), ErrorCode::InvalidArgument);
}

TEST(ImportReader, AnEmptyBodyHoldsNothing) {
  for (const std::string_view empty : {"", "\n", R"({"Records":[]})"}) {
    const auto body = read(empty);
    ASSERT_TRUE(body) << empty;
    EXPECT_TRUE(body->all.items.empty());
    EXPECT_TRUE(body->all.invalid.empty());
  }
}

TEST(ImportReader, DigestFilesAreCounted) {
  const auto body = read(R"({"digestS3Object":"d","logFiles":[]})"
                         "\n" +
                         record_text("a"));
  ASSERT_TRUE(body);
  EXPECT_EQ(body->all.digests, 1U);
  EXPECT_EQ(ids_of(*body), Ids{"a"});
}

}  // namespace
}  // namespace opentrail::services::ingest
