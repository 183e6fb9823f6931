#include "io/random.h"

#include "base/error.h"
#include "base/text.h"

#include <array>
#include <cerrno>

#include <sys/random.h>

namespace opentrail::io {

void SystemRandom::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    OT_CHECK(got > 0 || errno == EINTR);
    out = out.subspan(got > 0 ? static_cast<std::size_t>(got) : 0);
  }
}

void SeededRandom::fill(std::span<std::byte> out) {
  for (std::byte& b : out) {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    b = static_cast<std::byte>(z >> 56);
  }
}

std::string make_uuid(Random& random) {
  std::array<std::byte, 16> bytes{};
  random.fill(bytes);
  bytes[6] = (bytes[6] & std::byte{0x0F}) | std::byte{0x40};
  bytes[8] = (bytes[8] & std::byte{0x3F}) | std::byte{0x80};
  std::string text = to_hex(bytes);
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) {
    text.insert(dash, 1, '-');
  }
  return text;
}

std::string make_token(Random& random, std::size_t length, std::string_view alphabet) {
  OT_CHECK(!alphabet.empty() && alphabet.size() <= 256);
  // Bytes from the incomplete last run of the alphabet are thrown away: every letter stays equal.
  const std::size_t usable = 256 - 256 % alphabet.size();
  std::string token;
  while (token.size() < length) {
    std::array<std::byte, 64> bytes{};
    random.fill(bytes);
    for (const std::byte b : bytes) {
      const auto value = std::to_integer<std::size_t>(b);
      if (value < usable && token.size() < length) {
        token += alphabet[value % alphabet.size()];
      }
    }
  }
  return token;
}

std::string random_bytes(Random& random, std::size_t count) {
  std::string bytes(count, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

}  // namespace opentrail::io
