#pragma once
#include "history/history.h"
#include "io/random.h"

#include <compare>
#include <cstdint>
#include <span>
#include <string_view>

/// Keyed hashes that stand for attribute values and record ids in memory. The key is drawn at each
/// start and never leaves the process, so nobody can write records whose values collide.
namespace opentrail::history {

struct SipKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
};

/// SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012). Pure.
[[nodiscard]] std::uint64_t sip_hash(SipKey key, std::string_view bytes);

/// One attribute with its value, in 32 bits. Two values share a term once in four thousand million:
/// whoever finds a record by its term reads the record before showing it.
using Term = std::uint32_t;

/// A record id in 96 bits: among ten million ids two are alike with a chance under 1e-15, so equal
/// hashes count as equal ids.
struct IdHash {
  std::uint64_t high = 0;
  std::uint32_t low = 0;
  auto operator<=>(const IdHash&) const = default;
};

/// Pure after construction; any thread.
class KeyHash {
 public:
  explicit KeyHash(io::Random& random);

  [[nodiscard]] Term term(LookupKey key, std::string_view value) const;
  [[nodiscard]] IdHash id(std::string_view record_id) const;

 private:
  SipKey terms_;
  SipKey ids_;
  SipKey ids_low_;
};

}  // namespace opentrail::history
