// Goal: what a server shows of its times is read as Prometheus writes it. Method: its text as it
// stands in /metrics, whole and broken.
#include "bench/server_times.h"

#include <cmath>

#include <gtest/gtest.h>

namespace opentrail::bench {
namespace {

constexpr std::string_view kText = R"(# HELP a_seconds What it takes
# TYPE a_seconds histogram
a_seconds_count 100
a_seconds_sum 1.5
a_seconds_bucket{le="0.001"} 50
a_seconds_bucket{le="0.004"} 98
a_seconds_bucket{le="1"} 99
a_seconds_bucket{le="+Inf"} 100
other_seconds_bucket{le="7"} 1
)";

TEST(ServerTimes, GiveTheBoundOfAShare) {
  const auto times = ServerTimes::read(kText, "a_seconds");
  ASSERT_TRUE(times);
  EXPECT_EQ(times->quantile(0.5), 0.001);
  EXPECT_EQ(times->quantile(0.51), 0.004);
  EXPECT_EQ(times->quantile(0.99), 1);
  EXPECT_TRUE(std::isinf(times->quantile(1)));
}

TEST(ServerTimes, CountFromAnEarlierReading) {
  const auto before = ServerTimes::read(
      "a_seconds_bucket{le=\"0.001\"} 50\n"
      "a_seconds_bucket{le=\"0.004\"} 50\n"
      "a_seconds_bucket{le=\"1\"} 50\n"
      "a_seconds_bucket{le=\"+Inf\"} 50\n",
      "a_seconds");
  const auto times = ServerTimes::read(kText, "a_seconds")->since(before.value());
  EXPECT_EQ(times.quantile(0.5), 0.004);
  EXPECT_EQ(times.since(times).quantile(0.5), 0);
}

TEST(ServerTimes, AreAbsentWhenThereAreNone) {
  EXPECT_FALSE(ServerTimes::read("", "a_seconds"));
  EXPECT_FALSE(ServerTimes::read(kText, "b_seconds"));
  EXPECT_FALSE(
      ServerTimes::read("a_seconds_bucket{le=\"x\"} 1\na_seconds_bucket{le=\"1", "a_seconds"));
}

}  // namespace
}  // namespace opentrail::bench
