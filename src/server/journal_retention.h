#pragma once
#include "base/mutex.h"
#include "delivery/delivery.h"
#include "history/history.h"
#include "journal/journal.h"

#include <chrono>
#include <thread>

namespace opentrail::server {

/// Drops what every reader of the journal has passed, at each interval, on a thread of its own. The
/// three outlive it.
class JournalRetention {
 public:
  JournalRetention(journal::Journal& journal, history::History& history,
                   delivery::Delivery& delivery,
                   std::chrono::milliseconds interval = std::chrono::seconds(5));
  ~JournalRetention();
  JournalRetention(const JournalRetention&) = delete;
  JournalRetention& operator=(const JournalRetention&) = delete;

 private:
  void run() EXCLUDES(mutex_);
  void drop();

  journal::Journal& journal_;
  history::History& history_;
  delivery::Delivery& delivery_;
  const std::chrono::milliseconds interval_;
  Mutex mutex_;
  Condition changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace opentrail::server
