#include "bench/server_times.h"

#include "base/text.h"

#include <charconv>
#include <limits>
#include <string>

#include <fmt/format.h>

namespace opentrail::bench {
namespace {

std::optional<double> parse_number(std::string_view text) {
  if (text == "+Inf") {
    return std::numeric_limits<double>::infinity();
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number)
                                                                  : std::nullopt;
}

}  // namespace

std::optional<ServerTimes> ServerTimes::read(std::string_view text, std::string_view name) {
  const std::string prefix = fmt::format("{}_bucket{{le=\"", name);
  constexpr std::string_view kBehindBound = "\"} ";
  ServerTimes times;
  for (std::string_view line : split(text, '\n')) {
    if (!line.starts_with(prefix)) {
      continue;
    }
    line.remove_prefix(prefix.size());
    const std::size_t at = line.find(kBehindBound);
    if (at == std::string_view::npos) {
      continue;
    }
    const auto bound = parse_number(line.substr(0, at));
    const auto count = parse_number(trim(line.substr(at + kBehindBound.size())));
    if (bound && count && *count >= 0) {
      times.up_to_[*bound] = static_cast<std::uint64_t>(*count);
    }
  }
  return times.up_to_.empty() ? std::nullopt : std::optional(std::move(times));
}

ServerTimes ServerTimes::since(const ServerTimes& before) const {
  ServerTimes between = *this;
  for (auto& [bound, count] : between.up_to_) {
    const auto was = before.up_to_.find(bound);
    count -= was == before.up_to_.end() ? 0 : was->second;
  }
  return between;
}

double ServerTimes::quantile(double share) const {
  const std::uint64_t all = up_to_.empty() ? 0 : up_to_.rbegin()->second;
  for (const auto& [bound, count] : up_to_) {
    if (all > 0 && static_cast<double>(count) >= share * static_cast<double>(all)) {
      return bound;
    }
  }
  return 0;
}

}  // namespace opentrail::bench
