// Goal: unpack everything that is gzip, and say so when it is not or not whole.
// Method: packed texts fed whole, byte by byte, cut at every length and with one byte changed.
#include "collect/gzip.h"

#include <gtest/gtest.h>

namespace opentrail::collect {
namespace {

Result<std::string> unpack_in_pieces(std::string_view packed, std::size_t piece_bytes) {
  std::string out;
  Gunzip reader([&](std::string_view chunk) -> Result<void> {
    out.append(chunk);
    return {};
  });
  while (!packed.empty()) {
    const std::string_view piece = packed.substr(0, piece_bytes);
    OT_TRY_DO(reader.feed(piece));
    packed.remove_prefix(piece.size());
  }
  OT_TRY_DO(reader.finish());
  return out;
}

std::string sample_text() {
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    text += "record " + std::to_string(i * 7919) + "\n";
  }
  return text;
}

TEST(Gzip, PacksAndUnpacksInPiecesOfAnySize) {
  const std::string text = sample_text();
  ASSERT_GT(text.size(), 3 * kGunzipChunkBytes);
  const std::string packed = gzip(text);
  EXPECT_TRUE(is_gzip(packed));
  EXPECT_LT(packed.size(), text.size());
  for (const std::size_t piece_bytes : {std::size_t{1}, std::size_t{777}, packed.size()}) {
    EXPECT_EQ(unpack_in_pieces(packed, piece_bytes).value(), text) << piece_bytes;
  }
  EXPECT_EQ(gunzip(gzip(""), 0).value(), "");
}

TEST(Gzip, SameInputSameOutput) { EXPECT_EQ(gzip("abc"), gzip("abc")); }

TEST(Gzip, ReadsSeveralMembersAndIgnoresZeroPadding) {
  const std::string packed = gzip("one ") + gzip("two ") + gzip("") + gzip("three");
  for (const std::size_t piece_bytes : {std::size_t{1}, packed.size()}) {
    EXPECT_EQ(unpack_in_pieces(packed, piece_bytes).value(), "one two three");
    EXPECT_EQ(unpack_in_pieces(packed + std::string(512, '\0'), piece_bytes).value(),
              "one two three");
  }
}

TEST(Gzip, RefusesEveryTruncation) {
  const std::string packed = gzip("{\"Records\":[]}");
  for (std::size_t bytes = 0; bytes < packed.size(); ++bytes) {
    const auto cut = gunzip(std::string_view(packed).substr(0, bytes), 1 << 20);
    ASSERT_FALSE(cut.has_value()) << bytes;
    EXPECT_EQ(cut.error().code(), ErrorCode::InvalidArgument);
    if (bytes > 0) {
      EXPECT_NE(cut.error().message().find("truncated"), std::string::npos);
    }
  }
}

TEST(Gzip, HandsOnWhatCameBeforeTheTruncation) {
  const std::string text = sample_text();
  const std::string packed = gzip(text);
  std::string out;
  Gunzip reader([&](std::string_view chunk) -> Result<void> {
    out.append(chunk);
    return {};
  });
  ASSERT_TRUE(reader.feed(std::string_view(packed).substr(0, packed.size() / 2)).has_value());
  EXPECT_FALSE(reader.finish().has_value());
  EXPECT_GT(out.size(), text.size() / 4);
  EXPECT_TRUE(text.starts_with(out));
}

TEST(Gzip, RefusesChangedBytesAndForeignTails) {
  const std::string packed = gzip("an audit record, for example");
  std::string changed = packed;
  changed[packed.size() - 6] = static_cast<char>(changed[packed.size() - 6] ^ 1);  // in the CRC
  EXPECT_FALSE(gunzip(changed, 1 << 20).has_value());
  EXPECT_FALSE(gunzip(packed + "tail", 1 << 20).has_value());
  EXPECT_FALSE(gunzip("PK\x03\x04 a zip file", 1 << 20).has_value());
}

TEST(Gzip, StopsAtTheBound) {
  const std::string bomb = gzip(std::string(10 << 20, ' '));
  ASSERT_LT(bomb.size(), 100'000U);
  const auto refused = gunzip(bomb, 1 << 20);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::ResourceExhausted);
  EXPECT_EQ(gunzip(bomb, 10 << 20).value().size(), std::size_t{10} << 20);
}

TEST(Gzip, TheSinksErrorComesBackAndEndsIt) {
  Gunzip reader(
      [](std::string_view) -> Result<void> { return fail(ErrorCode::Unavailable, "stop"); });
  const auto stopped = reader.feed(gzip("text"));
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code(), ErrorCode::Unavailable);
  EXPECT_FALSE(reader.feed("more").has_value());
  EXPECT_FALSE(reader.finish().has_value());
}

}  // namespace
}  // namespace opentrail::collect
