#include "bench/ingest_phase.h"

#include "bench/phases.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

namespace opentrail::bench {

namespace {

using std::chrono::duration;
using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr std::size_t kSampleMax = 20'000;

/// Keeps the facts of every n-th record that LookupEvents can find.
class Sampler {
 public:
  explicit Sampler(BenchRun& run)
      : run_(run), every_(std::max<std::uint64_t>(1, run.options.records / kSampleMax)) {}

  void look_at_last() {
    if (++seen_ < every_) {
      return;
    }
    RecordFacts facts;
    run_.generator.describe(facts);
    if (can_be_found(facts)) {
      run_.sample.push_back(std::move(facts));
      seen_ = 0;
    }
  }

  static bool can_be_found(const RecordFacts& facts) {
    return facts.category == record::Category::Management && !facts.account.empty() &&
           !facts.region.empty();
  }

 private:
  BenchRun& run_;
  const std::uint64_t every_;
  std::uint64_t seen_ = 0;
};

PreparedBody prepare_body(BenchRun& run, Sampler& sampler) {
  PreparedBody body;
  RecordFacts facts;
  while (body.records < run.options.batch_records &&
         run.generator.records() < run.options.records) {
    run.generator.next(body.bytes);
    ++body.records;
    sampler.look_at_last();
    // The first that can be found is as good a probe as any, and describing costs time.
    if (!body.has_probe) {
      run.generator.describe(facts);
      if (Sampler::can_be_found(facts)) {
        body.probe = facts;
        body.has_probe = true;
      }
    }
    body.bytes.push_back('\n');
  }
  body.raw_bytes = body.bytes.size() - body.records;
  return body;
}

std::vector<PreparedBody> prepare_wave(BenchRun& run, Sampler& sampler) {
  std::vector<PreparedBody> bodies;
  std::uint64_t bytes = 0;
  while (run.generator.records() < run.options.records && bytes < run.options.prepared_bytes_max) {
    if (run.options.stop != nullptr && run.options.stop->load()) {
      break;  // the first call will say so
    }
    bodies.push_back(prepare_body(run, sampler));
    bytes += bodies.back().bytes.size();
    run.on_progress("making records", run.generator.records(), run.options.records);
  }
  return bodies;
}

/// CPU of the server once it has nothing more to do of its own accord, or after some seconds.
Result<microseconds> settled_cpu(const ServerProcess& server) {
  constexpr std::chrono::milliseconds kInterval{200};
  constexpr int kIntervalsMax = 50;
  constexpr microseconds kIdle{5'000};
  OT_TRY(microseconds before, server.cpu());
  for (int i = 0; i < kIntervalsMax; ++i) {
    std::this_thread::sleep_for(kInterval);
    OT_TRY(const microseconds now, server.cpu());
    if (now - before < kIdle) {
      return now;
    }
    before = now;
  }
  return before;
}

struct Spent {
  duration<double> wall{};
  microseconds client{};
  int waves = 0;
};

Result<void> send_wave(BenchRun& run, std::span<const PreparedBody> bodies, std::uint64_t done,
                       IngestOutcome& outcome, Spent& spent) {
  const auto on_calls = [&](std::size_t calls) {
    run.on_progress("ingest",
                    std::min(done + calls * run.options.batch_records, run.options.records),
                    run.options.records);
  };
  const microseconds client_before = own_cpu();
  const auto begin = steady_clock::now();
  OT_TRY_DO(send_bodies(run.target, run.clock, bodies, run.options.encoding, on_calls, outcome));
  spent.wall += steady_clock::now() - begin;
  spent.client += own_cpu() - client_before;
  ++spent.waves;
  for (const PreparedBody& body : bodies) {
    run.raw_bytes += body.raw_bytes;
  }
  return {};
}

Section describe(const BenchRun& run, IngestOutcome& outcome, const Spent& spent,
                 std::optional<microseconds> server) {
  constexpr double kMega = 1e6;
  const auto records = static_cast<double>(std::max<std::uint64_t>(1, run.generator.records()));
  const double seconds = std::max(spent.wall.count(), 1e-9);
  Section section{.name = "ingest", .note = {}, .metrics = {}};
  if (spent.waves > 1) {
    section.note = fmt::format(
        "in {} waves; between them, while bodies were made, the server could rest", spent.waves);
  }
  section.add("recordsPerSecond", "records a second", records / seconds, "/s");
  section.add("megabytesPerSecond", "JSON a second",
              static_cast<double>(run.raw_bytes) / kMega / seconds, "MB/s");
  section.add("seconds", "time", seconds, "s");
  if (server) {
    section.add("serverCpuMicrosPerRecord", "server CPU a record",
                static_cast<double>(server->count()) / records, "us");
  }
  section.add("clientCpuMicrosPerRecord", "client CPU a record",
              static_cast<double>(spent.client.count()) / records, "us");
  section.add("bytesPerRecord", "JSON a record", static_cast<double>(run.raw_bytes) / records, "B");
  section.add("sentBytesPerRecord", "sent a record",
              static_cast<double>(outcome.sent_bytes) / records, "B");
  section.add_latency("ack", "acknowledged", summarise(outcome.acks));
  section.add("probes", "looked up right after", static_cast<double>(outcome.probes.size()));
  section.add_latency("probe", "that lookup", summarise(outcome.probes));
  section.add("probeMisses", "not found then", static_cast<double>(outcome.probe_misses));
  section.add("added", "records that the server added", static_cast<double>(outcome.added));
  section.lost = outcome.probe_misses + (run.generator.records() - outcome.added);
  return section;
}

}  // namespace

Result<Section> run_ingest(BenchRun& run) {
  Sampler sampler(run);
  IngestOutcome outcome;
  Spent spent;
  std::optional<microseconds> server_before;
  if (run.server) {
    OT_TRY(server_before, run.server->cpu());
  }
  while (run.generator.records() < run.options.records) {
    const std::uint64_t done = run.generator.records();
    const std::vector<PreparedBody> bodies = prepare_wave(run, sampler);
    OT_TRY_DO(send_wave(run, bodies, done, outcome, spent));
    if (run.options.stop != nullptr && run.options.stop->load()) {
      return fail(ErrorCode::Unavailable, "interrupted", std::string(collect::kInterrupted));
    }
  }
  std::optional<microseconds> server_spent;
  if (run.server) {
    OT_TRY(const microseconds server_after, settled_cpu(*run.server));
    server_spent = server_after - *server_before;
  }
  return describe(run, outcome, spent, server_spent);
}

void make_sample(BenchRun& run) {
  Sampler sampler(run);
  std::string json;
  while (run.generator.records() < run.options.records) {
    json.clear();
    run.generator.next(json);
    run.raw_bytes += json.size();
    sampler.look_at_last();
  }
}

}  // namespace opentrail::bench
