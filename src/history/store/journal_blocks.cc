#include "history/store/journal_blocks.h"

#include <fmt/format.h>

namespace opentrail::history {
namespace {

constexpr std::size_t kReadAheadBytes = 256 << 10;

std::unexpected<Error> missing(journal::Offset offset) {
  return fail(ErrorCode::NotFound, fmt::format("the journal has no record {}", value(offset)));
}

}  // namespace

Result<journal::RawBlock> JournalBlocks::block_at(journal::Offset offset) const {
  OT_TRY(auto blocks, journal_.read_blocks(offset, 1));
  if (blocks.empty()) {
    return missing(offset);
  }
  return std::move(blocks.front());
}

Result<journal::RawBlock> JournalRun::block_at(journal::Offset offset) const {
  while (!ahead_.empty() && ahead_.front().end() <= offset) {
    ahead_.pop_front();
  }
  if (ahead_.empty() || offset < ahead_.front().first) {
    OT_TRY(auto blocks, journal_.read_blocks(offset, kReadAheadBytes));
    ahead_.assign(std::make_move_iterator(blocks.begin()), std::make_move_iterator(blocks.end()));
    if (ahead_.empty()) {
      return missing(offset);
    }
  }
  journal::RawBlock block = std::move(ahead_.front());
  ahead_.pop_front();
  return block;
}

}  // namespace opentrail::history
