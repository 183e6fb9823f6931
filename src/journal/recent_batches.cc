#include "journal/recent_batches.h"

#include <algorithm>

namespace opentrail::journal {

void RecentBatches::add(Batch batch) {
  std::vector<Batch> gone;  // destroyed without the lock
  const MutexLock lock(mutex_);
  bytes_ += batch.bytes;
  batches_.push_back(std::move(batch));
  while (!batches_.empty() && bytes_ > bytes_max_) {
    bytes_ -= batches_.front().bytes;
    gone.push_back(std::move(batches_.front()));
    batches_.pop_front();
  }
}

std::optional<RecordRun> RecentBatches::find(Offset from) const {
  const MutexLock lock(mutex_);
  const auto after =
      std::ranges::upper_bound(batches_, from, {}, [](const Batch& b) { return b.run.first; });
  if (after == batches_.begin() || std::prev(after)->run.end() <= from) {
    return std::nullopt;
  }
  return std::prev(after)->run;
}

std::vector<RecordRun> RecentBatches::newest(std::size_t bytes) const {
  std::vector<RecordRun> found;
  const MutexLock lock(mutex_);
  std::size_t held = 0;
  for (auto at = batches_.rbegin(); at != batches_.rend() && held < bytes; ++at) {
    held += at->bytes;
    found.push_back(at->run);
  }
  return found;
}

}  // namespace opentrail::journal
