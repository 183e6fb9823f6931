#include "server/journal_retention.h"

#include "base/log.h"

#include <algorithm>

namespace opentrail::server {
JournalRetention::JournalRetention(journal::Journal& journal, history::History& history,
                                   delivery::Delivery& delivery, std::chrono::milliseconds interval)
    : journal_(journal),
      history_(history),
      delivery_(delivery),
      interval_(interval),
      thread_([this] { run(); }) {}

JournalRetention::~JournalRetention() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void JournalRetention::run() {
  auto next = std::chrono::steady_clock::now() + interval_;
  for (;;) {
    {
      const MutexLock lock(mutex_);
      while (!stopping_ && changed_.wait_until(mutex_, next)) {
      }
      if (stopping_) {
        return;
      }
    }
    drop();
    next = std::chrono::steady_clock::now() + interval_;
  }
}

void JournalRetention::drop() {
  const auto needed = std::min(history_.needed_from(), delivery_.needed_from());
  if (auto dropped = journal_.drop_before(needed); !dropped) {
    log::warn("old journal segments could not be removed: {}; it is tried again",
              dropped.error().message());
  }
}

}  // namespace opentrail::server
