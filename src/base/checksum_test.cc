// Goal: the catalogue's check values ("123456789"), streaming equals one pass at every cut, and the
// fast ways to CRC-32C give what a bit at a time does: over all short lengths, random long ones,
// alignments and previous values.
#include "base/checksum.h"

#include "base/crc32c.h"

#include <random>

#include <gtest/gtest.h>

namespace opentrail {
namespace {

TEST(Checksum, CheckValues) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32(as_bytes("123456789")), 0xCBF43926U);
  EXPECT_EQ(crc64_nvme(as_bytes("123456789")), 0xAE8B14860A799888ULL);
}

TEST(Checksum, StreamsAtEveryCut) {
  const std::string text = "The quick brown fox jumps over the lazy dog";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const auto first = as_bytes(std::string_view(text).substr(0, cut));
    const auto rest = as_bytes(std::string_view(text).substr(cut));
    EXPECT_EQ(crc32c(rest, crc32c(first)), crc32c(as_bytes(text)));
    EXPECT_EQ(crc32(rest, crc32(first)), crc32(as_bytes(text)));
    EXPECT_EQ(crc64_nvme(rest, crc64_nvme(first)), crc64_nvme(as_bytes(text)));
  }
}

std::uint32_t crc32c_bit_by_bit(ByteSpan bytes, std::uint32_t previous) {
  std::uint32_t crc = ~previous;
  for (const std::byte b : bytes) {
    crc ^= std::to_integer<std::uint32_t>(b);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
    }
  }
  return ~crc;
}

class Crc32cWays : public testing::TestWithParam<Crc32cWay> {};

TEST_P(Crc32cWays, GiveWhatABitAtATimeDoes) {
  constexpr std::size_t kShortBytesMax = 1300;
  constexpr std::size_t kLongBytesMax = 40000;
  const Crc32cWay way = GetParam();
  if (!is_supported(way)) {
    GTEST_SKIP() << "this processor has no such instructions";
  }
  constexpr unsigned kSeed = 20240611;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);  // NOLINT(cert-msc51-cpp): the same at each run
  std::string bytes(kLongBytesMax + 64, '\0');
  for (char& c : bytes) {
    c = static_cast<char>(random());
  }
  const auto check = [&](std::size_t begin, std::size_t size) {
    const auto previous = static_cast<std::uint32_t>(random());
    const ByteSpan part = as_bytes(bytes).subspan(begin, size);
    ASSERT_EQ(crc32c_by(way, part, previous), crc32c_bit_by_bit(part, previous))
        << size << " bytes from " << begin << ", previous " << previous;
    ASSERT_EQ(crc32c(part, previous), crc32c_by(way, part, previous));
  };
  for (std::size_t size = 0; size <= kShortBytesMax; ++size) {
    ASSERT_NO_FATAL_FAILURE(check(random() % 64, size));
  }
  for (int i = 0; i < 100; ++i) {
    ASSERT_NO_FATAL_FAILURE(check(random() % 64, random() % (kLongBytesMax + 1)));
  }
}

INSTANTIATE_TEST_SUITE_P(All, Crc32cWays,
                         testing::Values(Crc32cWay::Plain, Crc32cWay::Streams, Crc32cWay::Folding));

}  // namespace
}  // namespace opentrail
