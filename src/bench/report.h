#pragma once
#include "bench/latency.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::bench {

/// One number: its name in JSON (camelCase, with the unit where there is one), the words and the
/// unit that stand in a table.
struct Metric {
  std::string name;
  std::string label;
  double value = 0;
  std::string unit;
  std::string column = {};  ///< Neighbours of one label with a column stand in one line: "p50".
};

/// What one phase or baseline found.
struct Section {
  std::string name;
  std::string note;  ///< Why there are no numbers, or what to know about them; may be empty.
  std::vector<Metric> metrics;
  /// Records that were not there though they had been acknowledged, and answers without what they
  /// had to hold.
  std::uint64_t lost = 0;

  void add(std::string_view metric, std::string_view label, double value,
           std::string_view unit = {}) {
    metrics.push_back({.name = std::string(metric),
                       .label = std::string(label),
                       .value = value,
                       .unit = std::string(unit)});
  }
  /// "PREFIXP50Micros", "...P90Micros", "...P99Micros", "...MaxMicros".
  void add_latency(std::string_view prefix, std::string_view label, const LatencySummary& latency);
  /// The value of a metric; 0 when there is none of the name.
  [[nodiscard]] double value_of(std::string_view metric) const;
};

struct Report {
  std::uint64_t seed = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  ///< Of those records' JSON.
  std::uint64_t templates = 0;
  std::string target;  ///< The endpoint, or where the server's own data folder was.
  std::vector<Section> phases;
  std::vector<Section> baselines;

  [[nodiscard]] std::uint64_t lost() const;
};

/// A page for people: one block a section, numbers with three meaningful digits or all of an
/// integer's.
[[nodiscard]] std::string to_table(const Report& report);
/// One object: {"seed", "records", ..., "lost", "phases": {NAME: {METRIC: NUMBER, ...}},
/// "baselines": {...}}; a section's note is its member "note".
[[nodiscard]] std::string to_json(const Report& report);

}  // namespace opentrail::bench
