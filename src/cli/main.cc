// The program: parses the command line and runs one command.
#include "cli/import_command.h"
#include "cli/lookup_command.h"
#include "cli/serve_command.h"

#include <cstdio>

#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
  CLI::App app("OpenTrail: the CloudTrail that anyone can run", "opentrail");
  app.set_version_flag("--version", "opentrail " OPENTRAIL_VERSION);
  app.require_subcommand(1);
  int exit_code = 0;
  opentrail::cli::add_serve_command(app, exit_code);
  opentrail::cli::add_import_command(app, exit_code);
  opentrail::cli::add_lookup_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // 0 for --help and --version; every wrong use is 2, as shells expect it.
    return app.exit(error) == 0 ? 0 : 2;
  }
  return exit_code;
}
