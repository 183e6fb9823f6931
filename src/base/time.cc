#include "base/time.h"

#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace opentrail {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};

struct Fields {
  int year;
  unsigned month, day, weekday;
  int hour, minute, second, millis;
};

Fields split(Timestamp time) {
  const auto day = floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<milliseconds> clock(time - day);
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          std::chrono::weekday(day).c_encoding(),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count()),
          static_cast<int>(clock.subseconds().count())};
}

/// Reads fixed-width digits and literals from the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  bool digits(std::size_t count, int& value) {
    if (text_.size() < count) {
      return false;
    }
    value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (text_[i] < '0' || text_[i] > '9') {
        return false;
      }
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(count);
    return true;
  }
  bool literal(char c) {
    if (text_.empty() || text_.front() != c) {
      return false;
    }
    text_.remove_prefix(1);
    return true;
  }
  bool name(const auto& names, int& index) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (text_.starts_with(names[i])) {
        index = static_cast<int>(i);
        text_.remove_prefix(names[i].size());
        return true;
      }
    }
    return false;
  }
  bool fraction_millis(int& millis) {
    int scale = 100;
    std::size_t count = 0;
    millis = 0;
    while (!text_.empty() && text_.front() >= '0' && text_.front() <= '9') {
      millis += (text_.front() - '0') * scale;
      scale /= 10;
      ++count;
      text_.remove_prefix(1);
    }
    return count > 0;
  }
  [[nodiscard]] bool done() const { return text_.empty(); }

 private:
  std::string_view text_;
};

std::optional<Timestamp> make(int year, int month, int day, int hour, int minute, int second,
                              int millis) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  // 60 is a leap second; it becomes the next second, as in POSIX time.
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  return Timestamp(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + seconds(second) + milliseconds(millis);
}

}  // namespace

std::string to_iso_seconds(Timestamp time) {
  const Fields f = split(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", f.year, f.month, f.day, f.hour,
                     f.minute, f.second);
}

std::string to_iso_millis(Timestamp time) {
  const Fields f = split(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", f.year, f.month, f.day, f.hour,
                     f.minute, f.second, f.millis);
}

std::string to_iso_basic(Timestamp time) {
  const Fields f = split(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", f.year, f.month, f.day, f.hour, f.minute,
                     f.second);
}

std::string to_iso_basic_minutes(Timestamp time) {
  const Fields f = split(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}Z", f.year, f.month, f.day, f.hour, f.minute);
}

std::string to_iso_basic_date(Timestamp time) {
  const Fields f = split(time);
  return fmt::format("{:04}{:02}{:02}", f.year, f.month, f.day);
}

std::string to_date_folders(Timestamp time) {
  const Fields f = split(time);
  return fmt::format("{:04}/{:02}/{:02}", f.year, f.month, f.day);
}

std::string to_http_date(Timestamp time) {
  const Fields f = split(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kWeekdays[f.weekday], f.day,
                     kMonths[f.month - 1], f.year, f.hour, f.minute, f.second);
}

std::string to_record_style(Timestamp time) {
  const Fields f = split(time);
  return fmt::format("{} {}, {}, {}:{:02}:{:02} {}", kMonths[f.month - 1], f.day, f.year,
                     f.hour % 12 == 0 ? 12 : f.hour % 12, f.minute, f.second,
                     f.hour < 12 ? "AM" : "PM");
}

std::string to_epoch_number(Timestamp time) {
  const std::int64_t millis = time.time_since_epoch().count();
  const auto whole = floor<seconds>(time).time_since_epoch().count();
  const auto rest = millis - whole * 1000;
  return rest == 0 ? fmt::format("{}", whole) : fmt::format("{}.{:03}", whole, rest);
}

std::optional<Timestamp> parse_iso(std::string_view text) {
  Scanner in(text);
  int year{}, month{}, day{}, hour{}, minute{}, second{}, millis{};
  if (!in.digits(4, year) || !in.literal('-') || !in.digits(2, month) || !in.literal('-') ||
      !in.digits(2, day) || !(in.literal('T') || in.literal(' ')) || !in.digits(2, hour) ||
      !in.literal(':') || !in.digits(2, minute)) {
    return std::nullopt;
  }
  if (in.literal(':') && !in.digits(2, second)) {
    return std::nullopt;
  }
  if (in.literal('.') && !in.fraction_millis(millis)) {
    return std::nullopt;
  }
  int sign = 0, zone_hours = 0, zone_minutes = 0;
  if (!in.literal('Z')) {
    sign = in.literal('+') ? 1 : in.literal('-') ? -1 : 0;
    if (sign != 0 &&
        (!in.digits(2, zone_hours) || (in.literal(':'), !in.digits(2, zone_minutes)))) {
      return std::nullopt;
    }
  }
  if (!in.done()) {
    return std::nullopt;
  }
  const auto local = make(year, month, day, hour, minute, second, millis);
  if (!local) {
    return std::nullopt;
  }
  return *local - sign * (std::chrono::hours(zone_hours) + std::chrono::minutes(zone_minutes));
}

std::optional<Timestamp> parse_iso_basic(std::string_view text) {
  Scanner in(text);
  int year{}, month{}, day{}, hour{}, minute{}, second{};
  if (!in.digits(4, year) || !in.digits(2, month) || !in.digits(2, day) || !in.literal('T') ||
      !in.digits(2, hour) || !in.digits(2, minute) || !in.digits(2, second) || !in.literal('Z') ||
      !in.done()) {
    return std::nullopt;
  }
  return make(year, month, day, hour, minute, second, 0);
}

std::optional<Timestamp> parse_http_date(std::string_view text) {
  Scanner in(text);
  int weekday{}, day{}, month{}, year{}, hour{}, minute{}, second{};
  if (!in.name(kWeekdays, weekday) || !in.literal(',') || !in.literal(' ') || !in.digits(2, day) ||
      !in.literal(' ') || !in.name(kMonths, month) || !in.literal(' ') || !in.digits(4, year) ||
      !in.literal(' ') || !in.digits(2, hour) || !in.literal(':') || !in.digits(2, minute) ||
      !in.literal(':') || !in.digits(2, second) || !in.literal(' ') || !in.literal('G') ||
      !in.literal('M') || !in.literal('T') || !in.done()) {
    return std::nullopt;
  }
  return make(year, month + 1, day, hour, minute, second, 0);
}

}  // namespace opentrail
