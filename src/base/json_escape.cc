#include "base/json_escape.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSSE3__)
#include <immintrin.h>
#endif

namespace opentrail {
namespace {

constexpr unsigned char kFirstPrintable = 0x20;
/// The longest escape is \u00XX.
constexpr std::size_t kEscapeBytesMax = 6;

bool is_escaped(char c) {
  return c == '"' || c == '\\' || static_cast<unsigned char>(c) < kFirstPrintable;
}

/// Writes what stands for one character; returns the end.
char* put_escaped(char* out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kShort = "\"\\\n\r\t";
  constexpr std::string_view kLetters = "\"\\nrt";
  *out++ = '\\';
  if (const auto at = kShort.find(c); at != std::string_view::npos) {
    *out++ = kLetters[at];
    return out;
  }
  for (const char one : {'u', '0', '0', kHex[static_cast<unsigned char>(c) >> 4U],
                         kHex[static_cast<unsigned char>(c) & 15U]}) {
    *out++ = one;
  }
  return out;
}

char* put_plainly(char* out, std::string_view text) {
  for (const char c : text) {
    if (is_escaped(c)) {
      out = put_escaped(out, c);
    } else {
      *out++ = c;
    }
  }
  return out;
}

#if defined(__SSSE3__)

constexpr std::size_t kHalf = 8;

/// How eight characters are spread when those of a mask get a backslash before them.
struct Spread {
  std::array<std::uint8_t, 2 * kHalf> from{};   ///< Which one comes here; 0x80: none.
  std::array<std::uint8_t, 2 * kHalf> slash{};  ///< The backslashes.
};

consteval std::array<Spread, 256> make_spreads() {
  std::array<Spread, 256> spreads{};
  for (unsigned mask = 0; mask < spreads.size(); ++mask) {
    Spread& spread = spreads[mask];
    spread.from.fill(0x80);
    std::size_t at = 0;
    for (unsigned i = 0; i < kHalf; ++i) {
      if ((mask >> i & 1U) != 0) {
        spread.slash[at++] = '\\';
      }
      spread.from[at++] = static_cast<std::uint8_t>(i);
    }
  }
  return spreads;
}
constexpr std::array<Spread, 256> kSpreads = make_spreads();

__m128i load(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }

/// Writes 16 bytes, of which those returned count.
char* put_half(char* out, __m128i half, unsigned mask) {
  const Spread& spread = kSpreads[mask];
  const __m128i spaced = _mm_shuffle_epi8(half, load(spread.from.data()));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                   _mm_or_si128(spaced, load(spread.slash.data())));
  return out + kHalf + std::popcount(mask);
}

/// Takes 16 characters at a time off the front. `out` has room for twice as many.
char* put_fast(char* out, std::string_view& text) {
  constexpr std::size_t kWidth = 2 * kHalf;
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i control_max = _mm_set1_epi8(static_cast<char>(kFirstPrintable - 1));
  for (; text.size() >= kWidth; text.remove_prefix(kWidth)) {
    const __m128i chars = load(text.data());
    // NOLINTNEXTLINE(portability-simd-intrinsics): the other branch is the portable one.
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(chars, control_max), chars);
    const __m128i slashed =
        _mm_or_si128(_mm_cmpeq_epi8(chars, quote), _mm_cmpeq_epi8(chars, backslash));
    if (_mm_movemask_epi8(control) != 0) {
      out = put_plainly(out, text.substr(0, kWidth));
      continue;
    }
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(slashed));
    if (mask == 0) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out), chars);
      out += kWidth;
    } else {
      out = put_half(out, chars, mask & 0xFFU);
      out = put_half(out, _mm_srli_si128(chars, kHalf), mask >> kHalf);
    }
  }
  return out;
}

#else

char* put_fast(char* out, std::string_view& /*text*/) { return out; }

#endif

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  constexpr std::size_t kChunk = 512;
  constexpr std::size_t kSpare = 16;  // a half is written whole
  std::array<char, kChunk * kEscapeBytesMax + kSpare> buffer;
  while (!text.empty()) {
    std::string_view chunk = text.substr(0, kChunk);
    text.remove_prefix(chunk.size());
    char* end = put_fast(buffer.data(), chunk);
    end = put_plainly(end, chunk);
    out.append(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  }
}

}  // namespace opentrail
