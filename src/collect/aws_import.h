#pragma once
#include "base/error.h"
#include "collect/batch.h"
#include "collect/upload.h"
#include "io/clock.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// Brings CloudTrail files into a running server (docs/decisions/012-import.md).
namespace opentrail::collect {

enum class ProblemKind : std::uint8_t {
  Broken,       ///< A file (or the rest of one) that could not be read.
  Invalid,      ///< One record that is not a record.
  Conflicting,  ///< Another record of the same event id is there; it stays, this one was not
                ///< stored.
  Skipped,      ///< Not read, and not expected to hold records.
  Digest,       ///< A digest file: it holds no records.
};
/// "broken", "invalid", ...: stable, for scripts.
[[nodiscard]] std::string_view to_string(ProblemKind kind);

struct Problem {
  ProblemKind kind;
  std::string file;
  std::uint64_t line = 0;  ///< 0: the whole file.
  std::string record_id;   ///< Where one record is meant and has one.
  std::string what;
};
/// "file:line: what".
[[nodiscard]] std::string to_text(const Problem& problem);

struct ImportReport {
  std::uint64_t files = 0;          ///< Read, wholly or in part.
  std::uint64_t files_skipped = 0;  ///< Named in `problems` (Skipped).
  std::uint64_t files_broken = 0;
  std::uint64_t digests = 0;
  /// Everything that was found and told apart: the sum of the five below.
  std::uint64_t records = 0;
  std::uint64_t added = 0;  ///< New.
  std::uint64_t duplicate = 0;
  std::uint64_t conflicting = 0;
  std::uint64_t expired = 0;  ///< Older than the server keeps; not stored.
  std::uint64_t invalid = 0;
  std::string oldest_kept;  ///< As the server said it; empty when it was never asked.
  std::vector<Problem> problems;
  std::uint64_t problems_not_listed = 0;  ///< Beyond kProblemsMax.
  bool interrupted = false;               ///< Stopped by the user; the rest was not read.
  /// The account and Region that most of the records read are of, to look at them with; both empty
  /// when no record names both.
  std::string main_account;
  std::string main_region;

  /// Whether everything that should go in is in (duplicates and expired records are fine).
  [[nodiscard]] bool clean() const;
};
inline constexpr std::size_t kProblemsMax = 10'000;

struct ImportProgress {
  std::uint64_t bytes_done = 0;  ///< Of the files as they are on disk.
  std::uint64_t bytes_total = 0;
  std::uint64_t files_done = 0;
  std::uint64_t files_total = 0;
  std::uint64_t records = 0;  ///< Answered by the server.
};
using OnProgress = std::function<void(const ImportProgress&)>;

struct ImportOptions {
  Batch::Limits batch;
  const std::atomic<bool>* stop = nullptr;  ///< Looked at before each upload and read.
};

/// Reads every file under `paths` (see file_walk.h), unpacks gzip and zstd by their first bytes,
/// cuts records out and uploads them in batches, in bounded memory; each of `uploads`, at least
/// one, is used on a thread of its own while files are read. A broken file costs what is behind the
/// break, nothing else. Progress is told after each read, by the caller's thread. Errors: NotFound
/// for a path that does not exist; what an upload returns. The report is filled up to that point in
/// both cases.
Result<void> import_aws(const std::vector<std::string>& paths, const ImportOptions& options,
                        const io::Clock& clock, std::vector<Upload> uploads,
                        const OnProgress& progress, ImportReport& report);

}  // namespace opentrail::collect
