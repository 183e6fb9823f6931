#include "base/checksum.h"

#include <array>
#include <cstring>

namespace opentrail {
namespace {

template <typename T>
constexpr std::array<std::array<T, 256>, 8> make_tables(T polynomial) {
  std::array<std::array<T, 256>, 8> tables{};
  for (unsigned i = 0; i < 256; ++i) {
    T value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? polynomial : T{0});
    }
    tables[0][i] = value;
  }
  for (unsigned i = 0; i < 256; ++i) {
    for (std::size_t k = 1; k < 8; ++k) {
      tables[k][i] = (tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 255];
    }
  }
  return tables;
}

/// Slicing by eight: one table step for eight bytes at a time.
template <typename T>
T table_crc(const std::array<std::array<T, 256>, 8>& tables, ByteSpan bytes, T crc) {
  crc = ~crc;
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    word ^= crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) {
      crc ^= tables[7 - k][(word >> (8 * k)) & 255];
    }
    bytes = bytes.subspan(8);
  }
  for (const std::byte b : bytes) {
    crc = (crc >> 8) ^ tables[0][(crc ^ std::to_integer<unsigned>(b)) & 255];
  }
  return ~crc;
}

constexpr auto kCrc32 = make_tables<std::uint32_t>(0xEDB88320U);
constexpr auto kCrc64Nvme = make_tables<std::uint64_t>(0x9a6c9329ac4bc9b5ULL);

}  // namespace

std::uint32_t crc32(ByteSpan bytes, std::uint32_t previous) {
  return table_crc(kCrc32, bytes, previous);
}

std::uint64_t crc64_nvme(ByteSpan bytes, std::uint64_t previous) {
  return table_crc(kCrc64Nvme, bytes, previous);
}

}  // namespace opentrail
