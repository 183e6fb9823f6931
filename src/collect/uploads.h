#pragma once
#include "base/error.h"
#include "base/mutex.h"
#include "collect/batch.h"
#include "collect/upload.h"

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace opentrail::collect {

/// Sends batches while the next ones are read: one at a time on each connection, on a thread of its
/// own. The answers come in the order of the batches, whichever is answered first. Used by one
/// thread.
class Uploads {
 public:
  struct Answered {
    Batch batch;
    /// Error with reason kInterrupted: it was not sent, because one before it failed or `stop` was
    /// set.
    Result<UploadReply> reply;
  };

  /// One Upload a connection. `stop` may be null; it outlives this.
  Uploads(std::vector<Upload> connections, const std::atomic<bool>* stop);
  /// Sends nothing more and waits for what is being sent.
  ~Uploads();
  Uploads(const Uploads&) = delete;
  Uploads& operator=(const Uploads&) = delete;

  /// False when wait_next() has to come first: all connections are busy and one batch waits for
  /// them, or a record of this one may be in a batch that is not answered. (Of an id the first
  /// record stays, so the order must not be left to the connections.)
  [[nodiscard]] bool has_room_for(const Batch& batch) const EXCLUDES(mutex_);
  void send(Batch batch) EXCLUDES(mutex_);
  /// The oldest batch, if it is answered. One that failed stops those that were not sent yet.
  std::optional<Answered> next() EXCLUDES(mutex_);
  /// The same, waited for; absent when there is none.
  std::optional<Answered> wait_next() EXCLUDES(mutex_);

 private:
  struct Slot {
    Batch batch;
    bool sending = false;
    std::optional<Result<UploadReply>> reply;
  };

  void run(const Upload& upload) EXCLUDES(mutex_);
  Slot* take_slot() EXCLUDES(mutex_);
  [[nodiscard]] Slot* first_waiting() const REQUIRES(mutex_);
  [[nodiscard]] bool ends() const REQUIRES(mutex_);
  std::optional<Answered> take_answered() REQUIRES(mutex_);

  const std::vector<Upload> connections_;
  const std::atomic<bool>* const stop_;
  mutable Mutex mutex_;
  Condition changed_;
  std::deque<std::unique_ptr<Slot>> slots_ GUARDED_BY(mutex_);  ///< In the order of send().
  bool failed_ GUARDED_BY(mutex_) = false;
  bool ending_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace opentrail::collect
