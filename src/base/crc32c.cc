#include "base/crc32c.h"

#include "base/checksum.h"

#include <array>
#include <cstring>

#include <immintrin.h>

// How it works, with all polynomials bit-reflected as CRC-32C has them: V. Gopal et al., "Fast CRC
// Computation for Generic Polynomials Using PCLMULQDQ Instruction" (Intel, 2009), and "Fast CRC
// Computation for iSCSI Polynomial Using CRC32 Instruction" (Intel, 2011).
namespace opentrail {
namespace {

/// x^n modulo the polynomial; bit 31 is x^0.
consteval std::uint32_t x_to_the(std::size_t n) {
  constexpr std::uint32_t kPolynomial = 0x82F63B78;
  std::uint32_t value = 0x80000000;
  for (; n > 0; --n) {
    value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
  }
  return value;
}

std::uint64_t word_at(const std::byte* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// `crc` is the state, not the finished value, here and below.
std::uint32_t plain(ByteSpan bytes, std::uint32_t crc) {
  // SSE 4.2 is in the baseline that every target is built for (x86-64-v2).
  std::uint64_t wide = crc;
  while (bytes.size() >= 8) {
    wide = _mm_crc32_u64(wide, word_at(bytes.data()));
    bytes = bytes.subspan(8);
  }
  crc = static_cast<std::uint32_t>(wide);
  if ((bytes.size() & 4) != 0) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    crc = _mm_crc32_u32(crc, word);
    bytes = bytes.subspan(4);
  }
  if ((bytes.size() & 2) != 0) {
    std::uint16_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    crc = _mm_crc32_u16(crc, word);
    bytes = bytes.subspan(2);
  }
  if (!bytes.empty()) {
    crc = _mm_crc32_u8(crc, std::to_integer<unsigned char>(bytes.front()));
  }
  return crc;
}

// ---- three streams
// -------------------------------------------------------------------------------

/// A state as it is `kBytes` bytes later, but for a CRC of the 64 bits that come back. They hold
/// the product times x, and the CRC of them multiplies by x^32: hence 33 less.
template <std::size_t kBytes>
[[gnu::target("pclmul")]] std::uint64_t shift(std::uint64_t crc) {
  constexpr std::uint32_t kFactor = x_to_the(8 * kBytes - 33);
  const __m128i product =
      _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(crc)),
                           _mm_cvtsi64_si128(static_cast<long long>(kFactor)), 0);
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(product));
}

/// Takes groups of three neighbouring streams of `kBytes` bytes off the front of `bytes`. The
/// instruction has a latency of three cycles and starts every cycle: three chains keep it busy.
template <std::size_t kBytes>
[[gnu::target("pclmul")]] std::uint32_t take_streams(ByteSpan& bytes, std::uint32_t crc) {
  static_assert(kBytes % 8 == 0);
  while (bytes.size() >= 3 * kBytes) {
    std::uint64_t first = crc;
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    const std::byte* at = bytes.data();
    for (std::size_t i = 0; i < kBytes; i += 8, at += 8) {
      first = _mm_crc32_u64(first, word_at(at));
      second = _mm_crc32_u64(second, word_at(at + kBytes));
      third = _mm_crc32_u64(third, word_at(at + 2 * kBytes));
    }
    const std::uint64_t before = shift<2 * kBytes>(first) ^ shift<kBytes>(second);
    crc = static_cast<std::uint32_t>(_mm_crc32_u64(0, before) ^ third);
    bytes = bytes.subspan(3 * kBytes);
  }
  return crc;
}

[[gnu::target("pclmul")]] std::uint32_t by_streams(ByteSpan bytes, std::uint32_t crc) {
  crc = take_streams<2048>(bytes, crc);
  crc = take_streams<256>(bytes, crc);
  crc = take_streams<64>(bytes, crc);
  return plain(bytes, crc);
}

// ---- folding
// -------------------------------------------------------------------------------------

#define OT_FOLDING [[gnu::target("avx512f,avx512vl,pclmul,vpclmulqdq")]]

/// What 128 bits are multiplied by to stand `kBytes` bytes later: their low half, which comes
/// first, and their high half. The product of 64 and 32 reflected bits holds itself times x^33.
template <std::size_t kBytes>
constexpr std::array<long long, 2> kFold = {x_to_the(8 * kBytes + 64 - 33),
                                            x_to_the(8 * kBytes - 33)};

OT_FOLDING inline __m512i load(const std::byte* from) { return _mm512_loadu_si512(from); }

/// Both halves of the four 128-bit lanes multiplied by those of `factors`, and `next` added.
OT_FOLDING inline __m512i fold(__m512i lanes, __m512i factors, __m512i next) {
  constexpr int kXorOfThree = 0x96;
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(lanes, factors, 0x00),
                                   _mm512_clmulepi64_epi128(lanes, factors, 0x11), next,
                                   kXorOfThree);
}

template <std::size_t kBytes>
OT_FOLDING inline __m512i factors() {
  return _mm512_broadcast_i32x4(_mm_set_epi64x(kFold<kBytes>[1], kFold<kBytes>[0]));
}

/// The state after the 64 bytes that `lanes` stands for.
OT_FOLDING inline std::uint32_t reduce(__m512i lanes) {
  const __m512i to_the_last = _mm512_set_epi64(0, 0, kFold<16>[1], kFold<16>[0], kFold<32>[1],
                                               kFold<32>[0], kFold<48>[1], kFold<48>[0]);
  const __m512i folded = fold(lanes, to_the_last, _mm512_setzero_si512());
  const __m128i last = _mm512_extracti32x4_epi32(lanes, 3) ^ _mm512_extracti32x4_epi32(folded, 2) ^
                       _mm512_extracti32x4_epi32(folded, 1) ^ _mm512_castsi512_si128(folded);
  const std::uint64_t crc = _mm_crc32_u64(0, static_cast<std::uint64_t>(last[0]));
  return static_cast<std::uint32_t>(_mm_crc32_u64(crc, static_cast<std::uint64_t>(last[1])));
}

/// Fewer bytes are done sooner the plain way.
constexpr std::size_t kFoldingBytesMin = 192;

OT_FOLDING std::uint32_t by_folding(ByteSpan bytes, std::uint32_t crc) {
  if (bytes.size() < kFoldingBytesMin) {
    return plain(bytes, crc);
  }
  const __m512i by_one = factors<64>();
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size() - 64;
  __m512i a = load(at) ^ _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(crc)));
  at += 64;
  if (left >= 192) {
    __m512i b = load(at);
    __m512i c = load(at + 64);
    __m512i d = load(at + 128);
    const __m512i by_four = factors<256>();
    for (at += 192, left -= 192; left >= 256; at += 256, left -= 256) {
      a = fold(a, by_four, load(at));
      b = fold(b, by_four, load(at + 64));
      c = fold(c, by_four, load(at + 128));
      d = fold(d, by_four, load(at + 192));
    }
    a = fold(fold(fold(a, by_one, b), by_one, c), by_one, d);
  }
  for (; left >= 64; at += 64, left -= 64) {
    a = fold(a, by_one, load(at));
  }
  return plain({at, left}, reduce(a));
}

Crc32cWay fastest_way() {
  __builtin_cpu_init();
  for (const Crc32cWay way : {Crc32cWay::Folding, Crc32cWay::Streams}) {
    if (is_supported(way)) {
      return way;
    }
  }
  return Crc32cWay::Plain;
}

/// Plain until it is set, for whoever computes one before main().
const Crc32cWay kWay = fastest_way();

}  // namespace

bool is_supported(Crc32cWay way) {
  switch (way) {
    case Crc32cWay::Plain:
      return true;
    case Crc32cWay::Streams:
      return __builtin_cpu_supports("pclmul") != 0;
    case Crc32cWay::Folding:
      return __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("avx512f") != 0 &&
             __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("vpclmulqdq") != 0;
  }
  return false;
}

std::uint32_t crc32c_by(Crc32cWay way, ByteSpan bytes, std::uint32_t previous) {
  switch (way) {
    case Crc32cWay::Plain:
      break;
    case Crc32cWay::Streams:
      return ~by_streams(bytes, ~previous);
    case Crc32cWay::Folding:
      return ~by_folding(bytes, ~previous);
  }
  return ~plain(bytes, ~previous);
}

std::uint32_t crc32c(ByteSpan bytes, std::uint32_t previous) {
  return crc32c_by(kWay, bytes, previous);
}

}  // namespace opentrail
