#pragma once
#include "base/error.h"
#include "base/mutex.h"
#include "history/history.h"
#include "journal/journal.h"
#include "services/ingest/import_body.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::services::ingest {

/// What became of an item that did not go in. Ordered: the worst first, which an answer that
/// cannot list all of them keeps.
enum class ItemStatus : std::uint8_t {
  Conflicting,  ///< Another record of the same id is there, with other bytes. That one stays.
  Invalid,      ///< Not a record.
  Expired,      ///< Older than the history keeps.
  Duplicate,    ///< This very record is there.
};
[[nodiscard]] std::string_view to_string(ItemStatus status);

struct ItemResult {
  std::uint64_t line = 0;
  std::string id;  ///< Empty for invalid ones.
  ItemStatus status = ItemStatus::Invalid;
  std::string message;
};

struct ImportOutcome {
  std::uint64_t received = 0;  ///< The sum of the five below.
  std::uint64_t added = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t conflicting = 0;
  std::uint64_t expired = 0;
  std::uint64_t invalid = 0;
  std::uint64_t digests = 0;
  Timestamp oldest_kept;
  /// All that are not new, in the order of ItemStatus, then of their lines.
  std::vector<ItemResult> results;
};

/// Puts imported records on the journal, each id once. One import at a time goes from the check to
/// the point where the history knows the new ids, so the check is exact, also between imports that
/// overlap. Any thread; blocks.
class ImportWriter {
 public:
  ImportWriter(journal::Journal& journal, history::History& history,
               std::chrono::milliseconds searchable_timeout = std::chrono::seconds(30));

  /// Returns when every new record is durable and searchable.
  /// Errors, nothing of this body stored: Throttled (the journal's queue is full), Unavailable.
  /// Timeout: stored, but not searchable in time. To send the same body again is right after each
  /// of them.
  Result<ImportOutcome> store(ImportBody body) EXCLUDES(mutex_);

 private:
  struct Sorted;
  Result<std::vector<std::optional<std::string>>> hashes_in_history(const ImportBody& body)
      REQUIRES(mutex_);
  Result<Sorted> sort_out(ImportBody body) REQUIRES(mutex_);
  Result<void> append(std::vector<record::Record> records) REQUIRES(mutex_);

  journal::Journal& journal_;
  history::History& history_;
  const std::chrono::milliseconds searchable_timeout_;
  Mutex mutex_;
};

}  // namespace opentrail::services::ingest
