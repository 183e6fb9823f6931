#include "cli/program.h"

#include "cli/bench_command.h"
#include "cli/import_command.h"
#include "cli/lookup_command.h"
#include "cli/serve_command.h"
#include "cli/table.h"

#include <ostream>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace opentrail::cli {

namespace {

/// The command that was being read: the last one that was named.
const CLI::App* innermost(const CLI::App* app) {
  const auto named = app->get_subcommands();
  return named.empty() ? app : innermost(named.back());
}

/// "opentrail import aws".
std::string full_name(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : full_name(*parent) + " " + app.get_name();
}

/// The commands below `app`, each once: "serve, import, lookup"; empty when there are none.
std::string commands_of(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return names;
}

/// What was wrong, in words about the command line and not about its parser.
std::string describe(const CLI::ParseError& error, const CLI::App& app) {
  const std::string commands = commands_of(app);
  const auto extras = app.remaining();
  if (!extras.empty() && !extras.front().starts_with('-') && !commands.empty()) {
    return fmt::format("there is no command '{}'; there are: {}", extras.front(), commands);
  }
  if (!extras.empty()) {
    return extras.front().starts_with('-')
               ? fmt::format("there is no option {}", extras.front())
               : fmt::format("'{}' is one argument too many", extras.front());
  }
  return error.what();
}

int refuse(const CLI::ParseError& error, const CLI::App& app, const Context& context) {
  const CLI::App& at = *innermost(&app);
  const std::string name = full_name(at);
  context.err << name << ": " << one_line(describe(error, at)) << "\nSee `" << name
              << " --help`.\n";
  return kExitError;
}

}  // namespace

int run_program(int argc, const char* const* argv, const Context& context) {
  CLI::App app(
      "OpenTrail: the CloudTrail that anyone can run.\n"
      "Start with `opentrail serve`; then any AWS tool can talk to it.",
      "opentrail");
  app.set_version_flag("--version", "opentrail " OPENTRAIL_VERSION, "Print the version");
  app.set_help_flag("-h,--help", "Print this help");
  app.get_formatter()->column_width(kHelpColumns);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.footer(
      "Exit codes: 0 done, 1 ran but found a problem or nothing, 2 wrong use or failed; each "
      "command's\nhelp says more.");
  int exit_code = kExitOk;
  add_serve_command(app, exit_code);
  add_import_command(app, context, exit_code);
  add_lookup_command(app, context, exit_code);
  add_bench_command(app, context, exit_code);
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    command->group("Commands, each with a --help of its own");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    return app.exit(wanted, context.out, context.err);
  } catch (const CLI::ParseError& error) {
    return refuse(error, app, context);
  }
  const CLI::App& command = *innermost(&app);
  if (!commands_of(command).empty()) {
    context.err << command.help(command.get_parent() == nullptr ? "" : "opentrail");
    return kExitError;
  }
  return exit_code;
}

}  // namespace opentrail::cli
