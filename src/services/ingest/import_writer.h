#pragma once
#include "base/error.h"
#include "base/mutex.h"
#include "history/history.h"
#include "journal/journal.h"
#include "services/ingest/import_batch.h"
#include "services/ingest/import_tally.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

namespace opentrail::services::ingest {

/// Puts imported records on the journal, each id once. One batch at a time is checked and appended;
/// that it becomes durable and searchable is waited for elsewhere: until then its ids are kept
/// here, so that the check is exact between imports that overlap. (The history itself decides in
/// the end: of an id the first counts.) Any thread; blocks.
class ImportWriter {
 public:
  /// All that is given to it outlives it.
  ImportWriter(journal::Journal& journal, history::History& history, const ImportLimits& limits);

  class Appended;  ///< A batch that is on its way to the disk.
  /// The batches of one import that are not known to be stored yet, in order.
  using Unsettled = std::deque<std::shared_ptr<const Appended>>;

  /// What was accepted before is known to the check of what is put from now on. Errors: Timeout,
  /// Unavailable.
  Result<void> wait_for_what_is_there();

  /// Checks a batch and appends what is new; `tally` then counts it, and `unsettled` has it. The
  /// batches of one import one after the other. Waits while too much is not durable yet.
  /// Errors, nothing of this batch stored or counted: Throttled (the journal does not keep up),
  /// ResourceExhausted (its disk is full), Unavailable, Timeout.
  Result<void> put(ImportBatch batch, ImportTally& tally, Unsettled& unsettled) EXCLUDES(mutex_);

  /// Waits until all of them are durable and searchable. What did not come to be stored is taken
  /// back from `tally`. Errors: that of the first that was not stored; Timeout: stored, but not
  /// searchable in time. To send the same body again is right after each of them.
  Result<void> settle(ImportTally& tally, Unsettled& unsettled);

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  class Room;
  struct Shared;
  struct Verdict;

  Result<std::shared_ptr<const Appended>> try_put(ImportBatch& batch, Room& room,
                                                  ImportTally& tally, Unsettled& unsettled)
      EXCLUDES(mutex_);
  Result<Verdict> judge(const ImportBatch& batch, Timestamp oldest) REQUIRES(mutex_);
  Result<void> append(ImportBatch& batch, Verdict& verdict, Room& room, Unsettled& unsettled)
      REQUIRES(mutex_);
  void forget_applied() REQUIRES(mutex_);
  Result<Room> wait_for_room(std::size_t bytes, Deadline deadline);
  Result<void> wait_known(const Appended& appended, Deadline deadline);
  [[nodiscard]] Deadline deadline() const;

  journal::Journal& journal_;
  history::History& history_;
  const ImportLimits& limits_;
  const std::shared_ptr<Shared> shared_;  ///< With the journal, which may outlive the writer.
  Mutex mutex_;
  /// Appended, and not all known to be in the history.
  std::deque<std::shared_ptr<const Appended>> on_their_way_ GUARDED_BY(mutex_);
};

}  // namespace opentrail::services::ingest
