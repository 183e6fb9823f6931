#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>

/// Internal: comparing and copying texts of a few bytes without a call, which would cost more than
/// the work itself. Two loads that overlap take every length of their range.
namespace opentrail::record {

// The size goes with each pointer; none of them is read as a C string.
// NOLINTBEGIN(bugprone-suspicious-stringview-data-usage)

template <typename Word>
[[nodiscard]] inline bool equal_by(const char* a, const char* b, std::size_t size) {
  Word first_a, first_b, last_a, last_b;
  std::memcpy(&first_a, a, sizeof(Word));
  std::memcpy(&first_b, b, sizeof(Word));
  std::memcpy(&last_a, a + size - sizeof(Word), sizeof(Word));
  std::memcpy(&last_b, b + size - sizeof(Word), sizeof(Word));
  return (first_a ^ first_b) == 0 && (last_a ^ last_b) == 0;
}

[[nodiscard]] inline bool equal_short(std::string_view a, std::string_view b) {
  const std::size_t size = a.size();
  if (size != b.size()) {
    return false;
  }
  if (size > 2 * sizeof(std::uint64_t)) {
    return std::memcmp(a.data(), b.data(), size) == 0;
  }
  if (size >= sizeof(std::uint64_t)) {
    return equal_by<std::uint64_t>(a.data(), b.data(), size);
  }
  if (size >= sizeof(std::uint32_t)) {
    return equal_by<std::uint32_t>(a.data(), b.data(), size);
  }
  for (std::size_t i = 0; i < size; ++i) {
    if (a.data()[i] != b.data()[i]) {
      return false;
    }
  }
  return true;
}

template <typename Word>
inline void copy_by(char* to, const char* from, std::size_t size) {
  Word first, last;
  std::memcpy(&first, from, sizeof(Word));
  std::memcpy(&last, from + size - sizeof(Word), sizeof(Word));
  std::memcpy(to, &first, sizeof(Word));
  std::memcpy(to + size - sizeof(Word), &last, sizeof(Word));
}

/// Returns the end of what was written.
inline char* copy_short(char* to, std::string_view from) {
  using Wide [[gnu::vector_size(16)]] = std::uint64_t;
  const std::size_t size = from.size();
  if (size > 2 * sizeof(Wide)) {
    std::memcpy(to, from.data(), size);
  } else if (size >= sizeof(Wide)) {
    copy_by<Wide>(to, from.data(), size);
  } else if (size >= sizeof(std::uint64_t)) {
    copy_by<std::uint64_t>(to, from.data(), size);
  } else if (size >= sizeof(std::uint32_t)) {
    copy_by<std::uint32_t>(to, from.data(), size);
  } else {
    for (std::size_t i = 0; i < size; ++i) {
      to[i] = from.data()[i];
    }
  }
  return to + size;
}

// NOLINTEND(bugprone-suspicious-stringview-data-usage)

}  // namespace opentrail::record
