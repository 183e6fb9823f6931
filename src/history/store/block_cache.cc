#include "history/store/block_cache.h"

#include <iterator>
#include <utility>

namespace opentrail::history {

std::shared_ptr<const ReadBlock> BlockCache::find(journal::Offset offset) {
  const MutexLock lock(mutex_);
  const auto found = by_end_.upper_bound(offset);
  if (found == by_end_.end() || offset < (*found->second)->first) {
    return nullptr;
  }
  used_.splice(used_.begin(), used_, found->second);
  return used_.front();
}

void BlockCache::keep(std::shared_ptr<const ReadBlock> block) {
  const MutexLock lock(mutex_);
  const journal::Offset end = block->end;
  const std::size_t bytes = block->records.memory_bytes();
  used_.push_front(std::move(block));
  if (const auto [place, fresh] = by_end_.try_emplace(end, used_.begin()); !fresh) {
    used_.pop_front();  // Two readers have decoded it at the same time.
    return;
  }
  bytes_ += bytes;
  while (bytes_ > bytes_max_ && used_.size() > 1) {
    bytes_ -= used_.back()->records.memory_bytes();
    by_end_.erase(used_.back()->end);
    used_.pop_back();
  }
}

std::size_t BlockCache::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

Result<std::shared_ptr<const ReadBlock>> read_block(const BlockSource& blocks, BlockCache& cache,
                                                    journal::Offset offset) {
  if (auto kept = cache.find(offset)) {
    return kept;
  }
  OT_TRY(const journal::RawBlock raw, blocks.block_at(offset));
  auto block = std::make_shared<ReadBlock>();
  OT_TRY(block->records, raw.decode());
  block->first = raw.first;
  block->end = raw.end();
  cache.keep(block);
  return block;
}

}  // namespace opentrail::history
