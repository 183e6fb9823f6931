#include "search/time_range.h"

#include "base/text.h"
#include "search/human_time.h"

#include <string>
#include <utility>

#include <fmt/format.h>

namespace opentrail::search {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Result<std::optional<Timestamp>> edge_of(std::string_view text, Timestamp now, SpanEdge edge) {
  if (trim(text).empty()) {
    return std::nullopt;
  }
  OT_TRY(const Timestamp time, parse_human_time(text, now, edge));
  return time;
}

/// The two sides of ".." or " to ", if it is there.
std::optional<std::pair<std::string_view, std::string_view>> sides_of(std::string_view text) {
  const std::string lower = to_lower(text);
  for (const std::string_view between : {"..", " to "}) {
    if (const auto at = lower.find(between); at != lower.npos) {
      return std::pair(text.substr(0, at), text.substr(at + between.size()));
    }
  }
  return std::nullopt;
}

/// "last 2 hours" and "past 2 hours" without their first word.
std::string_view without_last(std::string_view text) {
  for (const std::string_view word : {"last ", "past "}) {
    if (equals_ignore_case(text.substr(0, word.size()), word)) {
      return text.substr(word.size());
    }
  }
  return text;
}

}  // namespace

Result<TimeRange> parse_time_range(std::string_view from, std::string_view to, Timestamp now) {
  TimeRange range;
  OT_TRY(range.begin, edge_of(from, now, SpanEdge::Begin));
  OT_TRY(range.end, edge_of(to, now, SpanEdge::End));
  OT_TRY(const auto end_begins, edge_of(to, now, SpanEdge::Begin));
  if (end_begins != range.end) {
    *range.end += seconds(1) - milliseconds(1);  // of a day all of its last second
  }
  if (range.begin && range.end && *range.begin > *range.end) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("the start, {}, is after the end, {}", to_iso_seconds(*range.begin),
                            to_iso_seconds(*range.end)));
  }
  return range;
}

Result<TimeRange> parse_time_range(std::string_view text, Timestamp now) {
  text = trim(text);
  if (const auto sides = sides_of(text)) {
    return parse_time_range(sides->first, sides->second, now);
  }
  const std::string_view single = without_last(text);
  OT_TRY(auto range, parse_time_range(single, single, now));
  if (range.begin == range.end) {  // an instant, not a day
    range.end.reset();
  }
  return range;
}

}  // namespace opentrail::search
