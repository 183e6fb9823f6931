#include "history/history.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "crypto/hash.h"
#include "history/listing.h"
#include "history/query/counter.h"
#include "history/query/record_reader.h"
#include "history/query/view_scan.h"
#include "history/quiet_run.h"
#include "history/store/event_store.h"

#include <algorithm>
#include <future>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace opentrail::history {
namespace {

using journal::Offset;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kSearchableTimeout{30};
constexpr std::chrono::minutes kExpireInterval{1};
/// So many seals may wait, whatever the options say.
constexpr std::size_t kUnsealedSealsMin = 4;
/// While too much waits to be sealed, the follower looks again after this.
constexpr std::chrono::milliseconds kBehindPause{5};

/// Seconds. Fine around the milliseconds that a page should take.
const std::vector<double>& query_bounds() {
  static const std::vector<double> bounds = {
      0.000'1, 0.000'2, 0.000'3, 0.000'5, 0.000'7, 0.001, 0.001'5, 0.002, 0.003, 0.004, 0.006,
      0.008,   0.012,   0.016,   0.032,   0.064,   0.128, 0.256,   0.512, 1,     4,     16};
  return bounds;
}

const metrics::Histogram& lookup_seconds() {
  static const metrics::Histogram histogram =
      metrics::histogram("opentrail_history_lookup_seconds",
                         "What LookupEvents takes in event history, waiting for "
                         "what was accepted before included",
                         query_bounds());
  return histogram;
}

const metrics::Histogram& search_seconds() {
  static const metrics::Histogram histogram =
      metrics::histogram("opentrail_history_search_seconds",
                         "What a page of a search takes in event history", query_bounds());
  return histogram;
}

/// Observes how long it lived.
class Stopwatch {
 public:
  explicit Stopwatch(const metrics::Histogram& histogram) : histogram_(histogram) {}
  ~Stopwatch() {
    histogram_.observe(std::chrono::duration<double>(SteadyClock::now() - begin_).count());
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  const metrics::Histogram& histogram_;
  const SteadyClock::time_point begin_ = SteadyClock::now();
};

class JournalHistory final : public History {
 public:
  JournalHistory(journal::Journal& journal, const io::Clock& clock, HistoryOptions options)
      : journal_(journal), clock_(clock), options_(std::move(options)) {}
  ~JournalHistory() override {
    stop_follower();
    if (store_) {
      store_->stop();
    }
  }
  JournalHistory(const JournalHistory&) = delete;
  JournalHistory& operator=(const JournalHistory&) = delete;

  Result<void> open(io::Filesystem& files, io::Random& random);
  void start() {
    follower_ = std::thread([this] { follow(); });
  }

  Result<LookupPage> lookup(const LookupQuery& query) override;
  Result<SearchPage> search(const SearchQuery& query) override;
  Result<Counts> count(const CountQuery& query) override;
  Result<bool> contains(std::string_view record_id) override;
  Result<std::optional<std::string>> content_hash(std::string_view record_id) override;
  Result<std::vector<std::optional<std::string>>> content_hashes(
      const std::vector<std::string_view>& record_ids) override;
  Result<std::vector<Presence>> presence(std::span<const PresenceQuery> queries) override;
  void need_not_wait_for(Offset offset) override {
    quiet_.add(offset, journal_.times_taken_back());
  }
  Result<void> wait_applied(Offset end, std::chrono::milliseconds timeout) override {
    return wait_searchable(end, timeout, ErrorCode::Timeout);
  }
  Timestamp oldest_kept() const override { return clock_.now() - options_.retention; }
  Result<std::vector<std::string>> accounts() override;
  Offset needed_from() const override { return store_->needed_from(); }
  Offset applied_end() const override { return store_->applied_end(); }
  std::uint64_t size() const override { return store_->size(); }
  std::optional<Error> failure() const override EXCLUDES(state_mutex_);
  bool wait_settled() override { return store_->wait_settled(); }
  void wake() override EXCLUDES(state_mutex_);
  void stop() override {
    stop_follower();
    store_->stop();
  }

 private:
  void stop_follower() EXCLUDES(state_mutex_);
  void follow() EXCLUDES(state_mutex_);
  bool await_work() EXCLUDES(state_mutex_);
  bool is_stopping() const EXCLUDES(state_mutex_);
  void end_pass(Result<void> outcome) EXCLUDES(state_mutex_);
  Result<void> apply_all();
  Result<bool> apply_next();
  using Runs = std::vector<journal::RecordRun>;
  Result<void> replay();
  Result<Runs> read_runs(Offset next);
  Result<void> apply(const Runs& runs);
  void expire_if_due();

  Result<void> wait_searchable(Offset end, std::chrono::milliseconds timeout = kSearchableTimeout,
                               ErrorCode too_late = ErrorCode::Unavailable) EXCLUDES(state_mutex_);
  /// What a lookup waits for.
  [[nodiscard]] Offset awaited_end() const {
    const Offset end = journal_.end();
    return std::max(journal_.durable_end(), quiet_.awaited(end, journal_.times_taken_back()));
  }
  Result<std::optional<std::string>> content_hash(std::string_view record_id, Offset end);
  Result<std::optional<Offset>> find_id_or_wait(std::string_view record_id, Offset end);
  struct Page {
    std::vector<FoundEvent> events;
    std::string next_token;
  };
  Result<Page> page_of(const Listing& listing, const View& view);

  journal::Journal& journal_;
  const io::Clock& clock_;
  const HistoryOptions options_;
  std::unique_ptr<EventStore> store_;
  QuietRun quiet_;
  const metrics::Gauge records_gauge_ =
      metrics::gauge("opentrail_history_records", "Records that event history can find");
  const metrics::Gauge unreadable_gauge_ =
      metrics::gauge("opentrail_mapped_pages_unreadable",
                     "Pages of mapped files that the disk could not give; searches that need them "
                     "fail. Restart once the disk is well");
  Timestamp expired_at_ = Timestamp::min();  ///< Of whoever applies: open(), then the follower.

  mutable Mutex state_mutex_;
  Condition state_changed_;
  bool woken_ GUARDED_BY(state_mutex_) = true;
  bool following_ GUARDED_BY(state_mutex_) = false;
  bool stopping_ GUARDED_BY(state_mutex_) = false;
  std::optional<Error> failure_ GUARDED_BY(state_mutex_);  ///< Of the last pass.

  std::thread follower_;
};

// ---- the follower
// --------------------------------------------------------------------------------

Result<void> JournalHistory::open(io::Filesystem& files, io::Random& random) {
  const auto started = SteadyClock::now();
  StoreOptions options;
  options.folder = options_.folder;
  options.seal_records = options_.seal_records;
  options.unsealed_records_max =
      std::max(options_.unsealed_records_max, kUnsealedSealsMin * options_.seal_records);
  options.retry_interval = options_.retry_interval;
  options.segment_records_max = options_.segment_records_max;
  OT_TRY(store_, EventStore::open(files, journal_, random, std::move(options)));
  const Offset sealed = applied_end();
  OT_TRY_DO(replay());
  const std::chrono::duration<double> took = SteadyClock::now() - started;
  log::info("history: {} records searchable, {} of them replayed from the journal, in {:.1f} s",
            size(), value(applied_end()) - value(sealed), took.count());
  return {};
}

void JournalHistory::follow() {
  while (await_work()) {
    expire_if_due();
    end_pass(apply_all());
  }
}

/// False when the follower is to end.
bool JournalHistory::await_work() {
  const MutexLock lock(state_mutex_);
  const auto deadline = SteadyClock::now() + (failure_ ? options_.retry_interval : kExpireInterval);
  while (!woken_ && !stopping_ && state_changed_.wait_until(state_mutex_, deadline)) {
  }
  woken_ = false;
  following_ = true;
  return !stopping_;
}

bool JournalHistory::is_stopping() const {
  const MutexLock lock(state_mutex_);
  return stopping_;
}

void JournalHistory::end_pass(Result<void> outcome) {
  records_gauge_.set(static_cast<double>(size()));
  unreadable_gauge_.set(static_cast<double>(io::mapped_page_faults()));
  const MutexLock lock(state_mutex_);
  following_ = false;
  if (!outcome && !failure_) {
    log::error("history: stopped at record {}; it is tried again: {}", value(applied_end()),
               outcome.error().message());
  }
  failure_ = outcome ? std::nullopt : std::optional(std::move(outcome).error());
  state_changed_.notify_all();
}

Result<void> JournalHistory::apply_all() {
  while (!is_stopping()) {
    OT_TRY(const bool advanced, apply_next());
    if (!advanced) {
      break;
    }
  }
  return {};
}

/// False when everything durable is applied.
Result<bool> JournalHistory::apply_next() {
  OT_TRY(const Runs runs, read_runs(applied_end()));
  if (runs.empty()) {
    return false;
  }
  OT_TRY_DO(apply(runs));
  return true;
}

/// At the start: the next records are read and parsed while the ones before them are applied.
Result<void> JournalHistory::replay() {
  const auto read_from = [this](Offset from) {
    return std::async(std::launch::async, [this, from] { return read_runs(from); });
  };
  for (auto next = read_from(applied_end());;) {
    OT_TRY(const Runs runs, next.get());
    if (runs.empty()) {
      return {};
    }
    next = read_from(runs.back().end());
    OT_TRY_DO(apply(runs));
  }
}

/// Some thousand records from `next` on; none when nothing more is durable.
Result<JournalHistory::Runs> JournalHistory::read_runs(Offset next) {
  constexpr std::size_t kRecordsMin = 4096;
  Runs runs;
  for (std::size_t records = 0; records < kRecordsMin;) {
    OT_TRY(auto run, journal_.read_run(next));
    if (!run) {
      break;
    }
    records += value(run->end()) - value(next);
    next = run->end();
    runs.push_back(*std::move(run));
  }
  return runs;
}

/// Waits while too much is to be sealed, unless sealing fails.
Result<void> JournalHistory::apply(const Runs& runs) {
  auto applied = store_->apply(runs, oldest_kept());
  while (!applied && applied.error().code() == ErrorCode::Throttled && !store_->failure() &&
         !is_stopping()) {
    std::this_thread::sleep_for(kBehindPause);
    applied = store_->apply(runs, oldest_kept());
  }
  OT_TRY_DO(std::move(applied));
  const MutexLock lock(state_mutex_);
  state_changed_.notify_all();
  return {};
}

void JournalHistory::expire_if_due() {
  const Timestamp now = clock_.now();
  if (expired_at_ <= now && now - kExpireInterval < expired_at_) {
    return;
  }
  expired_at_ = now;
  store_->expire(oldest_kept());
}

void JournalHistory::wake() {
  const MutexLock lock(state_mutex_);
  woken_ = true;
  state_changed_.notify_all();
}

void JournalHistory::stop_follower() {
  {
    const MutexLock lock(state_mutex_);
    stopping_ = true;
    state_changed_.notify_all();
  }
  if (follower_.joinable()) {
    follower_.join();
  }
}

std::optional<Error> JournalHistory::failure() const {
  if (auto failure = store_->failure()) {
    return failure;
  }
  const MutexLock lock(state_mutex_);
  return failure_;
}

// ---- read your writes
// ----------------------------------------------------------------------------

Result<void> JournalHistory::wait_searchable(Offset end, std::chrono::milliseconds timeout,
                                             ErrorCode too_late) {
  if (applied_end() >= end) {
    return {};
  }
  const auto deadline = SteadyClock::now() + timeout;
  if (const auto durable = journal_.wait_durable(end, timeout); !durable) {
    const bool late = durable.error().code() == ErrorCode::Timeout;
    return fail(late ? too_late : ErrorCode::Unavailable,
                "the records accepted so far are not on disk: " + durable.error().message());
  }
  wake();
  const MutexLock lock(state_mutex_);
  while (applied_end() < end) {
    if (stopping_) {
      return fail(ErrorCode::Unavailable, "event history is stopping");
    }
    if (failure_ && !woken_ && !following_) {
      return fail(ErrorCode::Unavailable, "event history cannot go on: " + failure_->message());
    }
    if (!state_changed_.wait_until(state_mutex_, deadline)) {
      return fail(too_late, "event history is behind the journal; try again in a while");
    }
  }
  return {};
}

/// What is found already stays found: only a miss has to wait for what is on its way.
Result<std::optional<Offset>> JournalHistory::find_id_or_wait(std::string_view record_id,
                                                              Offset end) {
  const bool all_applied = applied_end() >= end;  // Before looking: what comes meanwhile may count.
  OT_TRY(const auto offset, store_->find_id(record_id, oldest_kept()));
  if (offset || all_applied) {
    return offset;
  }
  OT_TRY_DO(wait_searchable(end));
  return store_->find_id(record_id, oldest_kept());
}

Result<bool> JournalHistory::contains(std::string_view record_id) {
  OT_TRY(const auto offset, find_id_or_wait(record_id, journal_.end()));
  return offset.has_value();
}

Result<std::optional<std::string>> JournalHistory::content_hash(std::string_view record_id) {
  return content_hash(record_id, journal_.end());
}

Result<std::vector<std::optional<std::string>>> JournalHistory::content_hashes(
    const std::vector<std::string_view>& record_ids) {
  const Offset end = journal_.end();
  std::vector<std::optional<std::string>> hashes;
  hashes.reserve(record_ids.size());
  for (const std::string_view record_id : record_ids) {
    OT_TRY(auto hash, content_hash(record_id, end));
    hashes.push_back(std::move(hash));
  }
  return hashes;
}

Result<std::optional<std::string>> JournalHistory::content_hash(std::string_view record_id,
                                                                Offset end) {
  OT_TRY(const auto offset, find_id_or_wait(record_id, end));
  if (!offset) {
    return std::nullopt;
  }
  RecordReader reader(*store_, store_->block_cache());
  OT_TRY(const std::string_view json, reader.json(*offset));
  return crypto::sha256_hex(json);
}

Result<std::vector<Presence>> JournalHistory::presence(std::span<const PresenceQuery> queries) {
  std::vector<Presence> found;
  found.reserve(queries.size());
  RecordReader reader(*store_, store_->block_cache());
  const Timestamp oldest = oldest_kept();
  std::vector<std::string_view> ids;
  ids.reserve(queries.size());
  for (const PresenceQuery& query : queries) {
    ids.push_back(query.id);
  }
  OT_TRY(const auto offsets, store_->find_ids(ids, oldest));
  for (std::size_t i = 0; i < queries.size(); ++i) {
    if (!offsets[i]) {
      found.push_back(Presence::New);
      continue;
    }
    OT_TRY(const std::string_view json, reader.json(*offsets[i]));
    found.push_back(json == queries[i].json ? Presence::Same : Presence::Conflicting);
  }
  return found;
}

// ---- lookup and search
// ---------------------------------------------------------------------------

Result<JournalHistory::Page> JournalHistory::page_of(const Listing& listing, const View& view) {
  const SearchPlan plan(listing.where, listing.bounds, options_.threads);
  ViewScan scan(view, *store_, plan);
  // One reader a source, so that each keeps the blocks that it has read.
  std::map<const BlockSource*, RecordReader> readers;
  Page page;
  std::size_t bytes = 0;
  EntryKey last;
  for (;;) {
    OT_TRY(const auto match, scan.next());
    if (!match) {
      return page;
    }
    if (page.events.size() == listing.results_max) {
      page.next_token = listing.token_after(last);
      return page;
    }
    RecordReader& reader =
        readers.try_emplace(match->blocks, *match->blocks, store_->block_cache()).first->second;
    OT_TRY(const std::string_view json, reader.json(match->key.offset));
    bytes += json.size();
    if (bytes > listing.bytes_max && !page.events.empty()) {
      page.next_token = listing.token_after(last);
      return page;
    }
    FoundEvent event;
    event.event_time = match->key.time;
    event.json = json;
    OT_TRY(event.fields, record::lookup_fields(json));
    page.events.push_back(std::move(event));
    last = match->key;
  }
}

Result<LookupPage> JournalHistory::lookup(const LookupQuery& query) {
  const Stopwatch stopwatch(lookup_seconds());
  OT_TRY_DO(wait_searchable(awaited_end()));
  const View view = store_->view();
  OT_TRY(const Listing listing, Listing::begin(query, oldest_kept(), view.end));
  OT_TRY(Page page, page_of(listing, view));
  return LookupPage{.events = std::move(page.events), .next_token = std::move(page.next_token)};
}

Result<SearchPage> JournalHistory::search(const SearchQuery& query) {
  const Stopwatch stopwatch(search_seconds());
  OT_TRY_DO(wait_searchable(awaited_end()));
  const View view = store_->view();
  OT_TRY(const Listing listing, Listing::begin(query, oldest_kept(), view.end));
  OT_TRY(Page page, page_of(listing, view));
  return SearchPage{.events = std::move(page.events), .next_token = std::move(page.next_token)};
}

Result<Counts> JournalHistory::count(const CountQuery& query) {
  if (query.groups_max < 1 || query.groups_max > kGroupsMax || query.bucket.count() < 0 ||
      query.bucket > kBucketWidthMax) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("a count has 1 to {} groups, and time buckets of 1 ms to {} days",
                            kGroupsMax, kBucketWidthMax.count()),
                "InvalidCount");
  }
  OT_TRY_DO(wait_searchable(awaited_end()));
  const View view = store_->view();
  SearchQuery all = query.query;
  all.next_token.clear();
  all.results_max = 1;
  OT_TRY(const Listing listing, Listing::begin(all, oldest_kept(), view.end));
  const SearchPlan plan(listing.where, listing.bounds, options_.threads);
  return count_matches(view, *store_, plan, query);
}

// ---- figures
// -------------------------------------------------------------------------------------

Result<std::vector<std::string>> JournalHistory::accounts() {
  const View view = store_->view();
  std::set<std::string, std::less<>> accounts;
  for (const Part& part : view.parts) {
    OT_TRY(auto cursor,
           TermCursor::seek(part.index->field(record::Field::AccountId), part.index->bytes(), {}));
    for (;;) {
      OT_TRY(const bool found, cursor.next());
      if (!found) {
        break;
      }
      accounts.emplace(cursor.term());
    }
  }
  for (std::size_t i = 0; i < view.recent_count; ++i) {
    for (const record::Terms::Term term : (*view.recent)[i].terms) {
      if (term.field == record::Field::AccountId) {
        accounts.emplace(term.value);
      }
    }
  }
  return std::vector<std::string>(accounts.begin(), accounts.end());
}

}  // namespace

Result<std::vector<std::optional<std::string>>> History::content_hashes(
    const std::vector<std::string_view>& record_ids) {
  std::vector<std::optional<std::string>> hashes;
  hashes.reserve(record_ids.size());
  for (const std::string_view record_id : record_ids) {
    OT_TRY(auto hash, content_hash(record_id));
    hashes.push_back(std::move(hash));
  }
  return hashes;
}

Result<std::unique_ptr<History>> History::open(io::Filesystem& files, journal::Journal& journal,
                                               const io::Clock& clock, io::Random& random,
                                               HistoryOptions options) {
  auto history = std::make_unique<JournalHistory>(journal, clock, std::move(options));
  OT_TRY_DO(history->open(files, random));
  history->start();
  return history;
}

}  // namespace opentrail::history
