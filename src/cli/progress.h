#pragma once
#include "cli/context.h"
#include "collect/aws_import.h"

#include <chrono>
#include <string>

namespace opentrail::cli {

/// "[######--------]  42%  3.1 of 7.4 MB  118,200 records  59,100/s": at most `columns` wide.
[[nodiscard]] std::string progress_bar(const collect::ImportProgress& progress,
                                       std::chrono::milliseconds elapsed, std::size_t columns);
/// "12.3 MB".
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);

/// Shows how an import goes, on stderr: a bar that is redrawn, on a terminal only. Elsewhere, and
/// when quiet, nothing: the summary at the end is enough for a log.
class ProgressShow {
 public:
  ProgressShow(const Context& context, bool quiet);

  void update(const collect::ImportProgress& progress);
  /// Takes the bar away, so that what follows stands on a clean line.
  void clear();

 private:
  const Context& context_;
  const bool shows_;
  std::chrono::steady_clock::time_point begin_;
  std::chrono::steady_clock::time_point shown_;
  bool drawn_ = false;
};

}  // namespace opentrail::cli
