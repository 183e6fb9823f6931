#include "history/store/block_cache.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace opentrail::history {
namespace {

constexpr std::uint64_t kGroupRecords = 4;
/// A full block is of about six records and some 10 KiB, and takes two or three places.
constexpr std::size_t kPlaceBytes = 4 << 10;
constexpr std::size_t kBlockBytesMax = 16 << 10;

}  // namespace

BlockCache::BlockCache(std::size_t bytes_max)
    : places_(std::bit_floor(std::max<std::size_t>(1, bytes_max / kPlaceBytes))) {}

std::uint64_t BlockCache::group_of(journal::Offset offset) { return value(offset) / kGroupRecords; }

std::shared_ptr<const ReadBlock> BlockCache::find(journal::Offset offset) const {
  const MutexLock lock(mutex_);
  const auto& place = places_[group_of(offset) % places_.size()];
  return place && place->first <= offset && offset < place->end ? place : nullptr;
}

void BlockCache::keep(const std::shared_ptr<const ReadBlock>& block) {
  if (block->records.memory_bytes() > kBlockBytesMax) {
    return;
  }
  std::vector<std::shared_ptr<const ReadBlock>> replaced;  // Freed without the lock.
  const std::uint64_t end = (value(block->end) + kGroupRecords - 1) / kGroupRecords;
  const MutexLock lock(mutex_);
  std::uint64_t group = group_of(block->first);
  for (std::size_t i = 0; i < places_.size() && group < end; ++i, ++group) {
    replaced.push_back(std::exchange(places_[group % places_.size()], block));
  }
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
