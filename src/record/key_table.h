#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

/// Internal: finds which of a fixed set of names a text is, by one look into a table that has no
/// collisions. Made at compile time.
namespace opentrail::record {

template <std::size_t kCount, std::size_t kSlots>
class KeyTable {
 public:
  static_assert(std::has_single_bit(kSlots) && kSlots > kCount);

  consteval explicit KeyTable(const std::array<std::string_view, kCount>& names) {
    for (factor_ = kStep; !is_free_of_collisions(names); factor_ += 2 * kStep) {
    }
    entries_.fill({.ends = {}, .name = {}, .place = kCount});
    for (std::size_t i = 0; i < kCount; ++i) {
      const Ends ends = ends_of(names[i]);
      entries_[slot_of(ends)] = {.ends = ends, .name = names[i], .place = i};
    }
  }

  /// The place of `text` among the names, or kCount.
  [[nodiscard]] std::size_t find(std::string_view text) const {
    const Ends ends = ends_of(text);
    const Entry& entry = entries_.data()[slot_of(ends)];
    const bool same = entry.ends.first == ends.first && entry.ends.last == ends.last &&
                      entry.name.size() == text.size() &&
                      (text.size() <= 2 * sizeof(std::uint64_t) || text == entry.name);
    return same ? entry.place : kCount;
  }

 private:
  static constexpr std::uint64_t kStep = 0x9E37'79B9'7F4A'7C15;  // any odd number of mixed bits

  /// The first and the last eight bytes, which overlap in shorter texts: the whole text, when it is
  /// known how long it is and that it has at most sixteen.
  struct Ends {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };
  struct Entry {
    Ends ends;
    std::string_view name;
    std::size_t place = kCount;
  };

  template <typename Word>
  static constexpr Word load(const char* from) {
    Word word = 0;
    if consteval {
      for (std::size_t i = 0; i < sizeof(Word); ++i) {
        word |= static_cast<Word>(static_cast<Word>(static_cast<unsigned char>(from[i])) << 8 * i);
      }
    } else {
      std::memcpy(&word, from, sizeof(Word));
    }
    return word;
  }
  template <typename Word>
  static constexpr Ends load_ends(std::string_view text) {
    // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): reads sizeof(Word) bytes
    return {.first = load<Word>(text.data()),
            .last = load<Word>(text.data() + text.size() - sizeof(Word))};
  }
  static constexpr Ends ends_of(std::string_view text) {
    if (text.size() >= sizeof(std::uint64_t)) [[likely]] {
      return load_ends<std::uint64_t>(text);
    }
    if (text.size() >= sizeof(std::uint32_t)) {
      return load_ends<std::uint32_t>(text);
    }
    if (text.size() >= sizeof(std::uint16_t)) {
      return load_ends<std::uint16_t>(text);
    }
    return text.empty() ? Ends{} : load_ends<std::uint8_t>(text);
  }
  [[nodiscard]] constexpr std::size_t slot_of(const Ends& ends) const {
    const std::uint64_t mixed = (ends.first ^ std::rotl(ends.last, 23)) * factor_;
    return mixed >> (64 - std::countr_zero(kSlots));
  }
  [[nodiscard]] consteval bool is_free_of_collisions(
      const std::array<std::string_view, kCount>& names) const {
    std::array<bool, kSlots> taken{};
    return std::ranges::none_of(names, [&](std::string_view name) {
      return std::exchange(taken[slot_of(ends_of(name))], true);
    });
  }

  std::array<Entry, kSlots> entries_;
  std::uint64_t factor_ = kStep;
};

}  // namespace opentrail::record
