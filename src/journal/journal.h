#pragma once
#include "base/error.h"
#include "io/filesystem.h"
#include "record/record.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace opentrail::journal {

/// Position of a record: 0 for the first one ever appended, then without gaps.
enum class Offset : std::uint64_t {};
[[nodiscard]] constexpr std::uint64_t value(Offset offset) {
  return static_cast<std::uint64_t>(offset);
}
[[nodiscard]] constexpr Offset operator+(Offset offset, std::uint64_t n) {
  return Offset{value(offset) + n};
}

struct JournalOptions {
  std::string folder;
  std::uint64_t segment_bytes_max = 64 << 20;
  /// Waiting appends beyond this are refused (Throttled).
  std::size_t queue_bytes_max = 64 << 20;
  /// One block holds at most this many bytes of records before compression.
  std::size_t block_bytes_max = 1 << 20;
};

struct StoredRecord {
  Offset offset;
  record::Record record;
};

/// What open() had to do to a journal that was not closed cleanly.
struct RecoveryReport {
  std::uint64_t bytes_cut = 0;  ///< Torn bytes behind the last whole block; never acknowledged.
  std::string cut_file;
};

/// Durable ordered log of records: one folder of segment files, one writer thread with group commit
/// (docs/formats/journal.md, docs/decisions/003-journal-partition.md).
class Journal {
 public:
  /// Called on the journal's thread once the records are durable, with the offset of the first; or
  /// with the error. Must be quick and must not append and wait.
  using Done = std::function<void(Result<Offset>)>;

  /// Reads what is there. A torn tail is cut and reported; a bad block with whole blocks behind it
  /// is Corruption, naming file and bytes: the journal then refuses to open.
  static Result<std::unique_ptr<Journal>> open(io::Filesystem& files, JournalOptions options);
  virtual ~Journal() = default;

  /// Queues a batch (at least one record); the records get consecutive offsets in the order of the
  /// calls, at once. Returns the offset of the first. `done` is called later, exactly once, unless
  /// an error is returned here: Throttled (queue full; a batch larger than the whole queue is taken
  /// when nothing else waits), InvalidArgument (no record, or one too large for the format),
  /// Unavailable (the journal failed or stopped). After a failed write or fsync every append fails
  /// until the journal is opened again, and whether the records that were being written are kept
  /// is known only then.
  virtual Result<Offset> append(std::vector<record::Record> batch, Done done) = 0;
  /// The same, waiting for durability. Not on the journal's thread.
  Result<Offset> append_and_wait(std::vector<record::Record> batch);

  /// Why every append is refused: set by the first failed write or fsync and never taken back.
  /// Absent while the journal works; a stop is no failure. For callers that must not act on what
  /// they could not record.
  [[nodiscard]] virtual std::optional<Error> failure() const = 0;

  /// One past the last offset handed out.
  [[nodiscard]] virtual Offset end() const = 0;
  /// One past the last durable offset (the high watermark).
  [[nodiscard]] virtual Offset durable_end() const = 0;
  /// The first offset still kept.
  [[nodiscard]] virtual Offset begin() const = 0;
  /// Waits until `durable_end() >= offset`; Timeout, or Unavailable when the journal failed or
  /// stopped before.
  virtual Result<void> wait_durable(Offset offset, std::chrono::milliseconds timeout) = 0;

  /// Durable records from `from` on, at most about `bytes_max` (at least one when there is one).
  /// None when `from` is at or past durable_end(). NotFound when it is before begin(). Corruption,
  /// naming file and byte, when the first of them cannot be read. Any thread.
  virtual Result<std::vector<StoredRecord>> read(Offset from, std::size_t bytes_max) = 0;
  /// Calls `listener`, beside those set before, on the journal's thread after each commit. Set
  /// before the first append; must be quick.
  virtual void on_commit(std::function<void(Offset durable_end)> listener) = 0;

  /// Drops whole segments that end at or before `offset`; the last segment stays. An error leaves
  /// the journal whole, and the next call goes on. Any thread.
  virtual Result<void> drop_before(Offset offset) = 0;
  [[nodiscard]] virtual const RecoveryReport& recovery() const = 0;
  /// Refuses new appends, writes what waits, joins. Idempotent.
  virtual void stop() = 0;
};

}  // namespace opentrail::journal
