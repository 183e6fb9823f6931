#pragma once
#include "base/time.h"
#include "journal/journal.h"

#include <compare>
#include <cstdint>

namespace opentrail::history {

/// Where a record stands in a listing: by time, and among equal times by arrival.
struct EntryKey {
  Timestamp time;
  journal::Offset offset{};
  auto operator<=>(const EntryKey&) const = default;
};

/// Greater than every key.
inline constexpr EntryKey kNewestKey{.time = Timestamp::max(),
                                     .offset = journal::Offset{~std::uint64_t{0}}};
/// Not greater than any key.
inline constexpr EntryKey kOldestKey{.time = Timestamp::min(), .offset = journal::Offset{0}};

}  // namespace opentrail::history
