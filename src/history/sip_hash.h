#pragma once
#include <cstdint>
#include <string_view>

namespace opentrail::history {

/// Drawn once for each history and kept in its manifest: nobody outside can make ids that collide.
struct SipKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
  bool operator==(const SipKey&) const = default;
};

/// SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012). Pure.
[[nodiscard]] std::uint64_t sip_hash(SipKey key, std::string_view bytes);

}  // namespace opentrail::history
