#pragma once
#include "base/mutex.h"
#include "journal/journal.h"
#include "record/record.h"

#include <functional>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/awaitable.hpp>

namespace opentrail::gateway {

/// What mutating calls are about to do, kept until their outcome is on the record, so that a call
/// which the upstream received is on the record even when the server dies before its answer. A
/// journal of its own beside the real one: each entry is the record that the call gets when nothing
/// better comes (docs/decisions/017-gateway-modes.md). Any thread.
class Intents {
 public:
  /// Reads what an earlier run left. Errors: those of Journal::open.
  static Result<std::unique_ptr<Intents>> open(io::Filesystem& files, std::string folder);

  /// Each left record of an earlier run, in order, once; afterwards they are settled and not shown
  /// again. An error of `settle` ends it: the next start goes on with all of them.
  Result<void> settle(const std::function<Result<void>(record::Record)>& settle);

  /// Durable on return. Errors: those of Journal::append.
  boost::asio::awaitable<Result<journal::Offset>> begin(record::Record intent);
  /// The outcome of the intent at `offset` is on the record.
  void end(journal::Offset offset);
  void stop() { journal_->stop(); }

 private:
  Intents(io::Filesystem& files, std::string folder, std::unique_ptr<journal::Journal> journal)
      : files_(files), folder_(std::move(folder)), journal_(std::move(journal)) {}
  Result<journal::Offset> settled_end() const;

  io::Filesystem& files_;
  std::string folder_;
  std::unique_ptr<journal::Journal> journal_;
  Mutex mutex_;
  std::multiset<journal::Offset> open_ GUARDED_BY(mutex_);  ///< Without an outcome yet.
  std::size_t ended_ GUARDED_BY(mutex_) = 0;                ///< Since entries were dropped.
};

}  // namespace opentrail::gateway
