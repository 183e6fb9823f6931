#include "history/query/record_reader.h"

#include "history/store/record_terms.h"

namespace opentrail::history {

Result<const ReadBlock*> RecordReader::read(journal::Offset offset) {
  for (const auto& one : read_) {
    if (one && offset >= one->first && offset < one->end) {
      return one.get();
    }
  }
  OT_TRY(auto block, read_block(blocks_, cache_, offset));
  auto& place = read_[next_];
  next_ = (next_ + 1) % kBlocks;
  place = std::move(block);
  return place.get();
}

Result<std::string_view> RecordReader::json(journal::Offset offset) {
  OT_TRY(const ReadBlock* const block, read(offset));
  return block->records.json(value(offset) - value(block->first));
}

Result<record::Record> RecordReader::record(journal::Offset offset) {
  OT_TRY(const ReadBlock* const block, read(offset));
  OT_TRY(auto record, block->records.record(value(offset) - value(block->first)));
  complete_terms(record);
  return record;
}

}  // namespace opentrail::history
