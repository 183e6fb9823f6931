#pragma once
#include "base/error.h"
#include "journal/journal.h"

namespace opentrail::history {

/// Where compressed blocks of records are read from: the journal, or a segment file.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  /// The block that holds the record at `offset`, checked. Errors: Corruption, naming file and
  /// byte, or the file's; NotFound when the record is not kept any more. Any thread; blocks.
  virtual Result<journal::RawBlock> block_at(journal::Offset offset) const = 0;
};

}  // namespace opentrail::history
