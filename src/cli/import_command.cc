#include "cli/import_command.h"

#include "base/json_writer.h"
#include "cli/interrupt_watch.h"
#include "cli/progress.h"
#include "cli/table.h"

#include <algorithm>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace opentrail::cli {

namespace {

using collect::ImportReport;
using collect::Problem;
using collect::ProblemKind;

/// So many problems are shown as text; all that are kept go into the JSON.
constexpr std::size_t kProblemsShownMax = 100;

bool is_note(const Problem& problem) {
  return problem.kind == ProblemKind::Skipped || problem.kind == ProblemKind::Digest;
}

void print_problems(const ImportReport& report, bool quiet, const Context& context) {
  std::size_t shown = 0;
  std::uint64_t hidden = report.problems_not_listed;
  // What must be looked at first, whatever the order of the files.
  for (const bool notes : {false, true}) {
    for (const Problem& problem : report.problems) {
      if (is_note(problem) != notes || (notes && quiet)) {
        continue;
      }
      if (shown++ < kProblemsShownMax) {
        context.err << (notes ? "note: " : "problem: ") << one_line(to_text(problem)) << '\n';
      } else {
        ++hidden;
      }
    }
  }
  if (hidden > 0) {
    context.err << fmt::format(
        "... and {} more{}\n", with_commas(hidden),
        hidden > report.problems_not_listed ? " (--output json lists more of them)" : "");
  }
}

void print_text(const ImportReport& report, const Context& context) {
  context.out << summary_line(report) << '\n';
  if (report.added > 0 && !report.main_account.empty()) {
    context.out << fmt::format("Look at them: opentrail lookup --account {} --region {}\n",
                               report.main_account, report.main_region);
  }
  if (report.expired > 0) {
    context.out << fmt::format(
        "{} older than {} were not stored: the server does not keep them. To import them, restart "
        "it with a larger --retention-days.\n",
        with_commas(report.expired),
        report.oldest_kept.empty() ? "the retention" : report.oldest_kept);
  }
  if (report.interrupted) {
    context.out << "Interrupted: the rest was not read. Run the same command again to go on; what "
                   "is in is not added twice.\n";
  }
}

/// "1 file", "2 files".
std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", with_commas(count), what, count == 1 ? "" : "s");
}

int exit_code_of(const ImportReport& report) {
  if (report.interrupted) {
    return kExitInterrupted;
  }
  return report.clean() ? kExitOk : kExitFindings;
}

void add_counts(JsonWriter& writer, const ImportReport& report) {
  const auto number = [&](std::string_view name, std::uint64_t count) {
    writer.key(name).number(static_cast<std::int64_t>(count));
  };
  number("files", report.files);
  number("filesBroken", report.files_broken);
  number("filesSkipped", report.files_skipped);
  number("digestFiles", report.digests);
  number("records", report.records);
  number("new", report.added);
  number("duplicate", report.duplicate);
  number("conflicting", report.conflicting);
  number("expired", report.expired);
  number("invalid", report.invalid);
}

}  // namespace

std::string summary_line(const collect::ImportReport& report) {
  std::string text = fmt::format("{}: {} new, {} already there", counted(report.records, "record"),
                                 with_commas(report.added), with_commas(report.duplicate));
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) {
      text += fmt::format(", {} {}", with_commas(count), what);
    }
  };
  add(report.conflicting, "in conflict (another record of the same id is there and stays)");
  add(report.expired, "too old");
  add(report.invalid, "invalid");
  text += "; " + counted(report.files, "file");
  add(report.files_broken, "broken");
  add(report.files_skipped, "skipped");
  if (report.digests > 0) {
    text += ", " + counted(report.digests, "digest file");
  }
  return text;
}

std::string report_json(const ImportReport& report) {
  JsonWriter writer;
  writer.begin_object();
  add_counts(writer, report);
  writer.optional_field("oldestKept", report.oldest_kept);
  writer.key("interrupted").boolean(report.interrupted);
  writer.key("problemsNotListed").number(static_cast<std::int64_t>(report.problems_not_listed));
  writer.key("problems").begin_array();
  for (const Problem& problem : report.problems) {
    writer.begin_object().field("kind", to_string(problem.kind)).field("file", problem.file);
    writer.key("line").number(static_cast<std::int64_t>(problem.line));
    writer.optional_field("recordId", problem.record_id).field("what", problem.what);
    writer.end_object();
  }
  writer.end_array().end_object();
  return std::move(writer).text();
}

int run_import(const ImportCommand& command, const Context& context,
               const std::atomic<bool>* stop) {
  auto connection = make_connection(command.connection, context, collect::make_pause(stop));
  if (!connection) {
    context.err << "opentrail import: " << connection.error().message() << '\n';
    return kExitError;
  }
  auto second = make_connection(command.connection, context, collect::make_pause(stop));
  if (!second) {
    context.err << "opentrail import: " << second.error().message() << '\n';
    return kExitError;
  }
  ProgressShow show(context, command.quiet);
  collect::ImportOptions options;
  options.stop = stop;
  ImportReport report;
  const auto imported = collect::import_aws(
      command.paths, options, context.clock,
      {collect::make_upload(*connection->client), collect::make_upload(*second->client)},
      [&](const collect::ImportProgress& progress) { show.update(progress); }, report);
  show.clear();
  const bool json = command.output == "json";
  if (!json) {
    print_problems(report, command.quiet, context);
  }
  if (json) {
    context.out << report_json(report) << '\n';
  } else if (imported || report.records > 0) {
    print_text(report, context);
  }
  const bool written = finish_output(context, "import");
  if (!imported) {
    context.err << "opentrail import: " << with_advice(imported.error(), *connection) << '\n';
    return kExitError;
  }
  return written ? exit_code_of(report) : kExitError;
}

void add_import_command(CLI::App& app, const Context& context, int& exit_code) {
  const auto command = std::make_shared<ImportCommand>();
  CLI::App* import = app.add_subcommand("import", "Bring records from elsewhere into a server");
  CLI::App* aws = import->add_subcommand(
      "aws", "Import CloudTrail files: .json, .json.gz, NDJSON, EventBridge envelopes");
  aws->footer(
      "Importing twice changes nothing: a record that is there already is left alone.\n"
      "Exit codes: 0 everything is in; 1 a file or record was broken or in conflict (named above "
      "the\nsummary); 2 wrong use, no server, or refused; 130 stopped by Ctrl-C, what is in stays "
      "in.\n\n"
      "Example: opentrail import aws ./AWSLogs more/*.json.gz");
  aws->add_option("PATH", command->paths, "Files, and folders with all below them")
      ->required()
      ->option_text("...");
  aws->add_option("--output", command->output, "text or json [text]")
      ->check(CLI::IsMember({"text", "json"}))
      ->option_text("FORMAT");
  aws->add_flag("--quiet", command->quiet, "No progress, no notes");
  add_connection_options(*aws, command->connection);
  aws->callback([command, &context, &exit_code] {
    const InterruptWatch watch;
    exit_code = run_import(*command, context, watch.flag());
  });
}

}  // namespace opentrail::cli
