#include "bench/phases.h"

#include "base/json.h"
#include "bench/ingest_phase.h"
#include "bench/lookup_phase.h"
#include "bench/search_phase.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

namespace opentrail::bench {

namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

constexpr double kMega = 1e6;

/// The phases that look inside the server's process or folder.
Section not_ours(std::string name) {
  return Section{.name = std::move(name),
                 .note = "only for a server that the bench starts itself",
                 .metrics = {}};
}

/// The account and Region that most records of the sample are of.
LookupQuery busiest_place(const BenchRun& run) {
  std::map<std::pair<std::string, std::string>, std::size_t> counts;
  for (const RecordFacts& facts : run.sample) {
    ++counts[{facts.account, facts.region}];
  }
  const auto most =
      std::ranges::max_element(counts, {}, [](const auto& place) { return place.second; });
  return LookupQuery{.account = most->first.first,
                     .region = most->first.second,
                     .key = {},
                     .value = {},
                     .expected_id = {}};
}

struct ScanOutcome {
  std::uint64_t events = 0;
  std::uint64_t pages = 0;
  std::uint64_t bytes = 0;
};

Result<ScanOutcome> scan(BenchRun& run, const LookupQuery& query) {
  LoadConnection connection(run.target, run.clock);
  ScanOutcome outcome;
  std::string next_token;
  do {
    OT_TRY(const std::string answer, connection.look_up(query, next_token));
    constexpr std::size_t kAnswerBytesMax = 64 << 20;
    OT_TRY(const json::value page, parse_json(answer, {.bytes_max = kAnswerBytesMax}));
    const json::value* events =
        page.is_object() ? page.get_object().if_contains("Events") : nullptr;
    if (events == nullptr || !events->is_array()) {
      return fail(ErrorCode::Unsupported, "the answer is not one of LookupEvents");
    }
    outcome.events += events->get_array().size();
    outcome.bytes += answer.size();
    ++outcome.pages;
    next_token = string_member(page.get_object(), "NextToken");
    run.on_progress("scan", outcome.events, run.options.scan_records);
    if (run.options.stop != nullptr && run.options.stop->load()) {
      return fail(ErrorCode::Unavailable, "interrupted", std::string(collect::kInterrupted));
    }
  } while (!next_token.empty() && outcome.events < run.options.scan_records);
  return outcome;
}

Result<Section> run_scan(BenchRun& run) {
  Section section{.name = "scan", .note = {}, .metrics = {}};
  if (run.sample.empty()) {
    section.note = "no record that LookupEvents shows was made";
    return section;
  }
  const LookupQuery query = busiest_place(run);
  section.note =
      fmt::format("account {}, {}, newest first, one connection", query.account, query.region);
  const auto begin = steady_clock::now();
  OT_TRY(const ScanOutcome outcome, scan(run, query));
  const double seconds = duration<double>(steady_clock::now() - begin).count();
  section.add("events", "events read", static_cast<double>(outcome.events));
  section.add("pages", "pages", static_cast<double>(outcome.pages));
  section.add("eventsPerSecond", "events a second", static_cast<double>(outcome.events) / seconds,
              "/s");
  section.add("megabytesPerSecond", "answers", static_cast<double>(outcome.bytes) / kMega / seconds,
              "MB/s");
  return section;
}

Result<Section> run_memory(BenchRun& run) {
  if (!run.server) {
    return not_ours("memory");
  }
  OT_TRY(const ServerMemory memory, run.server->memory());
  Section section{.name = "memory", .note = {}, .metrics = {}};
  const auto records = static_cast<double>(std::max<std::uint64_t>(1, run.generator.records()));
  section.add("residentBytes", "resident", static_cast<double>(memory.resident_bytes), "B");
  section.add("residentBytesMax", "resident at most",
              static_cast<double>(memory.resident_bytes_max), "B");
  section.add("residentBytesPerRecord", "resident a record",
              static_cast<double>(memory.resident_bytes) / records, "B");
  return section;
}

/// As `du` counts: what the files take, holes not.
Result<std::uint64_t> bytes_on_disk(const std::string& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (auto it = std::filesystem::recursive_directory_iterator(folder, error);
       !error && it != std::filesystem::recursive_directory_iterator(); it.increment(error)) {
    struct stat status{};
    constexpr std::uint64_t kBlockBytes = 512;
    if (::lstat(it->path().c_str(), &status) == 0) {
      bytes += static_cast<std::uint64_t>(status.st_blocks) * kBlockBytes;
    }
  }
  if (error) {
    return fail(ErrorCode::Unavailable, folder + ": " + error.message());
  }
  return bytes;
}

Result<Section> run_disk(BenchRun& run) {
  if (!run.server) {
    return not_ours("disk");
  }
  OT_TRY(const std::uint64_t bytes, bytes_on_disk(run.data_folder));
  Section section{.name = "disk", .note = {}, .metrics = {}};
  const auto disk = static_cast<double>(bytes);
  const auto records = static_cast<double>(std::max<std::uint64_t>(1, run.generator.records()));
  section.add("bytes", "data folder", disk, "B");
  section.add("bytesPerRecord", "a record", disk / records, "B");
  section.add("bytesPerRawByte", "a byte of JSON",
              disk / static_cast<double>(std::max<std::uint64_t>(1, run.raw_bytes)), "B");
  return section;
}

Result<Section> run_start(BenchRun& run) {
  if (!run.server) {
    return not_ours("start");
  }
  run.on_progress("start", 0, 1);
  const auto begin = steady_clock::now();
  OT_TRY_DO(run.server->stop());
  const double stop_seconds = duration<double>(steady_clock::now() - begin).count();
  OT_TRY_DO(start_server(run));
  OT_TRY(const auto cpu, run.server->cpu());
  OT_TRY(const ServerMemory memory, run.server->memory());
  Section section{.name = "start", .note = {}, .metrics = {}};
  section.add("stopSeconds", "stop", stop_seconds, "s");
  section.add("startSeconds", "start, until ready",
              duration<double>(run.server->start_time()).count(), "s");
  section.add("startCpuSeconds", "server CPU until ready", duration<double>(cpu).count(), "s");
  section.add("residentBytes", "resident when ready", static_cast<double>(memory.resident_bytes),
              "B");
  return section;
}

constexpr std::array<Phase, 7> kPhases = {{
    {.name = "ingest", .run = run_ingest, .needs_records = false},
    {.name = "memory", .run = run_memory},
    {.name = "disk", .run = run_disk},
    {.name = "lookup", .run = run_lookup},
    {.name = "search", .run = run_search},
    {.name = "scan", .run = run_scan},
    {.name = "start", .run = run_start},
}};

}  // namespace

std::span<const Phase> all_phases() { return kPhases; }

Result<void> start_server(BenchRun& run) {
  ServerOptions server;
  server.program = run.options.program;
  server.data_folder = run.data_folder;
  server.log_file = run.data_folder + ".log";
  server.arguments = run.options.serve_arguments;
  OT_TRY(run.server, ServerProcess::start(std::move(server)));
  run.target.endpoint = run.server->endpoint();
  OT_TRY(run.target.credentials, run.server->credentials());
  return {};
}

}  // namespace opentrail::bench
