#pragma once
#include "base/error.h"
#include "bench/record_generator.h"
#include "bench/report.h"
#include "crypto/sigv4.h"
#include "io/clock.h"
#include "io/filesystem.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// Measures a whole server over HTTP, from outside, beside what the same records cost elsewhere.
namespace opentrail::bench {

struct BenchOptions {
  std::uint64_t records = 1'000'000;
  std::uint64_t seed = 1;
  std::size_t connections = 2;
  std::size_t batch_records = 5'000;         ///< In one request; the server takes at most 10,000.
  std::string encoding = "zstd";             ///< Or "gzip", "identity".
  std::uint64_t lookups = 1'000;             ///< By each attribute.
  std::uint64_t scan_records = 50'000;       ///< Paged through by the phase scan.
  std::string templates;                     ///< File or folder; empty: the built-in ones.
  std::vector<std::string> phases;           ///< Of phase_names().
  std::vector<std::string> baselines;        ///< Of baseline_names().
  std::uint64_t baseline_records = 500'000;  ///< At most so many; never more than `records`.
  /// Bodies are made before they are sent, as many as fit here; the clock stands meanwhile.
  std::uint64_t prepared_bytes_max = std::uint64_t{1} << 30;

  /// A server that runs already; empty: one of our own, on a fresh folder below `work_parent`.
  std::string endpoint;
  crypto::sigv4::Credentials credentials;  ///< For `endpoint`.
  std::string ca_file;
  std::string work_parent;
  bool keep = false;                         ///< The folder stays, and the report names it.
  std::vector<std::string> serve_arguments;  ///< More of `opentrail serve`.
  std::string program;                       ///< Empty: this program.

  const std::atomic<bool>* stop = nullptr;  ///< Looked at between calls and batches.
};

[[nodiscard]] std::vector<std::string> phase_names();
[[nodiscard]] std::vector<std::string> baseline_names();

/// How far a phase or baseline is; from any thread, one at a time.
using OnProgress =
    std::function<void(std::string_view name, std::uint64_t done, std::uint64_t total)>;

/// Runs the phases in the order of phase_names(), then the baselines. A baseline that this machine
/// has no program for is reported with a note.
/// Errors: InvalidArgument (no such phase, phases that need records without any, broken templates);
/// whatever ended a phase; the reason is collect::kInterrupted after a stop.
[[nodiscard]] Result<Report> run_bench(const BenchOptions& options, io::Filesystem& files,
                                       const io::Clock& clock, const OnProgress& on_progress);

}  // namespace opentrail::bench
