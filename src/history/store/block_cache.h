#pragma once
#include "base/error.h"
#include "base/mutex.h"
#include "history/store/block_source.h"
#include "journal/journal.h"

#include <cstddef>
#include <list>
#include <map>
#include <memory>

namespace opentrail::history {

/// Decoded records that follow each other, as one compressed block held them.
struct ReadBlock {
  journal::Offset first{0};
  journal::Offset end{0};
  journal::DecodedBlock records;
};

/// The decoded blocks that were looked at last: whoever asks for the newest events asks for the
/// same ones again and again. What is durable never changes its offset, so nothing here grows old.
/// Any thread.
class BlockCache {
 public:
  /// Keeps about as many bytes of decoded blocks.
  explicit BlockCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// The block that holds the record at `offset`; null when it is not kept.
  [[nodiscard]] std::shared_ptr<const ReadBlock> find(journal::Offset offset) EXCLUDES(mutex_);
  /// Lets go of those that were not asked for the longest.
  void keep(std::shared_ptr<const ReadBlock> block) EXCLUDES(mutex_);
  [[nodiscard]] std::size_t bytes() const EXCLUDES(mutex_);

 private:
  using Used = std::list<std::shared_ptr<const ReadBlock>>;

  const std::size_t bytes_max_;
  mutable Mutex mutex_;
  Used used_ GUARDED_BY(mutex_);  ///< The one asked for last comes first.
  std::map<journal::Offset, Used::iterator> by_end_ GUARDED_BY(mutex_);
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;
};

/// The block that holds the record at `offset`: from the cache, else read, decoded and kept there.
/// Errors: as BlockSource::block_at().
[[nodiscard]] Result<std::shared_ptr<const ReadBlock>> read_block(const BlockSource& blocks,
                                                                  BlockCache& cache,
                                                                  journal::Offset offset);

}  // namespace opentrail::history
