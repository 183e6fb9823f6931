#include "history/query/record_reader.h"

#include "history/store/record_terms.h"

namespace opentrail::history {

Result<const RecordReader::Read*> RecordReader::read(journal::Offset offset) {
  for (const Read& one : read_) {
    if (offset >= one.first && offset < one.end) {
      return &one;
    }
  }
  OT_TRY(const journal::RawBlock raw, blocks_.block_at(offset));
  Read& place = read_[next_];
  next_ = (next_ + 1) % kBlocks;
  place.end = place.first;
  OT_TRY(place.block, raw.decode());
  place.first = raw.first;
  place.end = raw.end();
  return &place;
}

Result<std::string_view> RecordReader::json(journal::Offset offset) {
  OT_TRY(const Read* const read, this->read(offset));
  return read->block.json(value(offset) - value(read->first));
}

Result<record::Record> RecordReader::record(journal::Offset offset) {
  OT_TRY(const Read* const read, this->read(offset));
  OT_TRY(auto record, read->block.record(value(offset) - value(read->first)));
  complete_terms(record);
  return record;
}

}  // namespace opentrail::history
