#pragma once
#include "base/time.h"
#include "history/entry_key.h"
#include "search/expression.h"

#include <cstddef>
#include <optional>

namespace opentrail::history {

enum class Direction : std::uint8_t { NewestFirst, OldestFirst };

/// What a search may show, beside what its expression says.
struct ScanBounds {
  Timestamp oldest;     ///< Inclusive.
  Timestamp newest;     ///< Inclusive.
  journal::Offset end;  ///< Offsets from here on came after the search began.
  /// Goes on behind this one, in the direction of the search.
  std::optional<EntryKey> after;
  Direction direction = Direction::NewestFirst;

  /// Keys in [first_key(), end_key()) are in bounds, but for `end`.
  [[nodiscard]] EntryKey first_key() const;
  [[nodiscard]] EntryKey end_key() const;
};

}  // namespace opentrail::history
