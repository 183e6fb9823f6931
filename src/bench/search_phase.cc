#include "bench/search_phase.h"

#include "base/json.h"
#include "base/json_writer.h"
#include "bench/phases.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace opentrail::bench {

namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

constexpr std::int64_t kPageSize = 50;

std::string search_body(std::string_view expression, bool with_page) {
  JsonWriter writer;
  writer.begin_object().field("Query", expression);
  for (const std::string_view everywhere : {"Accounts", "Regions"}) {
    writer.key(everywhere).begin_array().string("*").end_array();
  }
  if (with_page) {
    writer.key("MaxResults").number(kPageSize);
  }
  writer.end_object();
  return std::move(writer).text();
}

/// Quoted as docs/search.md has it, which is as JSON has it.
std::string quoted(std::string_view value) {
  std::string text;
  append_json_string(text, value);
  return text;
}

std::vector<SearchCall> three_filters(const BenchRun& run) {
  std::vector<SearchCall> calls;
  Draws draws(run.options.seed ^ std::hash<std::string_view>()("three filters"));
  constexpr std::uint64_t kTries = 20;
  for (std::uint64_t i = 0; i < run.options.lookups * kTries && calls.size() < run.options.lookups;
       ++i) {
    const RecordFacts& facts = run.sample[below(run.sample.size(), draws.next())];
    if (facts.username.empty() || facts.read_only.empty()) {
      continue;
    }
    calls.push_back({.operation = "search",
                     .body = search_body(fmt::format("user = {} and source = {} and readOnly = {}",
                                                     quoted(facts.username),
                                                     quoted(facts.event_source), facts.read_only),
                                         true),
                     .expected = R"("EventId":")"});
  }
  return calls;
}

/// Seconds of the median of three.
Result<double> time_text_scan(BenchRun& run, Section& section) {
  constexpr int kRuns = 3;
  std::vector<double> seconds;
  for (int i = 0; i < kRuns; ++i) {
    // Every record counts, whatever its category; the text is another one each time, because the
    // search itself is on the record.
    const std::string text = fmt::format("no-record-has-{}", i);
    const SearchCall call{
        .operation = "count",
        .body =
            search_body(fmt::format("requestParameters ~= {} and category exists", text), false),
        .expected = R"("Total":0)"};
    const auto begin = steady_clock::now();
    OT_TRY(const LookupOutcome outcome,
           send_searches(run.target, run.clock, std::span(&call, 1), nullptr));
    seconds.push_back(duration<double>(steady_clock::now() - begin).count());
    section.lost += outcome.misses;
  }
  std::ranges::sort(seconds);
  return seconds[kRuns / 2];
}

}  // namespace

Result<Section> run_search(BenchRun& run) {
  Section section{.name = "search", .note = {}, .metrics = {}};
  if (run.sample.empty()) {
    section.note = "no record that LookupEvents shows was made";
    return section;
  }
  const std::vector<SearchCall> calls = three_filters(run);
  const auto on_calls = [&](std::size_t done) { run.on_progress("search", done, calls.size()); };
  OT_TRY(LookupOutcome outcome, send_searches(run.target, run.clock, calls, on_calls));
  section.lost += outcome.misses;
  section.add("calls", "searches of three filters", static_cast<double>(calls.size()));
  section.add_latency("threeFilters", "three filters", summarise(outcome.times));
  OT_TRY(const double seconds, time_text_scan(run, section));
  section.add("textScanSeconds", "a text in all request parameters", seconds, "s");
  if (run.raw_bytes > 0) {
    constexpr double kGiga = 1e9;
    section.add("textScanGigabytesPerSecond", "JSON a second",
                static_cast<double>(run.raw_bytes) / kGiga / seconds, "GB/s");
  }
  section.add("misses", "answers without what they had to hold", static_cast<double>(section.lost));
  return section;
}

}  // namespace opentrail::bench
