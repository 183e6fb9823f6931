#pragma once
#include "cli/connection.h"
#include "cli/context.h"
#include "collect/aws_import.h"

#include <atomic>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace opentrail::cli {

struct ImportCommand {
  ConnectionOptions connection;
  std::vector<std::string> paths;
  std::string output = "text";  ///< "text" or "json".
  bool quiet = false;           ///< No progress and no notes; the summary is always printed.
};

/// `opentrail import aws PATH...`. Exit codes: 0 everything is in (already there and too old are
/// fine), 1 a file or a record was broken or in conflict, 2 wrong use, no connection or refused
/// (what went in before stays in and is reported), 130 stopped by Ctrl-C.
/// `context` must outlive the app.
void add_import_command(CLI::App& app, const Context& context, int& exit_code);

/// The command without the process around it. `stop`: ends after the current batch.
[[nodiscard]] int run_import(const ImportCommand& command, const Context& context,
                             const std::atomic<bool>* stop);

/// "3,931 records: 3,630 new, 301 already there; 12 files" and, where there are some, the others.
[[nodiscard]] std::string summary_line(const collect::ImportReport& report);
/// One JSON object, for scripts.
[[nodiscard]] std::string report_json(const collect::ImportReport& report);

}  // namespace opentrail::cli
