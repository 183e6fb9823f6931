#include "history/sip_hash.h"

#include <bit>
#include <cstring>

namespace opentrail::history {
namespace {

constexpr std::size_t kWordBytes = 8;
constexpr int kCompressionRounds = 2;
constexpr int kFinalRounds = 4;

/// The four words of SipHash's state; the constants spell "somepseudorandomlygeneratedbytes".
struct SipState {
  explicit SipState(SipKey key)
      : v0(key.k0 ^ 0x736f6d6570736575U),
        v1(key.k1 ^ 0x646f72616e646f6dU),
        v2(key.k0 ^ 0x6c7967656e657261U),
        v3(key.k1 ^ 0x7465646279746573U) {}

  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      v0 += v1;
      v1 = std::rotl(v1, 13) ^ v0;
      v0 = std::rotl(v0, 32);
      v2 += v3;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  }
  void absorb(std::uint64_t word) {
    v3 ^= word;
    rounds(kCompressionRounds);
    v0 ^= word;
  }
  std::uint64_t finish() {
    v2 ^= 0xff;
    rounds(kFinalRounds);
    return v0 ^ v1 ^ v2 ^ v3;
  }

  std::uint64_t v0, v1, v2, v3;
};

std::uint64_t little_endian_word(std::string_view bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data(), bytes.size());
  return word;
}

}  // namespace

std::uint64_t sip_hash(SipKey key, std::string_view bytes) {
  SipState state(key);
  const std::uint64_t length = bytes.size();
  for (; bytes.size() >= kWordBytes; bytes.remove_prefix(kWordBytes)) {
    state.absorb(little_endian_word(bytes.substr(0, kWordBytes)));
  }
  constexpr int kLengthShift = 56;
  state.absorb(little_endian_word(bytes) | length << kLengthShift);
  return state.finish();
}

}  // namespace opentrail::history
