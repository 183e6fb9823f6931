#include "cli/count_printer.h"

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/csv.h"
#include "cli/table.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace opentrail::cli {

namespace {

using Bucket = LookupCounts::Bucket;
using Group = LookupCounts::Group;
using std::chrono::seconds;

constexpr std::size_t kRowsMax = 10'000;   // of a table by time, empty buckets with the others
constexpr std::size_t kPipeColumns = 100;  // a table with bars, where no terminal says how wide
constexpr std::size_t kSparkColumns = 40;

Result<std::uint64_t> number_of(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(name);
  if (member == nullptr || !member->is_int64() || member->get_int64() < 0) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} is missing in the answer of CountEvents", name));
  }
  return static_cast<std::uint64_t>(member->get_int64());
}

Result<std::vector<Bucket>> buckets_of(const json::object& object) {
  constexpr double kSecondsMax = 253'402'300'799.0;  // the year 9999
  std::vector<Bucket> buckets;
  const json::value* list = object.if_contains("Buckets");
  if (list == nullptr || !list->is_array()) {
    return buckets;
  }
  for (const json::value& item : list->get_array()) {
    const json::object* one = item.if_object();
    const json::value* start = one == nullptr ? nullptr : one->if_contains("StartTime");
    if (start == nullptr || !start->is_number() ||
        !(std::abs(start->to_number<double>()) <= kSecondsMax)) {
      return fail(ErrorCode::InvalidArgument, "a bucket of the answer has no StartTime");
    }
    Bucket bucket;
    bucket.start = Timestamp(seconds(std::llround(start->to_number<double>())));
    OT_TRY(bucket.count, number_of(*one, "Count"));
    buckets.push_back(bucket);
  }
  std::ranges::sort(buckets, {}, &Bucket::start);
  return buckets;
}

/// How many buckets there are from the first to the last, empty ones too.
std::size_t slots_between(Timestamp first, Timestamp last, seconds width) {
  return static_cast<std::size_t>((last - first) / width) + 1;
}

/// "████▌": `count` of `most` in `columns`.
std::string bar(std::uint64_t count, std::uint64_t most, std::size_t columns) {
  static constexpr std::array<std::string_view, 8> kParts = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (most == 0) {
    return {};
  }
  const double share = static_cast<double>(count) / static_cast<double>(most);
  auto eighths = static_cast<std::size_t>(std::llround(share * static_cast<double>(columns) * 8));
  eighths = count > 0 ? std::max<std::size_t>(eighths, 1) : 0;
  std::string text;
  for (std::size_t i = 0; i < eighths / 8; ++i) {
    text += "█";
  }
  return text + std::string(kParts.at(eighths % 8));
}

/// "▁▃█ ▂": the buckets of one group from the first to the last of all.
std::string spark(const Group& group, const LookupCounts& all) {
  static constexpr std::array<std::string_view, 9> kLevels = {" ", "▁", "▂", "▃", "▄",
                                                              "▅", "▆", "▇", "█"};
  const Timestamp first = all.buckets.front().start;
  const std::size_t slots = slots_between(first, all.buckets.back().start, all.bucket);
  std::vector<std::uint64_t> columns(std::min(slots, kSparkColumns), 0);
  for (const Bucket& bucket : group.buckets) {
    const std::size_t slot = slots_between(first, bucket.start, all.bucket) - 1;
    columns.at(std::min(slot * columns.size() / slots, columns.size() - 1)) += bucket.count;
  }
  const std::uint64_t most = std::ranges::max(columns);
  std::string text;
  for (const std::uint64_t count : columns) {
    const auto level = count == 0 ? 0 : 1 + count * 7 / std::max<std::uint64_t>(most, 1);
    text += kLevels.at(std::min<std::size_t>(level, 8));
  }
  return text;
}

/// "2026-11-24 08:00", or to the second where buckets are so narrow.
std::string bucket_name(Timestamp start, seconds width) {
  std::string text = to_iso_seconds(start);
  constexpr std::size_t kDateEnd = 10;
  constexpr std::size_t kMinuteEnd = 16;
  constexpr std::size_t kSecondEnd = 19;
  text[kDateEnd] = ' ';
  if (width % std::chrono::days(1) == seconds(0)) {
    return text.substr(0, kDateEnd);
  }
  return text.substr(0, width % std::chrono::minutes(1) == seconds(0) ? kMinuteEnd : kSecondEnd);
}

class TableOfCounts {
 public:
  TableOfCounts(const LookupCounts& counts, std::string_view field, const Context& context)
      : counts_(counts),
        field_(one_line(field)),
        columns_(context.out_is_terminal ? context.terminal_columns : kPipeColumns),
        style_{.columns_max = context.out_is_terminal ? context.terminal_columns : 0,
               .colour = context.out_has_colour()} {}

  std::string text() {
    if (!counts_.by_field && counts_.bucket == seconds(0)) {
      return fmt::format("{}\n", counts_.total);
    }
    std::string text;
    if (counts_.by_field) {
      text += groups();
    }
    if (counts_.bucket > seconds(0)) {
      text += (text.empty() ? "" : "\n") + histogram();
    }
    return text;
  }

 private:
  /// Columns that are left for bars beside texts and counts of these widths.
  std::size_t room(std::size_t name, std::size_t count) const {
    constexpr std::size_t kGaps = 4;
    constexpr std::size_t kBarMin = 10;
    const std::size_t used = name + count + kGaps;
    return columns_ > used + kBarMin ? columns_ - used : kBarMin;
  }

  std::string groups() {
    std::size_t widest = column_count(field_);
    for (const Group& group : counts_.groups) {
      widest = std::max(widest, column_count(one_line(group.value)));
    }
    const std::uint64_t most = counts_.groups.empty() ? 0 : counts_.groups.front().count;
    const std::size_t digits = std::max<std::size_t>(with_commas(most).size(), 5);
    const bool sparks = counts_.bucket > seconds(0) && !counts_.buckets.empty();
    const std::size_t bars = room(std::min(widest, columns_ / 2), digits);
    std::vector<Table::Row> rows;
    rows.reserve(counts_.groups.size());
    for (const Group& group : counts_.groups) {
      rows.push_back({{.text = one_line(group.value)},
                      {.text = fmt::format("{:>{}}", with_commas(group.count), digits)},
                      {.text = sparks ? spark(group, counts_) : bar(group.count, most, bars)}});
    }
    constexpr std::size_t kBarMin = 4;
    Table table({{.title = field_, .columns_min = 12},
                 {.title = fmt::format("{:>{}}", "COUNT", digits), .columns_min = digits},
                 {.title = "", .columns_min = kBarMin}},
                style_);
    return table.render(rows);
  }

  std::string histogram() {
    std::uint64_t most = 0;
    for (const Bucket& bucket : counts_.buckets) {
      most = std::max(most, bucket.count);
    }
    constexpr std::size_t kTimeColumns = 19;
    const std::size_t digits = std::max<std::size_t>(with_commas(most).size(), 5);
    std::vector<Table::Row> rows;
    const auto add = [&](Timestamp start, std::uint64_t count) {
      rows.push_back({{.text = bucket_name(start, counts_.bucket)},
                      {.text = fmt::format("{:>{}}", with_commas(count), digits)},
                      {.text = bar(count, most, room(kTimeColumns, digits))}});
    };
    const bool fills = !counts_.buckets.empty() &&
                       slots_between(counts_.buckets.front().start, counts_.buckets.back().start,
                                     counts_.bucket) <= kRowsMax;
    for (std::size_t i = 0; i < counts_.buckets.size(); ++i) {
      const Bucket& bucket = counts_.buckets[i];
      if (fills && i > 0) {
        for (Timestamp at = counts_.buckets[i - 1].start + counts_.bucket; at < bucket.start;
             at += counts_.bucket) {
          add(at, 0);
        }
      }
      add(bucket.start, bucket.count);
    }
    Table table({{.title = "TIME (UTC)", .columns_min = kTimeColumns},
                 {.title = fmt::format("{:>{}}", "COUNT", digits), .columns_min = digits},
                 {.title = "", .columns_min = 4}},
                style_);
    return table.render(rows);
  }

  const LookupCounts& counts_;
  std::string field_;
  std::size_t columns_;
  TableStyle style_;
};

/// The counts as lines of texts, and what the columns are called.
struct Lines {
  std::vector<std::string> titles;
  std::vector<std::vector<std::string>> rows;
};

Lines to_lines(const LookupCounts& counts, std::string_view field) {
  const bool by_time = counts.bucket > seconds(0);
  Lines lines;
  if (counts.by_field) {
    lines.titles.emplace_back(field);
  }
  if (by_time) {
    lines.titles.emplace_back("Time");
  }
  lines.titles.emplace_back("Count");
  const auto add_buckets = [&](const std::vector<Bucket>& buckets, const std::string* value) {
    for (const Bucket& bucket : buckets) {
      std::vector<std::string>& row = lines.rows.emplace_back();
      if (value != nullptr) {
        row.push_back(*value);
      }
      row.push_back(to_iso_seconds(bucket.start));
      row.push_back(fmt::to_string(bucket.count));
    }
  };
  if (!counts.by_field && !by_time) {
    lines.rows.push_back({fmt::to_string(counts.total)});
  } else if (!counts.by_field) {
    add_buckets(counts.buckets, nullptr);
  }
  for (const Group& group : counts.groups) {
    if (by_time) {
      add_buckets(group.buckets, &group.value);
    } else {
      lines.rows.push_back({group.value, fmt::to_string(group.count)});
    }
  }
  return lines;
}

std::string to_tabs(const Lines& lines) {
  std::string text;
  for (const auto& row : lines.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += (i == 0 ? "" : "\t") + one_line(row[i]);
    }
    text += '\n';
  }
  return text;
}

std::string to_csv(const Lines& lines, CsvFor whom) {
  std::string text = csv_line(lines.titles, whom);
  for (const auto& row : lines.rows) {
    text += csv_line(row, whom);
  }
  return text;
}

std::string to_ndjson(const Lines& lines) {
  std::string text;
  for (const auto& row : lines.rows) {
    JsonWriter writer;
    writer.begin_object();
    for (std::size_t i = 0; i < row.size(); ++i) {
      writer.key(lines.titles[i]);
      // The last one is the number.
      static_cast<void>(i + 1 == row.size() ? writer.raw(row[i]) : writer.string(row[i]));
    }
    text += std::move(writer.end_object()).text() + "\n";
  }
  return text;
}

void write_buckets(JsonWriter& writer, const std::vector<Bucket>& buckets) {
  writer.key("Buckets").begin_array();
  for (const Bucket& bucket : buckets) {
    writer.begin_object().field("StartTime", to_iso_seconds(bucket.start));
    writer.key("Count").number(static_cast<std::int64_t>(bucket.count)).end_object();
  }
  writer.end_array();
}

std::string to_json(const LookupCounts& counts) {
  const bool by_time = counts.bucket > seconds(0);
  JsonWriter writer;
  writer.begin_object().key("Total").number(static_cast<std::int64_t>(counts.total));
  if (by_time) {
    writer.key("BucketSeconds").number(counts.bucket.count());
    write_buckets(writer, counts.buckets);
  }
  if (counts.by_field) {
    writer.key("Values").number(static_cast<std::int64_t>(counts.values));
    writer.key("Groups").begin_array();
    for (const Group& group : counts.groups) {
      writer.begin_object().field("Value", group.value);
      writer.key("Count").number(static_cast<std::int64_t>(group.count));
      if (by_time) {
        write_buckets(writer, group.buckets);
      }
      writer.end_object();
    }
    writer.end_array();
  }
  return std::move(writer.end_object()).text() + "\n";
}

}  // namespace

Result<LookupCounts> parse_lookup_counts(const json::value& answer) {
  const json::object* object = answer.if_object();
  if (object == nullptr) {
    return fail(ErrorCode::InvalidArgument, "the answer of CountEvents is not an object");
  }
  LookupCounts counts;
  OT_TRY(counts.total, number_of(*object, "Total"));
  if (object->contains("BucketSeconds")) {
    OT_TRY(const std::uint64_t width, number_of(*object, "BucketSeconds"));
    if (width == 0) {
      return fail(ErrorCode::InvalidArgument, "a bucket of the answer has no width");
    }
    counts.bucket = seconds(width);
    OT_TRY(counts.buckets, buckets_of(*object));
  }
  const json::value* groups = object->if_contains("Groups");
  counts.by_field = groups != nullptr && groups->is_array();
  if (!counts.by_field) {
    return counts;
  }
  OT_TRY(counts.values, number_of(*object, "Values"));
  for (const json::value& item : groups->get_array()) {
    const json::object* one = item.if_object();
    if (one == nullptr) {
      return fail(ErrorCode::InvalidArgument, "a group of the answer is not an object");
    }
    Group group;
    group.value = string_member(*one, "Value");
    OT_TRY(group.count, number_of(*one, "Count"));
    OT_TRY(group.buckets, buckets_of(*one));
    counts.groups.push_back(std::move(group));
  }
  return counts;
}

std::string render_counts(const LookupCounts& counts, std::string_view field,
                          std::string_view format, const Context& context) {
  if (format == "text") {
    return to_tabs(to_lines(counts, field));
  }
  if (format == "json" || format == "ndjson") {
    std::string text = format == "json" ? to_json(counts) : to_ndjson(to_lines(counts, field));
    return context.out_is_terminal ? terminal_json(text) : text;
  }
  if (format == "csv") {
    return to_csv(to_lines(counts, field),
                  context.out_is_terminal ? CsvFor::Terminal : CsvFor::File);
  }
  OT_CHECK(format == "table");
  return TableOfCounts(counts, field, context).text();
}

}  // namespace opentrail::cli
