#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace opentrail::io {

/// Random bytes. Passed in, so that tests are repeatable. Any thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) = 0;
};

/// getrandom(2): fit for keys. Ends the process when the kernel refuses.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override;
};

/// SplitMix64 from a printed seed; tests only.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::byte> out) override;

 private:
  std::uint64_t state_;
};

/// Version 4, lower case: "623d0143-1c5e-4f0a-9a3c-0e1d2c3b4a59" (spec records §7.3).
[[nodiscard]] std::string make_uuid(Random& random);
/// `length` characters drawn evenly from `alphabet` (at most 256 characters).
[[nodiscard]] std::string make_token(Random& random, std::size_t length, std::string_view alphabet);
[[nodiscard]] std::string random_bytes(Random& random, std::size_t count);

}  // namespace opentrail::io
