#pragma once
#include "base/mutex.h"
#include "delivery/delivery.h"
#include "history/history.h"
#include "journal/journal.h"

#include <thread>

namespace opentrail::server {

/// Drops what every reader of the journal has passed, once a minute, on a thread of its own. The
/// three outlive it.
class JournalRetention {
 public:
  JournalRetention(journal::Journal& journal, history::History& history,
                   delivery::Delivery& delivery);
  ~JournalRetention();
  JournalRetention(const JournalRetention&) = delete;
  JournalRetention& operator=(const JournalRetention&) = delete;

 private:
  void run() EXCLUDES(mutex_);
  void drop();

  journal::Journal& journal_;
  history::History& history_;
  delivery::Delivery& delivery_;
  Mutex mutex_;
  Condition changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace opentrail::server
