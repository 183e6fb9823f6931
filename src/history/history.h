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
#include <string_view>
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

inline constexpr std::size_t kResultsMax = 50;

struct LookupQuery {
  std::string account_id;
  std::string region;
  std::optional<LookupFilter> filter;
  std::optional<Timestamp> start_time;    ///< Inclusive.
  std::optional<Timestamp> end_time;      ///< Inclusive, to the second.
  std::size_t results_max = kResultsMax;  ///< 1 to kResultsMax.
  std::string next_token;                 ///< From the page before; empty for the first.
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
/// answered. A consumer of the journal, rebuilt from it at start. Of records with the same id the
/// first on the journal counts, the others are not searchable. Facts: spec api §5.1, records §7.1;
/// design: docs/decisions/009-history-in-memory.md.
class History {
 public:
  /// Replays the journal, then follows it on a thread of its own. It learns of commits by wake(),
  /// which the owner wires: `journal.on_commit([&](auto) { history->wake(); })`. Without that it
  /// still catches up at every lookup() and once a minute. The journal and the clock outlive the
  /// history; commits must not, so stop the journal before the history is destroyed.
  /// Errors: those of Journal::read.
  static Result<std::unique_ptr<History>> open(journal::Journal& journal, const io::Clock& clock,
                                               HistoryOptions options);
  virtual ~History() = default;

  /// Sees every record that was accepted by the journal before the call began (read your writes).
  /// A resume token stays valid while new events arrive, and over a restart: they never enter a
  /// listing that began before them. Errors: InvalidArgument, reason "InvalidNextToken" for a token
  /// of another query, reason "InvalidMaxResults" for a page size outside 1 to kResultsMax;
  /// Unavailable when the journal failed, or what was accepted is not searchable within 30 s.
  /// Any thread; blocks.
  virtual Result<LookupPage> lookup(const LookupQuery& query) = 0;

  /// True when the journal has a record of this id, of whatever account, Region and category, that
  /// is not older than oldest_kept(). Sees what lookup() sees. Errors: Unavailable, as lookup():
  /// whether there is one is then not known.
  virtual Result<bool> contains(std::string_view record_id) = 0;
  /// SHA-256 (hex) of the bytes of the first record with this id, to tell a repeated record from a
  /// forged one; absent when contains() says no. Errors: as contains(), and those of Journal::read.
  virtual Result<std::optional<std::string>> content_hash(std::string_view record_id) = 0;
  /// content_hash() of each id, in their order, as one question: it sees what was accepted before
  /// the call and waits for that once. On a busy journal one id after the other would wait for a
  /// commit each. This one asks content_hash() for each.
  virtual Result<std::vector<std::optional<std::string>>> content_hashes(
      const std::vector<std::string_view>& record_ids);
  /// Older records than this are not kept.
  [[nodiscard]] virtual Timestamp oldest_kept() const = 0;
  /// Accounts with at least one searchable record, sorted; records that name none count for none.
  [[nodiscard]] virtual std::vector<std::string> accounts() = 0;
  /// The journal may drop what is before this offset, as far as the history is concerned. Grows as
  /// records age out, about once a minute.
  [[nodiscard]] virtual journal::Offset needed_from() const = 0;
  /// Applied up to here.
  [[nodiscard]] virtual journal::Offset applied_end() const = 0;
  /// Number of searchable records; those that aged out within the last minute may be counted.
  [[nodiscard]] virtual std::uint64_t size() const = 0;

  /// There is something new on the journal. For the journal's listener: returns at once.
  virtual void wake() = 0;
  /// Ends the follower; waiting callers get Unavailable. What was applied stays searchable.
  /// Idempotent.
  virtual void stop() = 0;
};

}  // namespace opentrail::history
