#pragma once
#include "base/error.h"
#include "base/mutex.h"
#include "history/store/block_source.h"
#include "journal/journal.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace opentrail::history {

/// Decoded records that follow each other, as one compressed block held them.
struct ReadBlock {
  journal::Offset first{0};
  journal::Offset end{0};
  journal::DecodedBlock records;
};

/// Decoded blocks that were looked at lately: whoever asks for the newest events asks for the same
/// ones again and again. What is durable never changes its offset, so nothing here grows old.
///
/// Each few neighbouring offsets have one place, which the block that was read last takes: no order
/// of use to be kept, and the newest records, which follow each other, never push each other out.
/// Any thread.
class BlockCache {
 public:
  /// Takes about as many bytes when it is full; never more than four times as many.
  explicit BlockCache(std::size_t bytes_max);

  /// The block that holds the record at `offset`; null when it is not kept.
  [[nodiscard]] std::shared_ptr<const ReadBlock> find(journal::Offset offset) const
      EXCLUDES(mutex_);
  /// One that is larger than most is not kept.
  void keep(const std::shared_ptr<const ReadBlock>& block) EXCLUDES(mutex_);

 private:
  [[nodiscard]] static std::uint64_t group_of(journal::Offset offset);

  mutable Mutex mutex_;
  std::vector<std::shared_ptr<const ReadBlock>> places_ GUARDED_BY(mutex_);
};

/// The block that holds the record at `offset`: from the cache, else read, decoded and kept there.
/// Errors: as BlockSource::block_at().
[[nodiscard]] Result<std::shared_ptr<const ReadBlock>> read_block(const BlockSource& blocks,
                                                                  BlockCache& cache,
                                                                  journal::Offset offset);

}  // namespace opentrail::history
