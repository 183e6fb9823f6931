#pragma once
#include "cli/context.h"

namespace opentrail::cli {

/// The whole program: parses the command line, runs one command, returns the exit code. 0 also for
/// --help and --version; 2 for wrong use, which is explained on `context.err` with the help page to
/// turn to. Without a command the help is what is shown, there too.
[[nodiscard]] int run_program(int argc, const char* const* argv, const Context& context);

}  // namespace opentrail::cli
