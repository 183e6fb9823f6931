#pragma once
#include "base/error.h"
#include "base/mutex.h"
#include "journal/journal.h"
#include "record/record.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::history {

/// Single records out of the journal, whose unit of reading is a block: neighbours are read
/// together. Any thread; blocks.
class RecordReader {
 public:
  explicit RecordReader(journal::Journal& journal) : journal_(journal) {}

  /// The records at `offsets`, in their order (any); absent where the journal has dropped one.
  /// Errors: those of Journal::read.
  Result<std::vector<std::optional<record::Record>>> read(
      const std::vector<journal::Offset>& offsets);

  /// The SHA-256 (hex) of the bytes of the record at `offset`, absent when the journal has dropped
  /// it or its id is another. Remembers the hashes of the neighbours: imports ask in the order of
  /// the records.
  Result<std::optional<std::string>> content_hash(journal::Offset offset,
                                                  std::string_view record_id) EXCLUDES(mutex_);

 private:
  /// Records from `from` on; none when it is gone.
  Result<std::vector<journal::StoredRecord>> read_from(journal::Offset from, std::size_t bytes_max);

  struct Hashed {
    std::string id;
    std::string hash;
  };

  journal::Journal& journal_;
  Mutex mutex_;
  journal::Offset hashed_from_ GUARDED_BY(mutex_){};
  std::vector<Hashed> hashed_ GUARDED_BY(mutex_);
};

}  // namespace opentrail::history
