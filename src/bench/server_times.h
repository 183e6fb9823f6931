#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace opentrail::bench {

/// A histogram that the server shows under /metrics (Prometheus' text format 0.0.4).
class ServerTimes {
 public:
  /// Absent when `text` has no histogram of that name without labels.
  [[nodiscard]] static std::optional<ServerTimes> read(std::string_view text,
                                                       std::string_view name);
  /// What came on top of `before`, an earlier reading.
  [[nodiscard]] ServerTimes since(const ServerTimes& before) const;
  /// The upper bound of the bucket in which that share of all (0 to 1) is reached, in the
  /// histogram's unit; infinite in the last one, 0 without observations.
  [[nodiscard]] double quantile(double share) const;

 private:
  std::map<double, std::uint64_t> up_to_;  ///< Bound -> observations not above it.
};

}  // namespace opentrail::bench
