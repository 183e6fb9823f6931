#include "history/store/rescued_ids.h"

#include <algorithm>

namespace opentrail::history {
namespace {

using journal::Offset;

constexpr unsigned kHashShift = 64 - kIdHashBits;

}  // namespace

RescuedIds::RescuedIds(const SegmentFile& segment, SipKey key) : first_(segment.first()) {
  entries_.reserve(segment.index().meta().docs);
  for (Offset at = segment.first(); at < segment.end();) {
    at = add_block(segment, key, at);
  }
  std::ranges::sort(entries_);
}

Offset RescuedIds::add_block(const SegmentFile& segment, SipKey key, Offset at) {
  const auto block = segment.block_at(at);
  if (!block) {
    // Where the next block begins is not known either: it is looked for record by record.
    ++unreadable_;
    return at + 1;
  }
  const Offset end = block->first + block->record_count;
  const auto records = block->decode();
  for (Offset next = at; next < end; next = next + 1) {
    const auto record = records ? records->record(value(next) - value(block->first))
                                : Result<record::Record>(std::unexpected(records.error()));
    if (!record) {
      ++unreadable_;
      continue;
    }
    entries_.push_back({.hash = sip_hash(key, record->id) >> kHashShift,
                        .record = static_cast<std::uint32_t>(value(next) - value(first_))});
  }
  return end;
}

void RescuedIds::find(std::uint64_t hash, std::vector<Offset>& found) const {
  for (const IdEntry& entry : std::ranges::equal_range(entries_, hash, {}, &IdEntry::hash)) {
    found.push_back(first_ + entry.record);
  }
}

}  // namespace opentrail::history
