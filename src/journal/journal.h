#pragma once
#include "base/error.h"
#include "io/filesystem.h"
#include "journal/record_block.h"
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
  /// A segment is closed with the commit that makes it as long as this.
  std::uint64_t segment_bytes_max = 64 << 20;
  /// Waiting appends beyond this are refused (Throttled).
  std::size_t queue_bytes_max = 64 << 20;
  /// One block holds at most this many bytes of records before compression, or a single record.
  /// Small, because whoever wants one record decompresses a block.
  std::size_t block_bytes_max = 8 << 10;
  /// Of the records committed last as many are kept in memory, for those who follow.
  std::size_t recent_bytes_max = 32 << 20;
  /// A dictionary is trained once so many bytes were appended to a journal without one; 0: never.
  std::size_t dictionary_sample_bytes = 4 << 20;
  /// For a journal that has none yet; null: it trains one.
  std::shared_ptr<const Dictionary> dictionary = nullptr;
  /// How long append_soon() may wait for more to be committed together.
  std::chrono::milliseconds soon_delay{5};
  /// While the disk is full, how long until it is tried again without an append.
  std::chrono::milliseconds retry_interval{1000};
};

struct StoredRecord {
  Offset offset;
  record::Record record;
};

/// A block as it stands on disk, its checksum checked. One file of such payloads and their
/// dictionary is all that another reader needs.
struct RawBlock {
  Offset first{0};
  std::uint32_t record_count = 0;
  BlockCodec codec = BlockCodec::Stored;
  std::uint32_t plain_bytes = 0;
  std::uint32_t payload_crc = 0;  ///< CRC-32C.
  std::string payload;
  std::shared_ptr<const Dictionary> dictionary;  ///< Null unless `codec` needs one.
  /// False when the payload is of an older version, which decode_block() does not read.
  bool copyable = true;

  [[nodiscard]] Offset end() const { return first + record_count; }
  /// Errors: Corruption.
  [[nodiscard]] Result<DecodedBlock> decode() const;
};

/// Records that follow each other.
struct RecordRun {
  Offset first{0};
  std::shared_ptr<const std::vector<record::Record>> records;  ///< At least one.

  [[nodiscard]] Offset end() const { return first + records->size(); }
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
  /// Unavailable (the journal failed or stopped).
  ///
  /// When the disk is full or no file can be opened, all that is not durable yet is taken back:
  /// every batch that waits is answered with ResourceExhausted, none of its records is kept, and
  /// its offsets are given to later ones, so that end() goes back to durable_end(). Later appends
  /// try again. After any other failed write and after a failed fsync every append fails until the
  /// journal is opened again, and whether the records that were being written are kept is known
  /// only then.
  virtual Result<Offset> append(std::vector<record::Record> batch, Done done) = 0;
  /// The same for records that nobody is waiting for: the commit may come `soon_delay` later, so
  /// that many share one. It comes at once when something is appended by append(), somebody asks
  /// wait_durable(), or much waits. This one appends as ever.
  virtual Result<Offset> append_soon(std::vector<record::Record> batch, Done done) {
    return append(std::move(batch), std::move(done));
  }
  /// append(), waiting for durability. Not on the journal's thread.
  Result<Offset> append_and_wait(std::vector<record::Record> batch);

  /// Why nothing can be appended. ResourceExhausted while the disk is full: taken back by the first
  /// commit that succeeds, or by the journal's own trial every `retry_interval`. Unavailable after
  /// a failure that only opening again ends. Absent while the journal works; a stop is no failure.
  /// For callers that must not act on what they could not record.
  [[nodiscard]] virtual std::optional<Error> failure() const = 0;

  /// One past the last offset handed out. Goes back, to durable_end(), when a full disk has batches
  /// taken back: an offset that is not durable yet may come to be another record's.
  [[nodiscard]] virtual Offset end() const = 0;
  /// How often batches were taken back: what was said of an offset that is not durable yet holds as
  /// long as this stays as it is.
  [[nodiscard]] virtual std::uint64_t times_taken_back() const { return 0; }
  /// One past the last durable offset (the high watermark).
  [[nodiscard]] virtual Offset durable_end() const = 0;
  /// The first offset still kept.
  [[nodiscard]] virtual Offset begin() const = 0;
  /// Waits until `durable_end() >= offset`. Errors: Timeout; Unavailable when the journal failed or
  /// stopped before; ResourceExhausted when records were taken back meanwhile (append()), or when
  /// the disk is full and no record waits at that offset. It speaks of the offset: whether a batch
  /// was kept, or taken back and its offset given to another, its `done` says.
  virtual Result<void> wait_durable(Offset offset, std::chrono::milliseconds timeout) = 0;

  /// Durable records from `from` on, at most about `bytes_max` (at least one when there is one).
  /// None when `from` is at or past durable_end(). NotFound when it is before begin(). Corruption,
  /// naming file and byte, when the first of them cannot be read. Any thread.
  virtual Result<std::vector<StoredRecord>> read(Offset from, std::size_t bytes_max) = 0;
  /// Durable blocks from the one that holds `from` on, at most about `bytes_max` of payload (at
  /// least one when there is one): to be copied as they are, or decoded by the caller. None when
  /// `from` is at or past durable_end(). Errors as read(). Any thread.
  virtual Result<std::vector<RawBlock>> read_blocks(Offset from, std::size_t bytes_max);
  /// The durable run of records that holds `from`: it may begin before it, and how long it is says
  /// nothing. What was committed lately comes from memory, shared and with its terms; the rest is
  /// a decoded block. Absent when `from` is at or past durable_end(). Errors as read(). Any thread.
  virtual Result<std::optional<RecordRun>> read_run(Offset from);
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
