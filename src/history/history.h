#pragma once
#include "base/error.h"
#include "io/clock.h"
#include "journal/journal.h"
#include "record/record.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace opentrail::history {

enum class LookupKey : std::uint8_t {
  EventId,
  EventName,
  ReadOnly,
  Username,
  ResourceType,
  ResourceName,
  EventSource,
  AccessKeyId,
};

struct LookupFilter {
  LookupKey key;
  std::string value;  ///< Compared exactly.
};

struct LookupQuery {
  std::string account_id;
  std::string region;
  std::optional<LookupFilter> filter;
  std::optional<Timestamp> start_time;  ///< Inclusive.
  std::optional<Timestamp> end_time;    ///< Inclusive, to the second.
  std::size_t results_max = 50;
  std::string next_token;  ///< From the page before; empty for the first.
};

struct FoundEvent {
  record::LookupFields fields;
  Timestamp event_time;
  std::string json;  ///< The record's bytes.
};

struct LookupPage {
  std::vector<FoundEvent> events;  ///< Newest first; equal times: last arrived first.
  std::string next_token;          ///< Empty at the end.
};

struct HistoryOptions {
  std::chrono::days retention{90};
};

/// Event history: management events, per account and region, searchable from the moment a call was
/// answered. A consumer of the journal, rebuilt from it at start.
class History {
 public:
  /// Replays the journal, then follows it on a thread of its own.
  static Result<std::unique_ptr<History>> open(journal::Journal& journal, const io::Clock& clock,
                                               HistoryOptions options);
  virtual ~History() = default;

  /// Sees every record that was accepted by the journal before the call began (read your writes).
  /// A resume token stays valid while new events arrive: they never enter a listing that began
  /// before them. Errors: InvalidArgument, reason "InvalidNextToken" for a token of another query;
  /// Unavailable when the journal failed.
  virtual Result<LookupPage> lookup(const LookupQuery& query) = 0;

  /// True when a record of this id is in the history or in the journal before it.
  [[nodiscard]] virtual bool contains(std::string_view record_id) = 0;
  /// SHA-256 (hex) of the bytes of the record with this id, to tell a repeated record from a forged
  /// one; absent when there is none.
  [[nodiscard]] virtual std::optional<std::string> content_hash(std::string_view record_id) = 0;
  /// Older records than this are not kept.
  [[nodiscard]] virtual Timestamp oldest_kept() const = 0;
  /// Accounts with at least one record, sorted.
  [[nodiscard]] virtual std::vector<std::string> accounts() = 0;
  /// The journal may drop what is before this offset, as far as the history is concerned.
  [[nodiscard]] virtual journal::Offset needed_from() const = 0;
  /// Applied up to here.
  [[nodiscard]] virtual journal::Offset applied_end() const = 0;
  /// Number of searchable records.
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  virtual void stop() = 0;
};

}  // namespace opentrail::history
