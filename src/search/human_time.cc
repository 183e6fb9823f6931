#include "search/human_time.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace opentrail::search {

namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr seconds kDay = days(1);

Timestamp edge_of_day(Timestamp time, SpanEdge edge) {
  const Timestamp midnight = std::chrono::floor<days>(time);
  return edge == SpanEdge::Begin ? midnight : midnight + kDay - seconds(1);
}

std::optional<seconds> unit_of(std::string_view word) {
  struct Unit {
    std::string_view name;
    seconds length;
  };
  static constexpr std::array<Unit, 17> kUnits = {{{"s", seconds(1)},
                                                   {"sec", seconds(1)},
                                                   {"second", seconds(1)},
                                                   {"seconds", seconds(1)},
                                                   {"m", std::chrono::minutes(1)},
                                                   {"min", std::chrono::minutes(1)},
                                                   {"minute", std::chrono::minutes(1)},
                                                   {"minutes", std::chrono::minutes(1)},
                                                   {"h", std::chrono::hours(1)},
                                                   {"hour", std::chrono::hours(1)},
                                                   {"hours", std::chrono::hours(1)},
                                                   {"d", kDay},
                                                   {"day", kDay},
                                                   {"days", kDay},
                                                   {"w", std::chrono::weeks(1)},
                                                   {"week", std::chrono::weeks(1)},
                                                   {"weeks", std::chrono::weeks(1)}}};
  const auto* unit = std::ranges::find(kUnits, word, &Unit::name);
  return unit == kUnits.end() ? std::nullopt : std::optional(unit->length);
}

/// "2 hours ago", "2h ago", "2h", "-2h", "an hour ago": how long before now.
std::optional<seconds> parse_ago(const std::string& text) {
  constexpr std::string_view kAgo = " ago";
  constexpr std::int64_t kCountMax = 1'000'000;
  std::string_view rest = text;
  if (rest.ends_with(kAgo)) {
    rest.remove_suffix(kAgo.size());
  } else if (rest.starts_with('-')) {
    rest.remove_prefix(1);
  }
  for (const std::string_view one : {"an ", "a "}) {
    if (rest.starts_with(one)) {
      return unit_of(trim(rest.substr(one.size())));
    }
  }
  const auto digits_end = rest.find_first_not_of("0123456789");
  if (digits_end == 0 || digits_end == std::string_view::npos) {
    return std::nullopt;
  }
  const auto count = parse_int(rest.substr(0, digits_end));
  const auto unit = unit_of(trim(rest.substr(digits_end)));
  if (!count || !unit || *count > kCountMax) {
    return std::nullopt;
  }
  return *unit * *count;
}

bool is_date(std::string_view text) {
  constexpr std::size_t kDateLength = 10;
  return text.size() == kDateLength && text[4] == '-' && text[7] == '-';
}

}  // namespace

Result<Timestamp> parse_human_time(std::string_view text, Timestamp now, SpanEdge edge) {
  const std::string word = to_lower(trim(text));
  if (word == "now") {
    return now;
  }
  if (word == "today") {
    return edge_of_day(now, edge);
  }
  if (word == "yesterday") {
    return edge_of_day(now - kDay, edge);
  }
  if (is_date(word)) {
    if (const auto midnight = parse_iso(word + "T00:00:00Z")) {
      return edge_of_day(*midnight, edge);
    }
  }
  if (const auto time = parse_iso(trim(text))) {
    return *time;
  }
  constexpr std::size_t kEpochDigitsMin = 9;
  constexpr std::size_t kEpochDigitsMax = 11;
  if (is_digits(word) && word.size() >= kEpochDigitsMin && word.size() <= kEpochDigitsMax) {
    return Timestamp(seconds(parse_int(word).value_or(0)));
  }
  if (const auto ago = parse_ago(word)) {
    return now - *ago;
  }
  return fail(ErrorCode::InvalidArgument,
              fmt::format("'{}' is not a time: say '2 hours ago', 'yesterday', 2026-11-24 or "
                          "2026-11-24T08:46:13Z (UTC)",
                          to_valid_utf8(text)));
}

}  // namespace opentrail::search
