#include "record/object_scan.h"

#include <algorithm>
#include <bit>
#include <utility>

#include <immintrin.h>

namespace opentrail::record {
namespace {

using Bits = ObjectScan::Bits;

constexpr std::size_t kBlock = ObjectScan::kBlock;
/// Members of this name say that an object is no record, or not a record alone. They count wherever
/// they stand, also as values: that costs a second reading and is rare.
constexpr std::string_view kTellingNames[] = {"Records\"", "detail-type\"", "digestS3Object\""};

/// '{' and '[' (and '}' and ']') differ in this bit alone.
constexpr char kBraceBit = 0x20;
constexpr char kControlMax = 0x1F;

// Intrinsics because AVX2 is chosen as the program runs; one processor family is what is built for.
// NOLINTBEGIN(portability-simd-intrinsics)

Bits bits_sse2(const char* block) {
  Bits bits{};
  for (unsigned i = 0; i < kBlock / sizeof(__m128i); ++i) {
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block) + i);
    const __m128i braces = _mm_or_si128(text, _mm_set1_epi8(kBraceBit));
    const auto mask = [i](__m128i found) {
      return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(found)))
             << (i * sizeof(__m128i));
    };
    const auto is = [](__m128i of, char c) { return _mm_cmpeq_epi8(of, _mm_set1_epi8(c)); };
    bits.quotes |= mask(is(text, '"'));
    bits.backslashes |= mask(is(text, '\\'));
    bits.controls |= mask(_mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8(kControlMax)), text));
    bits.opens |= mask(is(braces, '{'));
    bits.closes |= mask(is(braces, '}'));
    bits.initials |= mask(_mm_or_si128(is(text, 'R'), is(text, 'd')));
  }
  return bits;
}

std::uint64_t prefix_xor_sse2(std::uint64_t bits) {
  for (unsigned shift = 1; shift < kBlock; shift *= 2) {
    bits ^= bits << shift;
  }
  return bits;
}

#define OT_AVX2 [[gnu::target("avx2,pclmul,bmi,lzcnt,popcnt"), gnu::always_inline]]

OT_AVX2 inline std::uint64_t mask_avx2(__m256i low, __m256i high) {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(low)) |
         static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(high))) << 32U;
}
OT_AVX2 inline std::uint64_t equal_avx2(__m256i low, __m256i high, char c) {
  const __m256i all = _mm256_set1_epi8(c);
  return mask_avx2(_mm256_cmpeq_epi8(low, all), _mm256_cmpeq_epi8(high, all));
}
OT_AVX2 inline __m256i initials_avx2(__m256i text) {
  return _mm256_or_si256(_mm256_cmpeq_epi8(text, _mm256_set1_epi8('R')),
                         _mm256_cmpeq_epi8(text, _mm256_set1_epi8('d')));
}

OT_AVX2 inline Bits bits_avx2(const char* block) {
  const auto* at = reinterpret_cast<const __m256i*>(block);
  const __m256i low = _mm256_loadu_si256(at);
  const __m256i high = _mm256_loadu_si256(at + 1);
  const __m256i brace = _mm256_set1_epi8(kBraceBit);
  const __m256i low_braces = _mm256_or_si256(low, brace);
  const __m256i high_braces = _mm256_or_si256(high, brace);
  const __m256i control = _mm256_set1_epi8(kControlMax);
  return {.quotes = equal_avx2(low, high, '"'),
          .backslashes = equal_avx2(low, high, '\\'),
          .controls = mask_avx2(_mm256_cmpeq_epi8(_mm256_min_epu8(low, control), low),
                                _mm256_cmpeq_epi8(_mm256_min_epu8(high, control), high)),
          .opens = equal_avx2(low_braces, high_braces, '{'),
          .closes = equal_avx2(low_braces, high_braces, '}'),
          .initials = mask_avx2(initials_avx2(low), initials_avx2(high))};
}

/// The product with all ones, without carries.
OT_AVX2 inline std::uint64_t prefix_xor_avx2(std::uint64_t bits) {
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(
      _mm_clmulepi64_si128(_mm_set_epi64x(0, static_cast<long long>(bits)), _mm_set1_epi8(-1), 0)));
}

#undef OT_AVX2
// NOLINTEND(portability-simd-intrinsics)

/// The bytes behind an odd run of backslashes; `is_escaped` is carried from block to block.
/// Langdale and Lemire, "Parsing Gigabytes of JSON per Second", section 3.1.1.
[[gnu::always_inline]] inline std::uint64_t escaped_of(std::uint64_t backslashes,
                                                       std::uint64_t& is_escaped,
                                                       std::size_t bytes) {
  constexpr std::uint64_t kEven = 0x5555'5555'5555'5555;
  if (backslashes == 0) [[likely]] {
    return std::exchange(is_escaped, 0);
  }
  const std::uint64_t escaping = backslashes & ~is_escaped;
  const std::uint64_t behind = escaping << 1U | is_escaped;
  const std::uint64_t odd_starts = escaping & ~kEven & ~behind;
  unsigned long long runs = 0;
  const bool over = __builtin_uaddll_overflow(odd_starts, escaping, &runs);
  const std::uint64_t escaped = (kEven ^ (std::uint64_t{runs} << 1U)) & behind;
  is_escaped = bytes < kBlock ? escaped >> bytes & 1U : std::uint64_t{over};
  return escaped;
}

bool is_telling(std::string_view rest) {
  return std::ranges::any_of(kTellingNames, [rest](std::string_view name) {
    return rest.size() < name.size() ? name.starts_with(rest) : rest.starts_with(name);
  });
}

struct Lines {
  std::uint64_t count = 0;
  bool ends_one = false;      ///< The last of the bytes ends a line.
  bool begins_brace = false;  ///< One begins with '{'.
};

/// Of the first `bytes` of a block.
Lines look_at_lines(std::uint64_t controls, const char* block, std::size_t bytes) {
  Lines lines;
  for (; controls != 0; controls &= controls - 1) {
    const auto at = static_cast<std::size_t>(std::countr_zero(controls));
    if (block[at] != '\n') {
      continue;
    }
    ++lines.count;
    lines.ends_one = at + 1 == bytes;
    lines.begins_brace = lines.begins_brace || (at + 1 < bytes && block[at + 1] == '{');
  }
  return lines;
}

}  // namespace

SplitMethod best_split_method() {
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0 &&
                               __builtin_cpu_supports("pclmul") != 0 &&
                               __builtin_cpu_supports("bmi") != 0;
  return has_avx2 ? SplitMethod::Avx2 : SplitMethod::Sse2;
}

void ObjectScan::start() {
  carry_ = {};
  depth_ = 0;
}

/// False when a bracket closes what it did not open, or the object is too deep. `end` becomes the
/// place behind the object when it ends here.
[[gnu::always_inline]] inline bool ObjectScan::follow_brackets(std::uint64_t brackets,
                                                               const char* block,
                                                               std::size_t& end) {
  for (; brackets != 0; brackets &= brackets - 1) {
    const auto at = static_cast<std::size_t>(std::countr_zero(brackets));
    const char c = block[at];
    const bool is_list = (c | kBraceBit) != c;  // of '[' and ']' the bit is not set
    if (c == '{' || c == '[') {
      if (depth_ == kSplitDepthMax) {
        return false;
      }
      is_list_.data()[depth_++] = is_list;
      continue;
    }
    if (depth_ == 0 || is_list_.data()[depth_ - 1] != is_list) {
      return false;
    }
    if (--depth_ == 0) {
      end = at + 1;
      return true;
    }
  }
  return true;
}

[[gnu::always_inline]] inline ObjectScan::Verdict ObjectScan::take_block(const Block& block,
                                                                         const Bits& bits,
                                                                         std::uint64_t inside,
                                                                         Outcome& outcome) {
  std::size_t end = 0;
  if (!follow_brackets((bits.opens | bits.closes) & ~inside, block.text, end)) {
    return Verdict::Doubtful;
  }
  // Nothing behind the end of the object counts.
  const std::uint64_t limit =
      end == 0 || end == kBlock ? ~std::uint64_t{0} : (std::uint64_t{1} << end) - 1;
  // A backslash outside of a string escapes nothing, which escaped_of() cannot know.
  if ((((bits.controls & inside) | (bits.backslashes & ~inside)) & limit) != 0) {
    return Verdict::Doubtful;
  }
  std::uint64_t initials = bits.initials & (bits.quotes << 1U | carry_.is_quoted) & limit;
  for (; initials != 0; initials &= initials - 1) {
    if (is_telling(block.rest.substr(static_cast<std::size_t>(std::countr_zero(initials))))) {
      return Verdict::Doubtful;
    }
  }
  bool ends_line = false;
  if (const std::uint64_t controls = bits.controls & limit; controls != 0 || carry_.begins_line)
      [[unlikely]] {
    const Lines lines = look_at_lines(controls, block.text, end == 0 ? block.bytes : end);
    if (lines.begins_brace || (carry_.begins_line && block.text[0] == '{')) {
      return Verdict::Doubtful;
    }
    outcome.new_lines += lines.count;
    ends_line = lines.ends_one;
  }
  carry_.begins_line = ends_line;
  if (end != 0) {
    outcome.bytes += end;
    return Verdict::Ends;
  }
  carry_.in_string = static_cast<std::uint64_t>(static_cast<std::int64_t>(inside) >> 63U);
  carry_.is_quoted = bits.quotes >> (block.bytes - 1) & 1U;
  outcome.bytes += block.bytes;
  return Verdict::Open;
}

// The two differ only in how a block becomes bits; a template of both would not be allowed to use
// AVX2 in one of its instances.

ObjectScan::Outcome ObjectScan::take_sse2(std::string_view bytes) {
  Outcome outcome;
  while (outcome.bytes < bytes.size()) {
    Block block(bytes.substr(outcome.bytes));
    const Bits bits = bits_sse2(block.text);
    const std::uint64_t escaped = escaped_of(bits.backslashes, carry_.is_escaped, block.bytes);
    const std::uint64_t inside = prefix_xor_sse2(bits.quotes & ~escaped) ^ carry_.in_string;
    outcome.verdict = take_block(block, bits, inside, outcome);
    if (outcome.verdict != Verdict::Open) {
      break;
    }
  }
  return outcome;
}

[[gnu::target("avx2,pclmul,bmi,lzcnt,popcnt")]]
ObjectScan::Outcome ObjectScan::take_avx2(std::string_view bytes) {
  Outcome outcome;
  while (outcome.bytes < bytes.size()) {
    Block block(bytes.substr(outcome.bytes));
    const Bits bits = bits_avx2(block.text);
    const std::uint64_t escaped = escaped_of(bits.backslashes, carry_.is_escaped, block.bytes);
    const std::uint64_t inside = prefix_xor_avx2(bits.quotes & ~escaped) ^ carry_.in_string;
    outcome.verdict = take_block(block, bits, inside, outcome);
    if (outcome.verdict != Verdict::Open) {
      break;
    }
  }
  return outcome;
}

ObjectScan::Outcome ObjectScan::take(std::string_view bytes) {
  return method_ == SplitMethod::Avx2 ? take_avx2(bytes) : take_sse2(bytes);
}

}  // namespace opentrail::record
