#pragma once
#include <chrono>
#include <cstddef>
#include <vector>

namespace opentrail::bench {

struct LatencySummary {
  std::size_t count = 0;
  std::chrono::nanoseconds p50{};
  std::chrono::nanoseconds p90{};
  std::chrono::nanoseconds p99{};
  std::chrono::nanoseconds max{};
};

/// Nearest rank: p99 of 100 values is the 99th smallest. All zero when there are none. Sorts
/// `samples`.
[[nodiscard]] LatencySummary summarise(std::vector<std::chrono::nanoseconds>& samples);

}  // namespace opentrail::bench
