#pragma once
#include "base/mutex.h"
#include "base/time.h"

#include <map>
#include <string>

namespace opentrail::server {

/// A token bucket a key: `rate` a second, bursts of at most one second's worth (at least one call).
/// Keys are account and region, so their number is bounded by the accounts that exist. Any thread.
class RateLimiter {
 public:
  /// `rate` 0: everything passes.
  explicit RateLimiter(double rate) : rate_(rate) {}
  /// True when the call may go on; false: "Rate exceeded".
  [[nodiscard]] bool allow(const std::string& key, Timestamp now);

 private:
  struct Bucket {
    double tokens;
    Timestamp filled_at;
  };
  const double rate_;
  Mutex mutex_;
  std::map<std::string, Bucket> buckets_ GUARDED_BY(mutex_);
};

}  // namespace opentrail::server
