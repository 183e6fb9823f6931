#pragma once
#include "base/error.h"
#include "history/store/block_cache.h"

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

namespace opentrail::history {

/// Single records out of compressed blocks, keeping the blocks that were read last: what is found
/// together often lies together. One thread.
class RecordReader {
 public:
  /// Both outlive it.
  RecordReader(const BlockSource& blocks, BlockCache& cache) : blocks_(blocks), cache_(cache) {}

  /// The record's bytes; valid until kBlocks other blocks were read. Errors: the source's.
  Result<std::string_view> json(journal::Offset offset);
  /// With its terms.
  Result<record::Record> record(journal::Offset offset);

  static constexpr std::size_t kBlocks = 8;

 private:
  Result<const ReadBlock*> read(journal::Offset offset);

  const BlockSource& blocks_;
  BlockCache& cache_;
  std::array<std::shared_ptr<const ReadBlock>, kBlocks> read_;
  std::size_t next_ = 0;  ///< The one that is replaced next.
};

}  // namespace opentrail::history
