#include "history/index/id_filter.h"

#include "history/index/id_pages.h"

#include <algorithm>

namespace opentrail::history {
namespace {

constexpr std::uint64_t kBitsPerId = 12;
constexpr unsigned kBitsSet = 6;
constexpr std::uint64_t kLineBits = 512;
constexpr unsigned kLineBitsLog = 9;
constexpr unsigned kWordBits = 64;
/// The product with a hash stays within 64 bits.
constexpr std::uint64_t kLinesMax = std::uint64_t{1} << (kWordBits - kIdHashBits);

/// Bits for a place in the line, apart from those that chose the line.
std::uint64_t mixed(std::uint64_t hash) {
  hash *= 0x9E3779B97F4A7C15U;
  hash ^= hash >> 32;
  return hash * 0xD6E8FEB86659FD93U;
}

/// Calls `use(word, mask)` for each bit of the line that a hash has.
template <typename Use>
bool for_each_bit(std::uint64_t hash, Use use) {
  std::uint64_t bits = mixed(hash);
  for (unsigned i = 0; i < kBitsSet; ++i) {
    const std::uint64_t place = bits >> (kWordBits - kLineBitsLog);
    bits <<= kLineBitsLog;
    if (!use(place / kWordBits, std::uint64_t{1} << (place % kWordBits))) {
      return false;
    }
  }
  return true;
}

}  // namespace

IdFilter::IdFilter(std::uint64_t ids) {
  const std::uint64_t lines =
      std::clamp<std::uint64_t>((ids * kBitsPerId + kLineBits - 1) / kLineBits, 1, kLinesMax);
  words_.assign(lines * kLineWords, 0);
}

std::size_t IdFilter::line_of(std::uint64_t hash) const {
  const std::uint64_t lines = words_.size() / kLineWords;
  return static_cast<std::size_t>((hash * lines) >> kIdHashBits) * kLineWords;
}

void IdFilter::add(std::uint64_t hash) {
  std::uint64_t* const line = words_.data() + line_of(hash);
  for_each_bit(hash, [line](std::size_t word, std::uint64_t mask) {
    line[word] |= mask;
    return true;
  });
}

bool IdFilter::may_have(std::uint64_t hash) const {
  if (words_.empty()) {
    return true;
  }
  const std::uint64_t* const line = words_.data() + line_of(hash);
  return for_each_bit(
      hash, [line](std::size_t word, std::uint64_t mask) { return (line[word] & mask) != 0; });
}

void IdFilter::encode(std::string& out) const {
  put(out, static_cast<std::uint32_t>(words_.size() / kLineWords));
  for (const std::uint64_t word : words_) {
    put(out, word);
  }
}

std::optional<IdFilter> IdFilter::decode(ByteReader& in) {
  const auto lines = in.number<std::uint32_t>();
  const std::string_view bytes = in.text(std::uint64_t{lines} * kLineWords * sizeof(std::uint64_t));
  if (in.failed() || lines > kLinesMax) {
    return std::nullopt;
  }
  IdFilter filter;
  filter.words_.resize(std::size_t{lines} * kLineWords);
  if (!bytes.empty()) {
    std::memcpy(filter.words_.data(), bytes.data(), bytes.size());
  }
  return filter;
}

}  // namespace opentrail::history
