// Goal: unpack everything that is gzip or zstd, and say so when it is not or not whole.
// Method: packed texts taken whole, byte by byte, cut at every length and with one byte changed.
#include "collect/unpack.h"

#include "collect/gzip.h"

#include <gtest/gtest.h>

namespace opentrail::collect {
namespace {

std::string pack(Coding coding, std::string_view text) {
  switch (coding) {
    case Coding::Gzip:
      return gzip(text);
    case Coding::Zstd:
      return pack_zstd(text);
    case Coding::Identity:
      break;
  }
  return std::string(text);
}

/// Also what came out before an error.
struct Unpacked {
  std::string text;
  std::string error;
};

Unpacked unpack(Coding coding, std::string_view packed, std::size_t piece_bytes) {
  Unpacked out;
  const auto unpacker = Unpacker::make(coding);
  while (!packed.empty()) {
    std::string_view piece = packed.substr(0, piece_bytes);
    packed.remove_prefix(piece.size());
    for (;;) {
      const auto chunk = unpacker->next(piece);
      if (!chunk) {
        EXPECT_EQ(chunk.error().code(), ErrorCode::InvalidArgument);
        EXPECT_FALSE(unpacker->next(piece)) << "nothing is accepted after an error";
        EXPECT_FALSE(unpacker->finish());
        out.error = chunk.error().message();
        return out;
      }
      EXPECT_LE(chunk->size(), kUnpackedBytesMax);
      if (chunk->empty()) {
        EXPECT_TRUE(piece.empty());
        break;
      }
      out.text += *chunk;
    }
  }
  if (const auto end = unpacker->finish(); !end) {
    out.error = end.error().message();
  }
  return out;
}

std::string sample_text() {
  std::string text;
  for (int i = 0; i < 40'000; ++i) {
    text += "record " + std::to_string(i * 7919) + "\n";
  }
  return text;
}

class Unpack : public testing::TestWithParam<Coding> {};
INSTANTIATE_TEST_SUITE_P(Codings, Unpack, testing::Values(Coding::Gzip, Coding::Zstd),
                         [](const auto& of) { return std::string(to_string(of.param)); });

TEST_P(Unpack, TakesPiecesOfAnySize) {
  const std::string text = sample_text();
  ASSERT_GT(text.size(), 3 * kUnpackedBytesMax);
  for (const std::string& whole : {text, text.substr(0, kUnpackedBytesMax),
                                   text.substr(0, 2 * kUnpackedBytesMax), std::string()}) {
    const std::string packed = pack(GetParam(), whole);
    EXPECT_EQ(coding_of(packed), GetParam());
    for (const std::size_t piece_bytes : {std::size_t{1}, std::size_t{777}, packed.size()}) {
      const Unpacked out = unpack(GetParam(), packed, piece_bytes);
      EXPECT_EQ(out.error, "");
      EXPECT_EQ(out.text, whole) << piece_bytes;
    }
  }
}

TEST_P(Unpack, ReadsSeveralMembers) {
  const auto member = [](std::string_view text) { return pack(GetParam(), text); };
  const std::string packed = member("one ") + member("two ") + member("") + member("three");
  for (const std::size_t piece_bytes : {std::size_t{1}, packed.size()}) {
    const Unpacked out = unpack(GetParam(), packed, piece_bytes);
    EXPECT_EQ(out.error, "");
    EXPECT_EQ(out.text, "one two three");
  }
}

TEST(UnpackGzip, IgnoresZeroPadding) {
  const std::string packed = gzip("one ") + gzip("two") + std::string(512, '\0');
  EXPECT_EQ(unpack(Coding::Gzip, packed, 1).text, "one two");
  EXPECT_EQ(unpack(Coding::Gzip, packed, 1).error, "");
}

TEST_P(Unpack, RefusesEveryTruncation) {
  const std::string packed = pack(GetParam(), R"({"Records":[]})");
  for (std::size_t bytes = 0; bytes < packed.size(); ++bytes) {
    const Unpacked cut = unpack(GetParam(), std::string_view(packed).substr(0, bytes), 5);
    EXPECT_NE(cut.error.find(bytes == 0 ? "there is none" : "truncated"), std::string::npos)
        << bytes << ": " << cut.error;
  }
}

TEST_P(Unpack, HandsOutWhatCameBeforeTheTruncation) {
  const std::string text = sample_text();
  const std::string packed = pack(GetParam(), text);
  const Unpacked cut =
      unpack(GetParam(), std::string_view(packed).substr(0, packed.size() * 9 / 10), 1000);
  EXPECT_NE(cut.error, "");
  EXPECT_GT(cut.text.size(), text.size() / 4);
  EXPECT_TRUE(text.starts_with(cut.text));
}

TEST_P(Unpack, RefusesForeignBytes) {
  const std::string packed = pack(GetParam(), "an audit record, for example");
  EXPECT_NE(unpack(GetParam(), packed + "tail of it", 3).error, "");
  EXPECT_NE(unpack(GetParam(), "PK\x03\x04 a zip file", 100).error, "");
  std::string changed = packed;
  changed[1] = static_cast<char>(changed[1] ^ 1);
  EXPECT_NE(unpack(GetParam(), changed, 100).error, "");
}

TEST(UnpackGzip, RefusesAWrongChecksumBehindTheText) {
  std::string packed = gzip("an audit record, for example");
  packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 1);
  const Unpacked out = unpack(Coding::Gzip, packed, packed.size());
  EXPECT_EQ(out.text, "an audit record, for example");
  EXPECT_EQ(out.error, "broken gzip data: incorrect data check");
}

TEST(UnpackZstd, RefusesAWindowThatCostsTooMuchMemory) {
  // A frame header (RFC 8878 §3.1.1) that asks for a window of 128 MiB.
  const std::string frame("\x28\xb5\x2f\xfd\x00\x88", 6);
  EXPECT_NE(unpack(Coding::Zstd, frame + std::string("\x01\x00\x00", 3), 100).error, "");
}

TEST(UnpackIdentity, IsThePieceItself) {
  const std::string text = sample_text();
  EXPECT_EQ(unpack(Coding::Identity, text, text.size()).text, text);
  EXPECT_EQ(unpack(Coding::Identity, "", 1).error, "");
}

TEST(ParseCoding, TakesNamesInAnyCase) {
  EXPECT_EQ(parse_coding("").value(), Coding::Identity);
  EXPECT_EQ(parse_coding("Identity").value(), Coding::Identity);
  EXPECT_EQ(parse_coding(" GZip ").value(), Coding::Gzip);
  EXPECT_EQ(parse_coding("x-gzip").value(), Coding::Gzip);
  EXPECT_EQ(parse_coding("ZSTD").value(), Coding::Zstd);
  for (const std::string_view name : {"br", "gzip, zstd", "deflate"}) {
    EXPECT_EQ(parse_coding(name).error().code(), ErrorCode::Unsupported) << name;
  }
  EXPECT_LT(parse_coding("b\xff" + std::string(500, 'x')).error().message().size(), 200U);
}

}  // namespace
}  // namespace opentrail::collect
