#pragma once

namespace CLI {
class App;
}

namespace opentrail::cli {

/// `opentrail serve`: runs the server until SIGTERM or SIGINT. Exit codes: 0 stopped on request, 1
/// could not start or run, 2 wrong settings.
void add_serve_command(CLI::App& app, int& exit_code);

}  // namespace opentrail::cli
