#pragma once
#include "base/error.h"
#include "base/time.h"

#include <optional>
#include <string_view>

/// The span of time that a search looks at.
namespace opentrail::search {

/// Both ends belong to it; an absent end is open.
struct TimeRange {
  std::optional<Timestamp> begin;
  std::optional<Timestamp> end;
  [[nodiscard]] bool contains(Timestamp time) const {
    return (!begin || *begin <= time) && (!end || time <= *end);
  }
  bool operator==(const TimeRange&) const = default;
};

/// From two times as parse_human_time() reads them, either of them empty for an open end; a day is
/// meant whole, up to its last millisecond. Errors: InvalidArgument, also when `from` is later.
[[nodiscard]] Result<TimeRange> parse_time_range(std::string_view from, std::string_view to,
                                                 Timestamp now);

/// From one text:
///   yesterday · today · 2026-11-24      that day
///   last 2 hours · 2h · 2 hours ago · 2026-11-24T08:46:13Z      from then on
///   2026-11-24 .. 2026-11-26 · 3 days ago .. · .. yesterday      from, to; "to" for ".." will do
///   nothing but blanks      all time
/// Errors: InvalidArgument.
[[nodiscard]] Result<TimeRange> parse_time_range(std::string_view text, Timestamp now);

}  // namespace opentrail::search
