#include "cli/serve_command.h"

#include "io/filesystem.h"
#include "server/application.h"
#include "server/config.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

extern char** environ;  // NOLINT(readability-identifier-naming): the C library's name

namespace opentrail::cli {
namespace {

constexpr std::size_t kConfigBytesMax = 1 << 20;
constexpr int kWrongSettings = 2;

struct ServeOptions {
  std::map<std::string, std::string> flags;  ///< By setting key.
  std::string config_file;
  bool print_config = false;
};

std::map<std::string, std::string> read_environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (text.starts_with("OPENTRAIL_") && equals != std::string_view::npos) {
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return variables;
}

Result<server::ResolvedSettings> resolve(const ServeOptions& options) {
  server::Sources sources;
  sources.flags = options.flags;
  sources.environment = read_environment();
  sources.toml_path = options.config_file;
  if (sources.toml_path.empty()) {
    const auto named = sources.environment.find("OPENTRAIL_CONFIG");
    sources.toml_path = named == sources.environment.end() ? "" : named->second;
  }
  if (!sources.toml_path.empty()) {
    const auto files = io::make_posix_filesystem();
    OT_TRY(sources.toml_text, io::read_file(*files, sources.toml_path, kConfigBytesMax));
  }
  return server::resolve(sources);
}

/// What a person needs to go on: where, with which keys, and the lines to paste.
void greet(const server::Application& application) {
  std::string text = fmt::format(
      "OpenTrail {} listens on {}\n"
      "endpoint: {}\n"
      "credentials: {} (profiles: default = IAM user admin, root)\n"
      "\n"
      "To use it, paste:\n"
      "  export AWS_ENDPOINT_URL={}\n"
      "  export AWS_SHARED_CREDENTIALS_FILE={}\n",
      OPENTRAIL_VERSION, application.endpoint(), application.endpoint(),
      application.credentials_path(), application.endpoint(), application.credentials_path());
  if (!application.certificate_file().empty()) {
    text += fmt::format("  export AWS_CA_BUNDLE={}\n", application.certificate_file());
  }
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

int complain(const Error& error, int code) {
  std::fprintf(stderr, "opentrail serve: %s\n", error.message().c_str());
  return code;
}

/// Signals are taken by this thread alone: blocked before any other thread starts.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

int serve(const ServeOptions& options) {
  const auto settings = resolve(options);
  if (!settings) {
    return complain(settings.error(), kWrongSettings);
  }
  auto config = server::make_config(*settings);
  if (!config) {
    return complain(config.error(), kWrongSettings);
  }
  if (options.print_config) {
    std::fputs(server::print_config(*settings).c_str(), stdout);
    return 0;
  }
  ::umask(S_IRWXG | S_IRWXO);  // the data folder is for this user alone, SQLite's files too
  const sigset_t signals = block_stop_signals();
  std::signal(SIGPIPE, SIG_IGN);
  log::set_level(config->log_level);
  auto application = server::Application::start(*std::move(config));
  if (!application) {
    return complain(application.error(), 1);
  }
  greet(**application);
  int signal = 0;
  sigwait(&signals, &signal);
  log::info("stopping on {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  (*application)->stop();
  log::info("stopped");
  return 0;
}

}  // namespace

void add_serve_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("serve", "Run the server");
  command->footer(
      "A flag outdoes its environment variable, which outdoes the --config file.\n"
      "SIGTERM or Ctrl-C stops the server when everything is on disk.\n"
      "Exit codes: 0 stopped on request; 1 could not start or run; 2 wrong settings.");
  auto options = std::make_shared<ServeOptions>();
  for (const server::Setting& setting : server::settings()) {
    const std::string key(setting.key);
    std::string help(setting.help);
    if (!setting.value.empty()) {
      help += fmt::format(" [{}]", setting.value);
    }
    command
        ->add_option_function<std::string>(
            server::flag_name(setting.key),
            [options, key](const std::string& value) { options->flags[key] = value; },
            fmt::format("{} (or {})", help, server::variable_name(setting.key)))
        ->option_text(std::string(setting.value_name));
  }
  command
      ->add_option("--config", options->config_file,
                   "TOML file with settings (or OPENTRAIL_CONFIG)")
      ->option_text("FILE");
  command->add_flag("--print-config", options->print_config,
                    "Print every setting, its value and where it came from, then exit");
  command->callback([options, &exit_code] { exit_code = serve(*options); });
}

}  // namespace opentrail::cli
