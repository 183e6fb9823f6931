#pragma once
#include "history/index/coding.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace opentrail::history {

/// Says of almost every id that a segment does not have that it does not, from one line of memory:
/// a history of many segments is asked for each new id, and few have it. A Bloom filter in blocks
/// (Putze, Sanders, Singler: "Cache-, Hash- and Space-Efficient Bloom Filters", 2007).
class IdFilter {
 public:
  /// Lets everything through.
  IdFilter() = default;
  /// For so many ids; nothing is let through yet.
  explicit IdFilter(std::uint64_t ids);

  /// `hash` has kIdHashBits bits.
  void add(std::uint64_t hash);
  /// False: no id of this hash was added.
  [[nodiscard]] bool may_have(std::uint64_t hash) const;

  void encode(std::string& out) const;
  /// Absent when the bytes are none.
  static std::optional<IdFilter> decode(ByteReader& in);
  bool operator==(const IdFilter&) const = default;

 private:
  static constexpr std::size_t kLineWords = 8;
  [[nodiscard]] std::size_t line_of(std::uint64_t hash) const;

  std::vector<std::uint64_t> words_;
};

}  // namespace opentrail::history
