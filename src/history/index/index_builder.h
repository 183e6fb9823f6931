#pragma once
#include "base/error.h"
#include "history/index/index.h"
#include "record/terms.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

/// Making indexes: from records that have just arrived, and from smaller indexes.
namespace opentrail::history {

/// A record that is to be found.
struct NewDoc {
  EntryKey key;
  std::uint64_t id_hash = 0;  ///< kIdHashBits bits.
  record::Terms terms;
};

/// The run of records that an index is about: [first, end).
struct RecordRange {
  journal::Offset first{0};
  journal::Offset end{0};
};

/// An index in memory over `docs`, in any order, all from the range.
[[nodiscard]] std::unique_ptr<const Index> build_index(RecordRange range, std::vector<NewDoc> docs);

/// One index over the records of several, whose ranges follow each other without gaps. Memory: some
/// 20 bytes a record. Errors: Corruption, of a source.
Result<IndexMeta> merge_indexes(std::span<const Index* const> sources, ByteSink& sink,
                                Filtered filtered);

}  // namespace opentrail::history
