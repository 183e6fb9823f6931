#include "server/rate_limiter.h"

#include <algorithm>

namespace opentrail::server {

bool RateLimiter::allow(const std::string& key, Timestamp now) {
  if (rate_ <= 0) {
    return true;
  }
  const double burst = std::max(rate_, 1.0);
  const MutexLock lock(mutex_);
  Bucket& bucket = buckets_.try_emplace(key, Bucket{burst, now}).first->second;
  const double elapsed = std::chrono::duration<double>(now - bucket.filled_at).count();
  bucket.tokens = std::min(burst, bucket.tokens + std::max(elapsed, 0.0) * rate_);
  bucket.filled_at = now;
  if (bucket.tokens < 1) {
    return false;
  }
  bucket.tokens -= 1;
  return true;
}

}  // namespace opentrail::server
