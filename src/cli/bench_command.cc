#include "cli/bench_command.h"

#include "cli/credentials.h"
#include "cli/interrupt_watch.h"
#include "io/filesystem.h"

#include <chrono>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace opentrail::cli {

namespace {

using std::chrono::steady_clock;

/// One line on stderr that is written again and again, on a terminal only.
class BenchShow {
 public:
  BenchShow(const Context& context, bool quiet)
      : context_(context), shows_(context.err_is_terminal && !quiet) {}
  ~BenchShow() { clear(); }
  BenchShow(const BenchShow&) = delete;
  BenchShow& operator=(const BenchShow&) = delete;

  void update(std::string_view name, std::uint64_t done, std::uint64_t total) {
    constexpr std::chrono::milliseconds kRedrawInterval{100};
    if (!shows_) {
      return;
    }
    const auto now = steady_clock::now();
    const bool is_new = name != name_;
    if (is_new) {
      name_ = name;
      begin_ = now;
    }
    if (!is_new && now - shown_ < kRedrawInterval) {
      return;
    }
    shown_ = now;
    const double seconds = std::chrono::duration<double>(now - begin_).count();
    // One column less than there are: some terminals wrap when the last one is written.
    context_.err << "\r\x1b[K"
                 << bench_progress(name, done, total, seconds,
                                   std::max<std::size_t>(2, context_.terminal_columns) - 1)
                 << std::flush;
    drawn_ = true;
  }
  void clear() {
    if (drawn_) {
      context_.err << "\r\x1b[K" << std::flush;
      drawn_ = false;
    }
  }

 private:
  const Context& context_;
  const bool shows_;
  std::string name_;
  steady_clock::time_point begin_;
  steady_clock::time_point shown_;
  bool drawn_ = false;
};

int complain(const Context& context, std::string_view text) {
  context.err << "opentrail bench: " << text << '\n';
  return kExitError;
}

Result<void> fill_in(BenchCommand& command, const Context& context) {
  if (command.bench.work_parent.empty()) {
    const std::string temporary = context.environment("TMPDIR");
    command.bench.work_parent = temporary.empty() ? "/tmp" : temporary;
  }
  // Only what was named here: a server whose address is in the environment is not to be filled by
  // accident.
  command.bench.endpoint = command.connection.endpoint;
  if (!command.bench.endpoint.empty()) {
    OT_TRY(FoundCredentials found,
           find_credentials({.profile = command.connection.profile,
                             .credentials_file = command.connection.credentials_file},
                            context.environment));
    command.bench.credentials = std::move(found.keys);
    command.bench.ca_file = command.connection.ca_bundle;
  }
  return {};
}

void add_load_options(CLI::App& app, bench::BenchOptions& options) {
  constexpr const char* kGroup = "Load";
  const auto add = [&](const char* flag, auto& value, const char* help, const char* text) {
    return app.add_option(flag, value, help)->option_text(text)->group(kGroup);
  };
  add("--records", options.records, "How many records [1000000]", "COUNT");
  add("--templates", options.templates,
      "File or folder of records to replay the shape of\n[a built-in set]", "PATH");
  add("--seed", options.seed, "The same seed makes the same records [1]", "NUMBER");
  add("--connections", options.connections, "Kept connections [2]", "COUNT")
      ->check(CLI::Range(1, 256));
  add("--batch", options.batch_records, "Records in one request [5000]", "COUNT")
      ->check(CLI::Range(1, 10'000));
  add("--encoding", options.encoding, "How bodies are sent: zstd, gzip or identity [zstd]", "NAME")
      ->check(CLI::IsMember({"zstd", "gzip", "identity"}));
  add("--lookups", options.lookups, "LookupEvents calls by each attribute [1000]", "COUNT");
  add("--scan-records", options.scan_records, "Events that the phase scan pages through [50000]",
      "COUNT");
}

void add_choice_options(CLI::App& app, BenchCommand& command) {
  constexpr const char* kGroup = "What is measured";
  app.add_option("--phase", command.bench.phases,
                 fmt::format("Some of {} [all]", fmt::join(bench::phase_names(), ",")))
      ->delimiter(',')
      ->option_text("A,B,...")
      ->group(kGroup);
  app.add_option("--baseline", command.bench.baselines,
                 fmt::format("Beside it, on the same records: some of\n{} [none]",
                             fmt::join(bench::baseline_names(), ",")))
      ->delimiter(',')
      ->option_text("A,B,...")
      ->group(kGroup);
  app.add_option("--baseline-records", command.bench.baseline_records,
                 "At most so many for those [500000]")
      ->option_text("COUNT")
      ->group(kGroup);
}

void add_server_options(CLI::App& app, BenchCommand& command) {
  constexpr const char* kGroup = "Server";
  const auto add = [&](const char* flag, auto& value, const char* help, const char* text) {
    return app.add_option(flag, value, help)->option_text(text)->group(kGroup);
  };
  add("--data-dir", command.bench.work_parent, "Where the fresh data folder is made [$TMPDIR]",
      "FOLDER");
  app.add_flag("--keep", command.bench.keep, "The data folder stays")->group(kGroup);
  add("--serve-option", command.bench.serve_arguments,
      "One more option of `opentrail serve`:\n--serve-option=--threads=4", "OPTION");
  add("--endpoint", command.connection.endpoint,
      "A server that runs already, instead of one of the bench's own", "URL");
  add("--profile", command.connection.profile, "Profile in the credentials file, for --endpoint",
      "NAME");
  add("--credentials-file", command.connection.credentials_file,
      "AWS credentials file, for --endpoint", "FILE");
  add("--ca-bundle", command.connection.ca_bundle, "PEM certificates to trust, for --endpoint",
      "FILE");
}

}  // namespace

std::string bench_progress(std::string_view name, std::uint64_t done, std::uint64_t total,
                           double seconds, std::size_t columns) {
  std::string text(name);
  if (total > 0) {
    text += fmt::format("  {} of {}", with_commas(done), with_commas(total));
  }
  constexpr double kSecondsMin = 0.5;  // a rate of less would jump about
  if (done > 0 && seconds >= kSecondsMin) {
    text += fmt::format(
        "  {}/s", with_commas(static_cast<std::uint64_t>(static_cast<double>(done) / seconds)));
  }
  return text.substr(0, columns);
}

int run_bench_command(BenchCommand command, const Context& context) {
  if (auto filled = fill_in(command, context); !filled) {
    return complain(context, filled.error().message());
  }
  const auto files = io::make_posix_filesystem();
  BenchShow show(context, command.quiet);
  const bench::OnProgress on_progress = [&](std::string_view name, std::uint64_t done,
                                            std::uint64_t total) {
    show.update(name, done, total);
  };
  const auto report = bench::run_bench(command.bench, *files, context.clock, on_progress);
  show.clear();
  if (!report) {
    complain(context, report.error().message());
    return report.error().reason() == collect::kInterrupted ? kExitInterrupted : kExitError;
  }
  context.out << (command.output == "json" ? bench::to_json(*report) + "\n"
                                           : bench::to_table(*report));
  if (!finish_output(context, "bench")) {
    return kExitError;
  }
  return report->lost() == 0 ? kExitOk : kExitFindings;
}

void add_bench_command(CLI::App& app, const Context& context, int& exit_code) {
  const auto command = std::make_shared<BenchCommand>();
  CLI::App* bench = app.add_subcommand("bench", "Measure a server with made-up records");
  bench->footer(
      "Starts a server on a fresh folder, fills it over HTTP, looks records up, and takes the "
      "folder "
      "away.\n"
      "Against --endpoint the records stay there, and a second run needs another --seed.\n"
      "Exit codes: 0 measured, nothing lost; 1 something acknowledged was not there; 2 wrong use "
      "or "
      "failed;\n130 stopped by Ctrl-C.\n\n"
      "Examples: opentrail bench --records 100000 --baseline sqlite,gzip\n"
      "          opentrail bench --phase ingest,lookup --templates ./AWSLogs --output json");
  add_choice_options(*bench, *command);
  add_load_options(*bench, command->bench);
  add_server_options(*bench, *command);
  bench->add_option("--output", command->output, "table or json [table]")
      ->check(CLI::IsMember({"table", "json"}))
      ->option_text("FORMAT");
  bench->add_flag("--quiet", command->quiet, "No progress");
  bench->callback([bench, command, &context, &exit_code] {
    // What writes to a child that is gone must hear of it as an error.
    std::signal(SIGPIPE, SIG_IGN);
    const InterruptWatch watch;
    command->bench.stop = watch.flag();
    if (bench->count("--phase") == 0) {
      command->bench.phases = bench::phase_names();
    }
    exit_code = run_bench_command(*command, context);
  });
}

}  // namespace opentrail::cli
