// Goal: the catalogue's check values ("123456789"), and streaming equals one pass at every cut.
#include "base/checksum.h"

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

}  // namespace
}  // namespace opentrail
