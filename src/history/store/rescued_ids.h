#pragma once
#include "history/index/id_pages.h"
#include "history/sip_hash.h"
#include "history/store/segment_file.h"

#include <cstdint>
#include <vector>

namespace opentrail::history {

/// The ids of a segment whose own table of them is damaged, read from its blocks. Immutable; any
/// thread.
class RescuedIds {
 public:
  /// Reads the whole segment: seconds. Records in blocks that cannot be read are left out: whoever
  /// asks for those gets an error anyway.
  RescuedIds(const SegmentFile& segment, SipKey key);

  /// As Index::find_id(), in order; also records that the index leaves out.
  void find(std::uint64_t hash, std::vector<journal::Offset>& found) const;
  [[nodiscard]] std::uint64_t unreadable() const { return unreadable_; }

 private:
  /// Says behind which record to go on.
  journal::Offset add_block(const SegmentFile& segment, SipKey key, journal::Offset at);

  journal::Offset first_;
  std::vector<IdEntry> entries_;  ///< Sorted.
  std::uint64_t unreadable_ = 0;  ///< Records.
};

}  // namespace opentrail::history
