#pragma once
#include "bench/bench.h"
#include "bench/http_load.h"
#include "bench/server_process.h"
#include "bench/templates.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace opentrail::bench {

/// What the phases of one run share.
struct BenchRun {
  const BenchOptions& options;
  const io::Clock& clock;
  const OnProgress& on_progress;
  RecordGenerator generator;
  LoadTarget target;
  std::string data_folder;                ///< Of our own server.
  std::unique_ptr<ServerProcess> server;  ///< None when an endpoint was given.
  std::uint64_t raw_bytes = 0;            ///< Of the records made.
  /// A sample of the records made that LookupEvents can find, oldest first.
  std::vector<RecordFacts> sample;
};

struct Phase {
  std::string_view name;
  Result<Section> (*run)(BenchRun& run);
  bool needs_records = true;
};
/// In the order in which they run. A new phase is one line here.
[[nodiscard]] std::span<const Phase> all_phases();

/// Makes all records without sending them, to have a sample of what an earlier run has sent.
void make_sample(BenchRun& run);

/// Starts the run's own server on its data folder.
Result<void> start_server(BenchRun& run);

}  // namespace opentrail::bench
