// Goal: the burst and the rate are what they say, keys do not share, 0 means no limit.
#include "server/rate_limiter.h"

#include <gtest/gtest.h>

namespace opentrail::server {
namespace {

using std::chrono::milliseconds;

TEST(RateLimiter, LetsTheRatePass) {
  RateLimiter limiter(2);
  Timestamp now{milliseconds(1000)};
  EXPECT_TRUE(limiter.allow("a", now));
  EXPECT_TRUE(limiter.allow("a", now));
  EXPECT_FALSE(limiter.allow("a", now));
  EXPECT_TRUE(limiter.allow("b", now));
  now += milliseconds(499);
  EXPECT_FALSE(limiter.allow("a", now));
  now += milliseconds(2);
  EXPECT_TRUE(limiter.allow("a", now));
  EXPECT_FALSE(limiter.allow("a", now));
}

TEST(RateLimiter, ZeroIsNoLimitAndTimeMayGoBack) {
  RateLimiter none(0);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(none.allow("a", Timestamp{}));
  }
  RateLimiter one(1);
  EXPECT_TRUE(one.allow("a", Timestamp{milliseconds(5000)}));
  EXPECT_FALSE(one.allow("a", Timestamp{milliseconds(0)}));
}

}  // namespace
}  // namespace opentrail::server
