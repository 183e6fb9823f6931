#include "history/query/search_query.h"

#include <algorithm>

namespace opentrail::history {
namespace {

EntryKey next_of(EntryKey key) { return {.time = key.time, .offset = key.offset + 1}; }

}  // namespace

EntryKey ScanBounds::first_key() const {
  const EntryKey lowest{.time = oldest, .offset = journal::Offset{0}};
  return after && direction == Direction::OldestFirst ? std::max(lowest, next_of(*after)) : lowest;
}

EntryKey ScanBounds::end_key() const {
  const EntryKey highest =
      newest == Timestamp::max()
          ? kNewestKey
          : EntryKey{.time = newest + std::chrono::milliseconds(1), .offset = journal::Offset{0}};
  return after && direction == Direction::NewestFirst ? std::min(highest, *after) : highest;
}

}  // namespace opentrail::history
