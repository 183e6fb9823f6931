#pragma once
#include "base/error.h"
#include "history/query/search_query.h"
#include "io/clock.h"
#include "io/filesystem.h"
#include "io/random.h"
#include "journal/journal.h"
#include "record/record.h"
#include "record/terms.h"
#include "search/expression.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
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
  std::string account_id{};
  std::string region{};
  std::optional<LookupFilter> filter{};
  std::optional<Timestamp> start_time{};  ///< Inclusive.
  std::optional<Timestamp> end_time{};    ///< Inclusive, to the second.
  std::size_t results_max = kResultsMax;  ///< 1 to kResultsMax.
  std::string next_token{};               ///< From the page before; empty for the first.
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

inline constexpr std::size_t kSearchResultsMax = 1000;

/// A search: everything that LookupEvents cannot ask for.
inline constexpr std::size_t kPageBytesMax = 16 << 20;

struct SearchQuery {
  search::Expression where;             ///< All: every record.
  std::vector<std::string> accounts;    ///< Any of them; empty: all, also records that name none.
  std::vector<std::string> regions;     ///< Any of them; empty: all.
  std::optional<Timestamp> start_time;  ///< Inclusive.
  std::optional<Timestamp> end_time;    ///< Inclusive, to the millisecond.
  Direction direction = Direction::NewestFirst;
  std::size_t results_max = kResultsMax;  ///< 1 to kSearchResultsMax.
  /// Of the records of a page, which is shorter than results_max then; one larger record alone is
  /// still a page.
  std::size_t bytes_max = kPageBytesMax;
  std::string next_token;  ///< From the page before; empty for the first.
};

struct SearchPage {
  std::vector<FoundEvent> events;  ///< In the direction of the query.
  std::string next_token;          ///< Empty at the end.
};

/// What is counted: matches of `query` (its direction, page and token aside), by the values of a
/// field, by time, or both.
struct CountQuery {
  SearchQuery query;
  std::optional<record::Field> by;
  std::size_t groups_max = 100;  ///< The most frequent values; 1 to kGroupsMax.
  /// Width of the time buckets, which begin at multiples of it since 1970; at most
  /// kBucketWidthMax. Zero: not by time.
  std::chrono::milliseconds bucket{0};
  /// Buckets of all groups together; more is an error.
  std::size_t group_buckets_max = 250'000;
};
inline constexpr std::size_t kGroupsMax = 10'000;
inline constexpr std::size_t kBucketsMax = 10'000;
inline constexpr std::chrono::days kBucketWidthMax{36'525};

struct CountBucket {
  Timestamp start;
  std::uint64_t count = 0;
};

struct CountGroup {
  std::string value;
  std::uint64_t count = 0;
  std::vector<CountBucket> buckets;  ///< Without empty ones; by time.
};

struct Counts {
  std::uint64_t total = 0;
  std::vector<CountBucket> buckets;  ///< Of all matches; without empty ones, by time.
  std::vector<CountGroup> groups;    ///< The largest first, equal ones by value.
  std::uint64_t values = 0;          ///< How many different values there are, shown or not.
};

/// One record to be compared with what is there.
struct PresenceQuery {
  std::string_view id;
  std::string_view json;
};
enum class Presence : std::uint8_t {
  New,          ///< No record of this id is there.
  Same,         ///< This very record is there.
  Conflicting,  ///< A record of this id with other bytes is there.
};

struct HistoryOptions {
  std::chrono::days retention{90};
  std::string folder;  ///< Of the sealed segments.
  /// Records are sealed so many at a time, and segments merged up to about the other number.
  std::size_t seal_records = 256 << 10;
  std::size_t segment_records_max = 2 << 20;
  /// Beyond so many records that are not sealed nothing more is applied; at least four seals.
  std::size_t unsealed_records_max = 1 << 20;
  /// How long after a failure until sealing is tried again.
  std::chrono::milliseconds retry_interval{2000};
  std::size_t threads = 2;  ///< That read records at the same time in one search.
};

/// Event history: every record that the journal has had since the oldest that is kept, searchable
/// from the moment a call was answered. LookupEvents sees the management events of one account and
/// Region; search() sees all. A consumer of the journal: what is older is sealed into segments of
/// its own, the rest is replayed at start. Of records with the same id the first on the journal
/// counts, the others are not found. Facts: spec api §5.1, records §7.1; design:
/// docs/decisions/016-history-segments.md.
class History {
 public:
  /// Opens the segments and replays what the journal has behind them, then follows it on a thread
  /// of its own. It learns of commits by wake(), which the owner wires:
  /// `journal.on_commit([&](auto) { history->wake(); })`. Without that it still catches up at every
  /// lookup() and once a minute. All that is given to it outlives it; commits must not, so stop the
  /// journal before the history is destroyed. Errors: Corruption when segments are missing or
  /// damaged, or do not fit the journal; those of the files and of the journal.
  static Result<std::unique_ptr<History>> open(io::Filesystem& files, journal::Journal& journal,
                                               const io::Clock& clock, io::Random& random,
                                               HistoryOptions options);
  virtual ~History() = default;

  /// Sees every record that was accepted by the journal before the call began (read your writes),
  /// but for those of need_not_wait_for() that are not durable yet.
  /// A resume token stays valid while new events arrive, and over a restart: they never enter a
  /// listing that began before them. Errors: InvalidArgument, reason "InvalidNextToken" for a token
  /// of another query, reason "InvalidMaxResults" for a page size outside 1 to kResultsMax;
  /// Unavailable when the journal failed, or what was accepted is not searchable within 30 s.
  /// Any thread; blocks.
  virtual Result<LookupPage> lookup(const LookupQuery& query) = 0;
  /// As lookup(), over everything: any expression, any accounts and Regions, either direction. A
  /// query that does not test eventCategory sees management events only.
  virtual Result<SearchPage> search(const SearchQuery& query) = 0;
  /// Errors: InvalidArgument for bounds outside of what is allowed, or more than kBucketsMax
  /// buckets; otherwise as search().
  virtual Result<Counts> count(const CountQuery& query) = 0;

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
  /// What each record is to the history, in their order. Of what is applied when it is called:
  /// unlike contains() it does not wait for what is on its way (wait_applied() does). Bytes are
  /// read only of ids that are there. This one is made of content_hash(), and so may wait.
  /// Errors: as content_hash().
  virtual Result<std::vector<Presence>> presence(std::span<const PresenceQuery> queries);
  /// Waits until applied_end() >= `end`. Errors: Timeout; Unavailable, as lookup(). This one looks
  /// every millisecond.
  virtual Result<void> wait_applied(journal::Offset end, std::chrono::milliseconds timeout);
  /// Older records than this are not kept.
  [[nodiscard]] virtual Timestamp oldest_kept() const = 0;
  /// Accounts with at least one searchable record, sorted; records that name none count for none.
  /// Errors: Corruption.
  [[nodiscard]] virtual Result<std::vector<std::string>> accounts() = 0;
  /// The journal may drop what is before this offset, as far as the history is concerned. Grows as
  /// records are sealed.
  [[nodiscard]] virtual journal::Offset needed_from() const = 0;
  /// Applied up to here.
  [[nodiscard]] virtual journal::Offset applied_end() const = 0;
  /// Number of records that can be found; some that have aged out may still be counted.
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// Why nothing is sealed or applied at present, if so: it is tried again by itself.
  [[nodiscard]] virtual std::optional<Error> failure() const = 0;
  /// Waits until nothing is left to be sealed or merged. False after a failure.
  virtual bool wait_settled() = 0;

  /// The record at `offset`, just accepted, is a lookup's own: the next lookup does not wait for
  /// it, so that one page after the other does not take a commit each. This one waits all the same.
  virtual void need_not_wait_for(journal::Offset offset);

  /// There is something new on the journal. For the journal's listener: returns at once.
  virtual void wake() = 0;
  /// Ends the follower; waiting callers get Unavailable. What was applied stays searchable.
  /// Idempotent.
  virtual void stop() = 0;
};

}  // namespace opentrail::history
