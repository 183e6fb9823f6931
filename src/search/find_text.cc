#include "search/find_text.h"

#include "base/text.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <immintrin.h>

namespace opentrail::search {
namespace {

constexpr unsigned char kCaseBit = 0x20;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// How common each byte is: its place in the order counted over CloudTrail's published samples
/// (tests/data/aws, 131 KB), the rest rarest of all.
constexpr std::array<std::uint8_t, 256> make_ranks() {
  constexpr std::string_view kCommonFirst =
      " et\"raoinscdu:,lmh1pf-2.by0gvwAI37ST84C/9E6DN5kRL{}OWHPxM()YFUVzqBjZKQG;_X+[]J|<>`@'%!=#";
  std::array<std::uint8_t, 256> ranks{};
  for (std::size_t i = 0; i < kCommonFirst.size(); ++i) {
    ranks[static_cast<unsigned char>(kCommonFirst[i])] =
        static_cast<std::uint8_t>(kCommonFirst.size() - i);
  }
  return ranks;
}
constexpr auto kRanks = make_ranks();

/// The places from `first` on where both probes hit, one bit each; up to the width of a block.
using Probes = std::array<TextFinder::Probe, 2>;

struct Sse2 {
  static constexpr std::size_t kWidth = 16;

  /// The first hit of `count` places that `equals` confirms. `count` is at least kWidth.
  template <typename Equals>
  static std::size_t find(const char* text, std::size_t count, const Probes& probes,
                          const Equals& equals) {
    const __m128i byte0 = _mm_set1_epi8(static_cast<char>(probes[0].byte));
    const __m128i byte1 = _mm_set1_epi8(static_cast<char>(probes[1].byte));
    const __m128i fold0 = _mm_set1_epi8(static_cast<char>(probes[0].fold));
    const __m128i fold1 = _mm_set1_epi8(static_cast<char>(probes[1].fold));
    const char* const text0 = text + probes[0].at;
    const char* const text1 = text + probes[1].at;
    for (std::size_t done = 0; done < count; done += kWidth) {
      const std::size_t i =
          std::min(done, count - kWidth);  // the last block overlaps the one before
      const __m128i block0 = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text0 + i));
      const __m128i block1 = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text1 + i));
      const __m128i hits = _mm_and_si128(_mm_cmpeq_epi8(_mm_or_si128(block0, fold0), byte0),
                                         _mm_cmpeq_epi8(_mm_or_si128(block1, fold1), byte1));
      auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(hits));
      for (; mask != 0; mask &= mask - 1) {
        const std::size_t place = i + static_cast<std::size_t>(std::countr_zero(mask));
        if (equals(text + place)) {
          return place;
        }
      }
    }
    return std::string_view::npos;
  }
};

struct Avx2 {
  static constexpr std::size_t kWidth = 32;

  template <typename Equals>
  __attribute__((target("avx2"))) static std::size_t find(const char* text, std::size_t count,
                                                          const Probes& probes,
                                                          const Equals& equals) {
    const __m256i byte0 = _mm256_set1_epi8(static_cast<char>(probes[0].byte));
    const __m256i byte1 = _mm256_set1_epi8(static_cast<char>(probes[1].byte));
    const __m256i fold0 = _mm256_set1_epi8(static_cast<char>(probes[0].fold));
    const __m256i fold1 = _mm256_set1_epi8(static_cast<char>(probes[1].fold));
    const char* const text0 = text + probes[0].at;
    const char* const text1 = text + probes[1].at;
    for (std::size_t done = 0; done < count; done += kWidth) {
      const std::size_t i = std::min(done, count - kWidth);
      const __m256i block0 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text0 + i));
      const __m256i block1 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text1 + i));
      const __m256i hits =
          _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_or_si256(block0, fold0), byte0),
                           _mm256_cmpeq_epi8(_mm256_or_si256(block1, fold1), byte1));
      auto mask = static_cast<std::uint32_t>(_mm256_movemask_epi8(hits));
      for (; mask != 0; mask &= mask - 1) {
        const std::size_t place = i + static_cast<std::size_t>(std::countr_zero(mask));
        if (equals(text + place)) {
          return place;
        }
      }
    }
    return std::string_view::npos;
  }
};

bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}

}  // namespace

TextFinder::TextFinder(std::string_view needle, Case letters) : needle_(needle) {
  if (letters == Case::Ignore) {
    needle_ = to_lower(needle);
    for (const char c : needle_) {
      fold_ += is_letter(c) ? static_cast<char>(kCaseBit) : '\0';
    }
  }
  const auto probe_at = [this](std::size_t at) {
    return Probe{.at = at,
                 .byte = static_cast<unsigned char>(needle_[at]),
                 .fold = fold_.empty() ? static_cast<unsigned char>(0)
                                       : static_cast<unsigned char>(fold_[at])};
  };
  const auto rank_at = [this](std::size_t at) {
    return kRanks[static_cast<unsigned char>(needle_[at])];
  };
  std::size_t rarest = 0;
  for (std::size_t i = 1; i < needle_.size(); ++i) {
    rarest = rank_at(i) < rank_at(rarest) ? i : rarest;
  }
  std::size_t second = rarest == 0 && needle_.size() > 1 ? 1 : 0;
  for (std::size_t i = 0; i < needle_.size(); ++i) {
    second = i != rarest && rank_at(i) < rank_at(second) ? i : second;
  }
  if (!needle_.empty()) {
    probes_ = {probe_at(rarest), probe_at(second)};
  }
}

bool TextFinder::equals_at(const char* place) const {
  if (fold_.empty()) {
    return std::memcmp(place, needle_.data(), needle_.size()) == 0;
  }
  for (std::size_t i = 0; i < needle_.size(); ++i) {
    if ((static_cast<unsigned char>(place[i]) | static_cast<unsigned char>(fold_[i])) !=
        static_cast<unsigned char>(needle_[i])) {
      return false;
    }
  }
  return true;
}

/// For fewer places than a block has.
std::size_t TextFinder::find_short(std::string_view haystack) const {
  for (std::size_t i = 0; i + needle_.size() <= haystack.size(); ++i) {
    if (equals_at(haystack.data() + i)) {
      return i;
    }
  }
  return std::string_view::npos;
}

template <typename Kernel>
std::size_t TextFinder::find_with(std::string_view haystack, std::size_t width,
                                  Kernel kernel) const {
  if (needle_.size() > haystack.size()) {
    return std::string_view::npos;
  }
  const std::size_t places = haystack.size() - needle_.size() + 1;
  if (needle_.empty() || places < width) {
    return find_short(haystack);
  }
  const auto equals = [this](const char* place) { return equals_at(place); };
  return kernel(haystack.data(), places, probes_, equals);
}

std::size_t TextFinder::find_sse2(std::string_view haystack) const {
  const auto kernel = [](const auto&... args) { return Sse2::find(args...); };
  return find_with(haystack, Sse2::kWidth, kernel);
}

std::size_t TextFinder::find(std::string_view haystack) const {
  const bool is_long = haystack.size() >= needle_.size() + Avx2::kWidth;
  if (!is_long || !has_avx2()) {
    return find_sse2(haystack);
  }
  const auto kernel = [](const auto&... args) { return Avx2::find(args...); };
  return find_with(haystack, Avx2::kWidth, kernel);
}

}  // namespace opentrail::search
