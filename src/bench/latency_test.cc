// Goal: percentiles are those of the nearest rank, for any order and count of samples.
#include "bench/latency.h"

#include <gtest/gtest.h>

namespace opentrail::bench {
namespace {

using std::chrono::nanoseconds;

TEST(Latency, NearestRank) {
  std::vector<nanoseconds> samples;
  for (int i = 100; i >= 1; --i) {
    samples.emplace_back(i);
  }
  const LatencySummary summary = summarise(samples);
  EXPECT_EQ(summary.count, 100U);
  EXPECT_EQ(summary.p50, nanoseconds(50));
  EXPECT_EQ(summary.p90, nanoseconds(90));
  EXPECT_EQ(summary.p99, nanoseconds(99));
  EXPECT_EQ(summary.max, nanoseconds(100));
}

TEST(Latency, OneAndNone) {
  std::vector<nanoseconds> one = {nanoseconds(7)};
  EXPECT_EQ(summarise(one).p50, nanoseconds(7));
  EXPECT_EQ(summarise(one).p99, nanoseconds(7));
  std::vector<nanoseconds> none;
  EXPECT_EQ(summarise(none).count, 0U);
  EXPECT_EQ(summarise(none).max, nanoseconds(0));
}

}  // namespace
}  // namespace opentrail::bench
