#include "bench/report.h"

#include "base/json_writer.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace opentrail::bench {

namespace {

std::string with_commas(std::string digits) {
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string number_text(double value) {
  constexpr double kNoFraction = 1000.0;
  if (value == std::floor(value) || value >= kNoFraction) {
    const std::string digits = fmt::format("{:.0f}", std::abs(value));
    return (value < 0 ? "-" : "") + with_commas(digits);
  }
  constexpr double kTens = 10.0;
  constexpr double kHundreds = 100.0;
  const int decimals = value >= kHundreds ? 1 : value >= kTens ? 2 : 3;
  return fmt::format("{:.{}f}", value, decimals);
}

constexpr int kLabelColumns = 36;

/// One metric, or several of one label beside each other; gives the place behind them.
std::size_t append_line(std::string& out, const std::vector<Metric>& metrics, std::size_t at) {
  const Metric& first = metrics[at];
  if (first.column.empty()) {
    constexpr int kNumberColumns = 16;
    out += fmt::format("  {:<{}}{:>{}} {}", first.label, kLabelColumns, number_text(first.value),
                       kNumberColumns, first.unit);
    ++at;
  } else {
    out += fmt::format("  {:<{}}", first.label, kLabelColumns);
    for (; at < metrics.size() && metrics[at].label == first.label; ++at) {
      out += fmt::format("  {} {:>9}", metrics[at].column, number_text(metrics[at].value));
    }
    out += " " + first.unit;
  }
  while (out.ends_with(' ')) {
    out.pop_back();
  }
  out += '\n';
  return at;
}

void append_section(std::string& out, const Section& section) {
  out += "\n" + section.name + "\n";
  if (!section.note.empty()) {
    out += "  " + section.note + "\n";
  }
  for (std::size_t at = 0; at < section.metrics.size();) {
    at = append_line(out, section.metrics, at);
  }
  if (section.lost > 0) {
    out += fmt::format("  LOST: {}\n", section.lost);
  }
}

void write_number(JsonWriter& writer, double value) {
  if (!std::isfinite(value)) {
    writer.null();
  } else if (value == std::floor(value)) {
    writer.raw(fmt::format("{:.0f}", value));
  } else {
    writer.raw(fmt::format("{:.6g}", value));
  }
}

void write_sections(JsonWriter& writer, std::string_view name,
                    const std::vector<Section>& sections) {
  writer.key(name).begin_object();
  for (const Section& section : sections) {
    writer.key(section.name).begin_object();
    writer.optional_field("note", section.note);
    for (const Metric& metric : section.metrics) {
      writer.key(metric.name);
      write_number(writer, metric.value);
    }
    writer.key("lost").number(static_cast<std::int64_t>(section.lost));
    writer.end_object();
  }
  writer.end_object();
}

}  // namespace

void Section::add_latency(std::string_view prefix, std::string_view title,
                          const LatencySummary& latency) {
  const auto add_one = [&](std::string_view which, std::string_view column,
                           std::chrono::nanoseconds time) {
    constexpr double kNanosPerMicro = 1000.0;
    add(fmt::format("{}{}Micros", prefix, which), title,
        static_cast<double>(time.count()) / kNanosPerMicro, "us");
    metrics.back().column = column;
  };
  add_one("P50", "p50", latency.p50);
  add_one("P90", "p90", latency.p90);
  add_one("P99", "p99", latency.p99);
  add_one("Max", "max", latency.max);
}

double Section::value_of(std::string_view metric) const {
  const auto found = std::ranges::find(metrics, metric, &Metric::name);
  return found == metrics.end() ? 0 : found->value;
}

std::uint64_t Report::lost() const {
  std::uint64_t sum = 0;
  for (const Section& phase : phases) {
    sum += phase.lost;
  }
  return sum;
}

std::string to_table(const Report& report) {
  std::string out = fmt::format(
      "{} records, {} bytes of JSON, made of {} templates with seed {}\nserver: {}\n",
      with_commas(std::to_string(report.records)), with_commas(std::to_string(report.bytes)),
      report.templates, report.seed, report.target);
  for (const Section& phase : report.phases) {
    append_section(out, phase);
  }
  for (const Section& baseline : report.baselines) {
    Section shown = baseline;
    shown.name = "baseline " + baseline.name;
    append_section(out, shown);
  }
  out += report.lost() == 0 ? "\nNothing was lost.\n"
                            : fmt::format("\n{} records or answers were LOST.\n", report.lost());
  return out;
}

std::string to_json(const Report& report) {
  JsonWriter writer;
  writer.begin_object();
  writer.key("seed").raw(std::to_string(report.seed));
  writer.key("records").raw(std::to_string(report.records));
  writer.key("bytes").raw(std::to_string(report.bytes));
  writer.key("templates").raw(std::to_string(report.templates));
  writer.field("server", report.target);
  writer.key("lost").raw(std::to_string(report.lost()));
  write_sections(writer, "phases", report.phases);
  write_sections(writer, "baselines", report.baselines);
  writer.end_object();
  return std::move(writer).text();
}

}  // namespace opentrail::bench
