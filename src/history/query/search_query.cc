#include "history/query/search_query.h"

#include <algorithm>

namespace opentrail::history {
namespace {

EntryKey next_of(EntryKey key) { return {.time = key.time, .offset = key.offset + 1}; }

}  // namespace

EntryKey ScanBounds::first_key() const {
  const EntryKey first{.time = oldest, .offset = journal::Offset{0}};
  return after && direction == Direction::OldestFirst ? std::max(first, next_of(*after)) : first;
}

EntryKey ScanBounds::end_key() const {
  const EntryKey end = newest == Timestamp::max()
                           ? kNewestKey
                           : EntryKey{.time = newest + std::chrono::milliseconds(1),
                                      .offset = journal::Offset{0}};
  return after && direction == Direction::NewestFirst ? std::min(end, *after) : end;
}

}  // namespace opentrail::history
