#pragma once
#include "base/mutex.h"
#include "journal/journal.h"

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace opentrail::journal {

/// The batches committed last, as they were appended: followers read them without the disk, without
/// decompressing and without parsing. Any thread.
class RecentBatches {
 public:
  struct Batch {
    RecordRun run;
    std::size_t bytes = 0;  ///< What it takes in memory, about.
  };

  explicit RecentBatches(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  /// Must follow the one added before. The oldest go while all are larger than `bytes_max`.
  void add(Batch batch);
  /// The run that holds `from`.
  [[nodiscard]] std::optional<RecordRun> find(Offset from) const;
  /// The newest of about `bytes`.
  [[nodiscard]] std::vector<RecordRun> newest(std::size_t bytes) const;

 private:
  const std::size_t bytes_max_;
  mutable Mutex mutex_;
  std::deque<Batch> batches_ GUARDED_BY(mutex_);
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace opentrail::journal
