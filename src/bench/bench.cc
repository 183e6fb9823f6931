#include "bench/bench.h"

#include "bench/baseline.h"
#include "bench/phases.h"
#include "bench/templates.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

namespace opentrail::bench {

namespace {

/// A folder of our own, removed at the end unless it is to be kept.
class WorkFolder {
 public:
  static Result<WorkFolder> make(const std::string& parent, bool keep) {
    std::string path = io::join_path(parent, "opentrail-bench-XXXXXX");
    if (::mkdtemp(path.data()) == nullptr) {
      return fail(ErrorCode::Unavailable, fmt::format("{}: no folder can be made there", parent));
    }
    return WorkFolder(std::move(path), keep);
  }
  WorkFolder(WorkFolder&& other) noexcept
      : path_(std::exchange(other.path_, {})), keep_(other.keep_) {}
  WorkFolder& operator=(WorkFolder&&) = delete;
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder() {
    if (!keep_ && !path_.empty()) {
      std::error_code ignored;
      std::filesystem::remove_all(path_, ignored);
    }
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string below(std::string_view name) const {
    return io::join_path(path_, name);
  }

 private:
  WorkFolder(std::string path, bool keep) : path_(std::move(path)), keep_(keep) {}

  std::string path_;
  bool keep_;
};

bool is_wanted(const std::vector<std::string>& wanted, std::string_view name) {
  return std::ranges::find(wanted, name) != wanted.end();
}

Result<void> check_names(const std::vector<std::string>& wanted,
                         const std::vector<std::string>& known, std::string_view what) {
  for (const std::string& name : wanted) {
    if (!is_wanted(known, name)) {
      return fail(ErrorCode::InvalidArgument, fmt::format("there is no {} '{}'; there are: {}",
                                                          what, name, fmt::join(known, ", ")));
    }
  }
  return {};
}

Result<void> check(const BenchOptions& options) {
  OT_TRY_DO(check_names(options.phases, phase_names(), "phase"));
  OT_TRY_DO(check_names(options.baselines, baseline_names(), "baseline"));
  if (options.records == 0 || options.batch_records == 0) {
    return fail(ErrorCode::InvalidArgument, "there must be at least one record, in a batch too");
  }
  const bool ingests = is_wanted(options.phases, "ingest");
  const bool needs = std::ranges::any_of(all_phases(), [&](const Phase& phase) {
    return phase.needs_records && is_wanted(options.phases, phase.name);
  });
  if (options.endpoint.empty() && needs && !ingests) {
    return fail(ErrorCode::InvalidArgument,
                "a fresh server has no records: add the phase ingest, or name an --endpoint whose "
                "records an earlier run with the same seed brought in");
  }
  return {};
}

GeneratorOptions generator_options(const BenchOptions& options, Timestamp now) {
  // Well inside of what a server keeps; whole days, so that a second run makes the same records.
  constexpr std::chrono::days kSpan{30};
  GeneratorOptions made;
  made.seed = options.seed;
  made.first_time = std::chrono::floor<std::chrono::days>(now) - kSpan;
  made.gap_mean = std::chrono::microseconds(kSpan) /
                  static_cast<std::int64_t>(std::max<std::uint64_t>(1, options.records));
  return made;
}

Result<void> run_phases(BenchRun& run, Report& report) {
  const bool ingests = is_wanted(run.options.phases, "ingest");
  if (!ingests && !run.options.phases.empty()) {
    make_sample(run);
  }
  for (const Phase& phase : all_phases()) {
    if (!is_wanted(run.options.phases, phase.name)) {
      continue;
    }
    run.on_progress(phase.name, 0, 0);
    auto section = phase.run(run);
    if (!section) {
      return std::unexpected(
          std::move(section).error().while_doing(fmt::format("phase {}", phase.name)));
    }
    report.phases.push_back(*std::move(section));
  }
  report.bytes = run.raw_bytes;
  report.target = run.server ? "of its own, in " + run.data_folder : run.target.endpoint;
  return run.server ? run.server->stop() : Result<void>();
}

Result<void> run_baselines(const BenchOptions& options, const Templates& templates,
                           const GeneratorOptions& generator, const WorkFolder& work,
                           const OnProgress& on_progress, Report& report) {
  for (const Baseline& baseline : all_baselines()) {
    if (!is_wanted(options.baselines, baseline.name)) {
      continue;
    }
    const std::string folder = work.below(fmt::format("baseline-{}", baseline.name));
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    const BaselineInput input{.options = options,
                              .templates = templates.records,
                              .generator = generator,
                              .records = std::min(options.records, options.baseline_records),
                              .folder = folder,
                              .on_progress = on_progress};
    on_progress(baseline.name, 0, 0);
    auto section = baseline.run(input);
    std::filesystem::remove_all(folder, error);
    if (!section) {
      return std::unexpected(
          std::move(section).error().while_doing(fmt::format("baseline {}", baseline.name)));
    }
    report.baselines.push_back(*std::move(section));
  }
  return {};
}

}  // namespace

std::vector<std::string> phase_names() {
  std::vector<std::string> names;
  for (const Phase& phase : all_phases()) {
    names.emplace_back(phase.name);
  }
  return names;
}

std::vector<std::string> baseline_names() {
  std::vector<std::string> names;
  for (const Baseline& baseline : all_baselines()) {
    names.emplace_back(baseline.name);
  }
  return names;
}

Result<Report> run_bench(const BenchOptions& options, io::Filesystem& files, const io::Clock& clock,
                         const OnProgress& on_progress) {
  OT_TRY_DO(check(options));
  Templates templates;
  if (options.templates.empty()) {
    templates = load_builtin_templates();
  } else {
    OT_TRY(templates, load_templates(files, options.templates));
  }
  const GeneratorOptions generating = generator_options(options, clock.now());
  OT_TRY(RecordGenerator generator, RecordGenerator::make(templates.records, generating));
  OT_TRY(const WorkFolder work, WorkFolder::make(options.work_parent, options.keep));
  Report report;
  report.seed = options.seed;
  report.records = options.records;
  report.templates = templates.records.size();
  BenchRun run{.options = options,
               .clock = clock,
               .on_progress = on_progress,
               .generator = std::move(generator),
               .target = {.endpoint = options.endpoint,
                          .credentials = options.credentials,
                          .ca_file = options.ca_file,
                          .connections = options.connections,
                          .stop = options.stop},
               .data_folder = work.below("data"),
               .server = nullptr,
               .raw_bytes = 0,
               .sample = {}};
  if (options.endpoint.empty() && !options.phases.empty()) {
    OT_TRY_DO(start_server(run));
  }
  OT_TRY_DO(run_phases(run, report));
  run.sample = {};
  OT_TRY_DO(run_baselines(options, templates, generating, work, on_progress, report));
  return report;
}

}  // namespace opentrail::bench
