#pragma once
#include "record/short_bytes.h"

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

/// Internal: finds which of a fixed set of names a text is, by one look into a table that has no
/// collisions. Made at compile time.
namespace opentrail::record {

template <std::size_t kCount, std::size_t kSlots>
class KeyTable {
 public:
  static_assert(kCount < 255 && (kSlots & (kSlots - 1)) == 0 && kSlots <= (1U << 16U));

  consteval explicit KeyTable(const std::array<std::string_view, kCount>& names) : names_(names) {
    std::array<std::uint32_t, kCount> mixes;
    for (std::size_t i = 0; i < kCount; ++i) {
      mixes[i] = mix(names[i]);
    }
    constexpr std::uint32_t kStep = 0x9E3779B2;  // even, so that each factor is odd
    while (!is_free_of_collisions(mixes)) {
      factor_ += kStep;
    }
    slots_.fill(kCount);
    for (std::size_t i = 0; i < kCount; ++i) {
      slots_[slot_of(mixes[i])] = static_cast<std::uint8_t>(i);
    }
  }

  /// The place of `text` among the names, or kCount.
  [[nodiscard]] std::size_t find(std::string_view text) const {
    if (text.empty()) {
      return kCount;
    }
    const std::size_t found = slots_.data()[slot_of(mix(text))];
    return found < kCount && equal_short(names_.data()[found], text) ? found : kCount;
  }

 private:
  /// The length and three characters: where two names agree in these, no table can be made and the
  /// build fails.
  [[nodiscard]] static constexpr std::uint32_t mix(std::string_view text) {
    const auto byte = [&](std::size_t at) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(text.data()[at]));
    };
    const std::size_t size = text.size();
    return static_cast<std::uint32_t>(size & 0xFF) | byte(size / 4) << 8U | byte(size / 2) << 16U |
           byte(size * 3 / 4) << 24U;
  }
  [[nodiscard]] constexpr std::size_t slot_of(std::uint32_t mixed) const {
    return mixed * factor_ >> (32 - std::countr_zero(kSlots));  // the bits that all others reach
  }
  [[nodiscard]] consteval bool is_free_of_collisions(
      const std::array<std::uint32_t, kCount>& mixes) const {
    std::uint64_t taken[(kSlots + 63) / 64] = {};
    for (const std::uint32_t mixed : mixes) {
      const std::size_t slot = slot_of(mixed);
      if ((taken[slot / 64] >> slot % 64 & 1U) != 0) {
        return false;
      }
      taken[slot / 64] |= std::uint64_t{1} << slot % 64;
    }
    return true;
  }

  std::array<std::string_view, kCount> names_;
  std::array<std::uint8_t, kSlots> slots_{};
  std::uint32_t factor_ = 1;
};

}  // namespace opentrail::record
