#include "cli/progress.h"

#include <algorithm>
#include <array>
#include <ostream>

#include <fmt/format.h>

namespace opentrail::cli {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kRedrawInterval{100};
constexpr std::string_view kClearLine = "\r\x1b[K";
constexpr std::uint64_t kHundred = 100;

std::uint64_t percent_of(const collect::ImportProgress& progress) {
  if (progress.bytes_total == 0) {
    return progress.files_done >= progress.files_total ? kHundred : 0;
  }
  return std::min(kHundred, progress.bytes_done * kHundred / progress.bytes_total);
}

std::uint64_t records_per_second(const collect::ImportProgress& progress, milliseconds elapsed) {
  constexpr std::uint64_t kMillisPerSecond = 1000;
  const auto millis = static_cast<std::uint64_t>(std::max<std::int64_t>(1, elapsed.count()));
  return progress.records * kMillisPerSecond / millis;
}

std::string numbers(const collect::ImportProgress& progress, milliseconds elapsed) {
  return fmt::format("{:3}%  {} of {}  {} records  {}/s", percent_of(progress),
                     human_bytes(std::min(progress.bytes_done, progress.bytes_total)),
                     human_bytes(progress.bytes_total), with_commas(progress.records),
                     with_commas(records_per_second(progress, elapsed)));
}

}  // namespace

std::string human_bytes(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  constexpr double kStep = 1000.0;
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (amount >= kStep && unit + 1 < kUnits.size()) {
    amount /= kStep;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

std::string progress_bar(const collect::ImportProgress& progress, milliseconds elapsed,
                         std::size_t columns) {
  constexpr std::size_t kBarColumnsMin = 10;
  constexpr std::size_t kBarColumnsMax = 40;
  constexpr std::size_t kFrameColumns = 4;  // [ ] and two spaces
  const std::string text = numbers(progress, elapsed);
  if (columns < text.size() + kFrameColumns + kBarColumnsMin) {
    return text.substr(0, columns);
  }
  const std::size_t width = std::min(kBarColumnsMax, columns - text.size() - kFrameColumns);
  const std::size_t full = width * percent_of(progress) / kHundred;
  return "[" + std::string(full, '#') + std::string(width - full, '-') + "]  " + text;
}

ProgressShow::ProgressShow(const Context& context, bool quiet)
    : context_(context),
      shows_(context.err_is_terminal && !quiet),
      begin_(steady_clock::now()),
      shown_(begin_) {}

void ProgressShow::update(const collect::ImportProgress& progress) {
  if (!shows_) {
    return;
  }
  const auto now = steady_clock::now();
  if (now - shown_ < kRedrawInterval) {
    return;
  }
  shown_ = now;
  // One column less than there are: some terminals wrap when the last one is written.
  context_.err << kClearLine
               << progress_bar(progress, std::chrono::duration_cast<milliseconds>(now - begin_),
                               std::max<std::size_t>(2, context_.terminal_columns) - 1)
               << std::flush;
  drawn_ = true;
}

void ProgressShow::clear() {
  if (drawn_) {
    context_.err << kClearLine << std::flush;
    drawn_ = false;
  }
}

}  // namespace opentrail::cli
