#pragma once
#include "base/mutex.h"
#include "journal/journal.h"

namespace opentrail::history {

/// The records at the journal's end that no reader waits for, as long as nothing else was accepted
/// behind them. Any thread.
class QuietRun {
 public:
  /// Nobody waits for the record at `offset`.
  void add(journal::Offset offset) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (offset != end_) {
      first_ = offset;
    }
    end_ = offset + 1;
  }

  /// What is waited for when the journal ends at `end`.
  [[nodiscard]] journal::Offset awaited(journal::Offset end) const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return end == end_ ? first_ : end;
  }

 private:
  mutable Mutex mutex_;
  journal::Offset first_ GUARDED_BY(mutex_){0};
  journal::Offset end_ GUARDED_BY(mutex_){0};
};

}  // namespace opentrail::history
