#include "bench/lookup_phase.h"

#include "bench/server_times.h"

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include <fmt/format.h>

namespace opentrail::bench {

namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

/// So many wait for answers at once when the rate is what counts.
constexpr std::size_t kBusyConnections = 8;
constexpr std::string_view kServerTimes = "opentrail_history_lookup_seconds";

struct AttributeOfFacts {
  std::string_view key;     ///< LookupEvents'.
  std::string_view prefix;  ///< Of the metrics.
  std::string RecordFacts::* value;
};
constexpr std::array<AttributeOfFacts, 8> kAttributes = {{
    {"EventId", "eventId", &RecordFacts::event_id},
    {"EventName", "eventName", &RecordFacts::event_name},
    {"EventSource", "eventSource", &RecordFacts::event_source},
    {"Username", "username", &RecordFacts::username},
    {"AccessKeyId", "accessKeyId", &RecordFacts::access_key_id},
    {"ReadOnly", "readOnly", &RecordFacts::read_only},
    {"ResourceType", "resourceType", &RecordFacts::resource_type},
    {"ResourceName", "resourceName", &RecordFacts::resource_name},
}};

std::vector<LookupQuery> make_queries(const BenchRun& run, const AttributeOfFacts& attribute) {
  Draws draws(run.options.seed ^ std::hash<std::string_view>()(attribute.key));
  std::vector<LookupQuery> queries;
  // Some records lack the attribute: twenty tries for each query are enough for all that have it.
  constexpr std::uint64_t kTries = 20;
  for (std::uint64_t i = 0;
       i < run.options.lookups * kTries && queries.size() < run.options.lookups; ++i) {
    const RecordFacts& facts = run.sample[below(run.sample.size(), draws.next())];
    const std::string& value = facts.*attribute.value;
    if (value.empty()) {
      continue;
    }
    queries.push_back({.account = facts.account,
                       .region = facts.region,
                       .key = std::string(attribute.key),
                       .value = value,
                       .expected_id = attribute.key == "EventId" ? facts.event_id : ""});
  }
  return queries;
}

/// The server's own clock, where it shows one.
std::optional<ServerTimes> server_times(BenchRun& run) {
  const auto text = read_metrics(run.target);
  return text ? ServerTimes::read(*text, kServerTimes) : std::nullopt;
}

void add_server_times(Section& section, const std::optional<ServerTimes>& before,
                      const std::optional<ServerTimes>& after) {
  if (!after) {
    return;
  }
  // A server that was never asked shows none.
  const ServerTimes between = before ? after->since(*before) : *after;
  constexpr double kMicros = 1e6;
  for (const auto& [name, label, share] : {std::tuple{"serverP50Micros", "p50 at most", 0.5},
                                           {"serverP99Micros", "p99 at most", 0.99}}) {
    section.metrics.push_back({.name = name,
                               .label = "in the server",
                               .value = between.quantile(share) * kMicros,
                               .unit = "us",
                               .column = label});
  }
}

Result<void> look_up_each(BenchRun& run, Section& section,
                          std::span<const std::vector<LookupQuery>> queries) {
  std::uint64_t done_before = 0;
  double seconds = 0;
  const std::uint64_t total = run.options.lookups * kAttributes.size();
  for (std::size_t i = 0; i < kAttributes.size(); ++i) {
    const AttributeOfFacts& attribute = kAttributes[i];
    const auto on_calls = [&](std::size_t done) {
      run.on_progress("lookup", done_before + done, total);
    };
    const auto begin = steady_clock::now();
    OT_TRY(LookupOutcome outcome, send_lookups(run.target, run.clock, queries[i], on_calls));
    const double took = duration<double>(steady_clock::now() - begin).count();
    seconds += took;
    done_before += queries[i].size();
    section.lost += outcome.misses;
    section.add(fmt::format("{}PerSecond", attribute.prefix),
                fmt::format("{}, calls a second", attribute.key),
                static_cast<double>(queries[i].size()) / std::max(took, 1e-9), "/s");
    section.add_latency(attribute.prefix, attribute.key, summarise(outcome.times));
  }
  section.add("calls", "calls", static_cast<double>(done_before));
  section.add("callsPerSecond", "calls a second",
              static_cast<double>(done_before) / std::max(seconds, 1e-9), "/s");
  return {};
}

/// All of them in any order.
Result<void> look_up_at_once(BenchRun& run, Section& section,
                             std::span<const std::vector<LookupQuery>> queries) {
  std::vector<LookupQuery> mixed;
  for (const auto& of_attribute : queries) {
    mixed.insert(mixed.end(), of_attribute.begin(), of_attribute.end());
  }
  std::mt19937_64 random(run.options.seed);
  std::ranges::shuffle(mixed, random);
  LoadTarget target = run.target;
  target.connections = kBusyConnections;
  const auto on_calls = [&](std::size_t done) {
    run.on_progress("lookup, busy", done, mixed.size());
  };
  const auto begin = steady_clock::now();
  OT_TRY(LookupOutcome outcome, send_lookups(target, run.clock, mixed, on_calls));
  const double took = duration<double>(steady_clock::now() - begin).count();
  section.lost += outcome.misses;
  section.add("busyCallsPerSecond", fmt::format("calls a second, {} connections", kBusyConnections),
              static_cast<double>(mixed.size()) / std::max(took, 1e-9), "/s");
  section.add_latency("busy", fmt::format("any, {} connections", kBusyConnections),
                      summarise(outcome.times));
  return {};
}

}  // namespace

Result<Section> run_lookup(BenchRun& run) {
  Section section{.name = "lookup", .note = {}, .metrics = {}};
  if (run.sample.empty()) {
    section.note = "no record that LookupEvents shows was made";
    return section;
  }
  std::vector<std::vector<LookupQuery>> queries;
  queries.reserve(kAttributes.size());
  for (const AttributeOfFacts& attribute : kAttributes) {
    queries.push_back(make_queries(run, attribute));
  }
  const auto before = server_times(run);
  OT_TRY_DO(look_up_each(run, section, queries));
  add_server_times(section, before, server_times(run));
  OT_TRY_DO(look_up_at_once(run, section, queries));
  section.add("misses", "answers without what they had to hold", static_cast<double>(section.lost));
  return section;
}

}  // namespace opentrail::bench
