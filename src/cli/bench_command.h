#pragma once
#include "bench/bench.h"
#include "cli/connection.h"
#include "cli/context.h"

#include <string>

namespace CLI {
class App;
}

namespace opentrail::cli {

struct BenchCommand {
  bench::BenchOptions bench;
  ConnectionOptions connection;  ///< Used when it names an endpoint.
  std::string output = "table";  ///< "table" or "json".
  bool quiet = false;            ///< No progress.
};

/// `opentrail bench`. Exit codes: 0 measured and nothing lost, 1 something that was acknowledged
/// was not there, 2 wrong use or failed, 130 stopped by Ctrl-C. `context` must outlive the app.
void add_bench_command(CLI::App& app, const Context& context, int& exit_code);

/// The command without the process around it.
[[nodiscard]] int run_bench_command(BenchCommand command, const Context& context);

/// "ingest  420,000 of 1,000,000  81,000/s": at most `columns` wide.
[[nodiscard]] std::string bench_progress(std::string_view name, std::uint64_t done,
                                         std::uint64_t total, double seconds, std::size_t columns);

}  // namespace opentrail::cli
