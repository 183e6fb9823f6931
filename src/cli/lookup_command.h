#pragma once
#include "cli/context.h"
#include "cli/lookup_query.h"

namespace CLI {
class App;
}

namespace opentrail::cli {

/// `opentrail lookup`: the search of the event history (docs/search.md) with times as people write
/// them, counts and histograms, in Regions and, for an administrator, accounts of one's choice.
/// Exit codes: 0 found, 1 nothing found, 2 error. `context` must outlive the app.
void add_lookup_command(CLI::App& app, const Context& context, int& exit_code);

/// The command without the process around it.
[[nodiscard]] int run_lookup(const LookupCommand& command, const Context& context);

}  // namespace opentrail::cli
