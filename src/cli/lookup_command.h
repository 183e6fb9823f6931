#pragma once
#include "cli/connection.h"
#include "cli/context.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace opentrail::cli {

struct LookupCommand {
  ConnectionOptions connection;
  std::string account;  ///< Empty: the caller's own.
  /// LookupEvents' key and the value: {"EventName", "CreateUser"}. The API takes one at most.
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string start_time;
  std::string end_time;
  std::uint64_t results_max = 50;  ///< 0: all.
  std::string output = "table";    ///< "table", "text", "json", "ndjson" or "csv".
};

/// `opentrail lookup`: CloudTrail's LookupEvents with times as people write them, and, for an
/// administrator, the history of every known account. Exit codes: 0 found, 1 nothing found, 2
/// error.
/// `context` must outlive the app.
void add_lookup_command(CLI::App& app, const Context& context, int& exit_code);

/// The command without the process around it.
[[nodiscard]] int run_lookup(const LookupCommand& command, const Context& context);

}  // namespace opentrail::cli
