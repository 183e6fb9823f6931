#include "bench/latency.h"

#include <algorithm>

namespace opentrail::bench {

LatencySummary summarise(std::vector<std::chrono::nanoseconds>& samples) {
  LatencySummary summary;
  summary.count = samples.size();
  if (samples.empty()) {
    return summary;
  }
  std::ranges::sort(samples);
  const auto percentile = [&](std::size_t percent) {
    constexpr std::size_t kAll = 100;
    const std::size_t rank = (samples.size() * percent + kAll - 1) / kAll;
    return samples[std::max<std::size_t>(1, rank) - 1];
  };
  summary.p50 = percentile(50);
  summary.p90 = percentile(90);
  summary.p99 = percentile(99);
  summary.max = samples.back();
  return summary;
}

}  // namespace opentrail::bench
