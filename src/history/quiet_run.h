#pragma once
#include "base/mutex.h"
#include "journal/journal.h"

#include <cstdint>

namespace opentrail::history {

/// The records at the journal's end that no reader waits for, as long as nothing else was accepted
/// behind them. Any thread.
class QuietRun {
 public:
  /// Nobody waits for the record at `offset`, unless records were taken back since: their offsets
  /// are other records' then (Journal::times_taken_back()).
  void add(journal::Offset offset, std::uint64_t times_taken_back) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (offset != end_ || times_taken_back != times_taken_back_) {
      first_ = offset;
    }
    end_ = offset + 1;
    times_taken_back_ = times_taken_back;
  }

  /// What is waited for when the journal ends at `end`; `times_taken_back` was asked for after it.
  [[nodiscard]] journal::Offset awaited(journal::Offset end, std::uint64_t times_taken_back) const
      EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return end == end_ && times_taken_back == times_taken_back_ ? first_ : end;
  }

 private:
  mutable Mutex mutex_;
  journal::Offset first_ GUARDED_BY(mutex_){0};
  journal::Offset end_ GUARDED_BY(mutex_){0};
  std::uint64_t times_taken_back_ GUARDED_BY(mutex_) = 0;
};

}  // namespace opentrail::history
