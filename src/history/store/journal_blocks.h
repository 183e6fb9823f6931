#pragma once
#include "history/store/block_source.h"
#include "journal/journal.h"

#include <deque>

namespace opentrail::history {

/// Single blocks of the journal. Any thread.
class JournalBlocks final : public BlockSource {
 public:
  explicit JournalBlocks(journal::Journal& journal) : journal_(journal) {}
  Result<journal::RawBlock> block_at(journal::Offset offset) const override;

 private:
  journal::Journal& journal_;
};

/// Blocks of the journal one after the other, read some at a time. One thread.
class JournalRun final : public BlockSource {
 public:
  explicit JournalRun(journal::Journal& journal) : journal_(journal) {}
  Result<journal::RawBlock> block_at(journal::Offset offset) const override;

 private:
  journal::Journal& journal_;
  mutable std::deque<journal::RawBlock> ahead_;
};

}  // namespace opentrail::history
