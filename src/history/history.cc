#include "history/history.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "history/event_index.h"
#include "history/id_table.h"
#include "history/key_hash.h"
#include "history/listing.h"
#include "history/record_reader.h"
#include "io/random.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace opentrail::history {
namespace {

using journal::Offset;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kSearchableTimeout{30};
constexpr std::chrono::minutes kPruneInterval{1};
constexpr std::size_t kBatchBytesMax = 1 << 20;

/// A record on its way into the index, read and hashed before the lock is taken.
struct Prepared {
  EntryKey key;
  IdHash id;
  bool is_searchable = false;
  std::string account_id;
  std::string region;
  std::vector<Term> terms;
};

std::vector<Term> terms_of(const KeyHash& hash, const record::LookupFields& fields) {
  std::vector<Term> terms;
  const auto add = [&](LookupKey key, const std::string& value) {
    if (!value.empty()) {
      terms.push_back(hash.term(key, value));
    }
  };
  add(LookupKey::EventName, fields.event_name);
  add(LookupKey::ReadOnly, fields.read_only);
  add(LookupKey::Username, fields.username);
  add(LookupKey::EventSource, fields.event_source);
  add(LookupKey::AccessKeyId, fields.access_key_id);
  for (const record::ResourceName& resource : fields.resources) {
    add(LookupKey::ResourceType, resource.type);
    add(LookupKey::ResourceName, resource.name);
  }
  std::ranges::sort(terms);
  const auto repeated = std::ranges::unique(terms);
  terms.erase(repeated.begin(), repeated.end());
  return terms;
}

class JournalHistory final : public History {
 public:
  JournalHistory(journal::Journal& journal, const io::Clock& clock, HistoryOptions options,
                 io::Random& random)
      : journal_(journal),
        clock_(clock),
        options_(options),
        hash_(random),
        reader_(journal),
        applied_(journal.begin()) {}
  ~JournalHistory() override { stop_follower(); }

  Result<void> replay();
  void start() {
    follower_ = std::thread([this] { follow(); });
  }

  Result<LookupPage> lookup(const LookupQuery& query) override;
  Result<bool> contains(std::string_view record_id) override;
  Result<std::optional<std::string>> content_hash(std::string_view record_id) override;
  Result<std::vector<std::optional<std::string>>> content_hashes(
      const std::vector<std::string_view>& record_ids) override;
  Timestamp oldest_kept() const override { return clock_.now() - options_.retention; }
  std::vector<std::string> accounts() override EXCLUDES(index_mutex_);
  Offset needed_from() const override EXCLUDES(index_mutex_);
  Offset applied_end() const override EXCLUDES(state_mutex_);
  std::uint64_t size() const override EXCLUDES(index_mutex_);
  void wake() override EXCLUDES(state_mutex_);
  void stop() override { stop_follower(); }

 private:
  [[nodiscard]] Kept kept() const { return {.oldest = oldest_kept(), .first = journal_.begin()}; }

  void stop_follower() EXCLUDES(state_mutex_);
  void follow() EXCLUDES(state_mutex_);
  bool await_work() EXCLUDES(state_mutex_);
  bool is_stopping() const EXCLUDES(state_mutex_);
  void end_pass(Result<void> outcome) EXCLUDES(state_mutex_);
  Result<void> apply_all();
  Result<bool> apply_next();
  std::vector<Prepared> prepare(const std::vector<journal::StoredRecord>& batch,
                                Timestamp oldest) const;
  void prune_if_due() EXCLUDES(index_mutex_);

  Result<void> wait_searchable(Offset end) EXCLUDES(state_mutex_);
  std::optional<Offset> find_id(std::string_view record_id) EXCLUDES(index_mutex_);
  Result<std::optional<Offset>> find_id_or_wait(std::string_view record_id, Offset end);
  Result<std::optional<std::string>> content_hash(std::string_view record_id, Offset end);
  Result<LookupPage> lookup_by_id(const Listing& listing);
  std::vector<EntryKey> candidates(const Listing& listing, EntryKey before, std::size_t count_max)
      EXCLUDES(index_mutex_);
  Result<void> append_matches(const Listing& listing, const std::vector<EntryKey>& keys,
                              std::vector<FoundEvent>& events);

  journal::Journal& journal_;
  const io::Clock& clock_;
  const HistoryOptions options_;
  const KeyHash hash_;
  RecordReader reader_;
  const metrics::Gauge records_gauge_ =
      metrics::gauge("opentrail_history_records", "Records that event history can find");
  Timestamp pruned_at_ = Timestamp::min();  ///< Of whoever applies: replay, then the follower.

  /// Held for scans and additions in memory only, never while the journal reads.
  mutable Mutex index_mutex_;
  EventIndex index_ GUARDED_BY(index_mutex_);
  IdTable ids_ GUARDED_BY(index_mutex_);

  /// Apart from the index, so that wake() never waits for a scan.
  mutable Mutex state_mutex_;
  Condition state_changed_;
  Offset applied_ GUARDED_BY(state_mutex_);
  bool woken_ GUARDED_BY(state_mutex_) = true;
  bool following_ GUARDED_BY(state_mutex_) = false;
  bool stopping_ GUARDED_BY(state_mutex_) = false;
  std::optional<Error> failure_ GUARDED_BY(state_mutex_);  ///< Of the last pass.

  std::thread follower_;
};

// ---- the follower
// --------------------------------------------------------------------------------

Result<void> JournalHistory::replay() {
  const auto started = SteadyClock::now();
  OT_TRY_DO(apply_all());
  const std::chrono::duration<double> took = SteadyClock::now() - started;
  log::info("history: {} records searchable, journal replayed up to offset {} in {:.1f} s", size(),
            value(applied_end()), took.count());
  return {};
}

void JournalHistory::follow() {
  while (await_work()) {
    prune_if_due();
    end_pass(apply_all());
  }
}

/// False when the follower is to end.
bool JournalHistory::await_work() {
  const auto deadline = SteadyClock::now() + kPruneInterval;
  const MutexLock lock(state_mutex_);
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
  const MutexLock lock(state_mutex_);
  following_ = false;
  if (!outcome && !failure_) {
    log::error("history: stopped at offset {}; it tries again with the next record: {}",
               value(applied_), outcome.error().message());
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

/// One batch. False when everything durable is applied.
Result<bool> JournalHistory::apply_next() {
  const Offset from = applied_end();
  if (from >= journal_.durable_end()) {
    return false;
  }
  auto batch = journal_.read(from, kBatchBytesMax);
  Offset end = from;
  if (!batch) {
    if (batch.error().code() != ErrorCode::NotFound || journal_.begin() <= from) {
      return std::unexpected(std::move(batch).error());
    }
    end = journal_.begin();
    log::warn("history: the journal dropped records {} to {} before they were read", value(from),
              value(end));
  } else if (!batch->empty()) {
    const Kept kept_now = kept();
    const std::vector<Prepared> prepared = prepare(*batch, kept_now.oldest);
    end = batch->back().offset + 1;
    prune_if_due();
    const MutexLock lock(index_mutex_);
    for (const Prepared& one : prepared) {
      if (ids_.add(one.id, one.key.offset, one.key.time, kept_now) && one.is_searchable) {
        index_.add(one.account_id, one.region, one.key, one.terms);
      }
    }
  }
  const MutexLock lock(state_mutex_);
  applied_ = end;
  state_changed_.notify_all();
  return end > from;
}

std::vector<Prepared> JournalHistory::prepare(const std::vector<journal::StoredRecord>& batch,
                                              Timestamp oldest) const {
  std::vector<Prepared> prepared;
  prepared.reserve(batch.size());
  for (const auto& [offset, record] : batch) {
    if (record.event_time < oldest) {
      continue;
    }
    Prepared one;
    one.key = {.time = record.event_time, .offset = offset};
    one.id = hash_.id(record.id);
    one.is_searchable = record.category == record::Category::Management;
    if (one.is_searchable) {
      one.account_id = record.account_id;
      one.region = record.region;
      if (const auto fields = record::lookup_fields(record.json)) {
        one.terms = terms_of(hash_, *fields);
      } else {
        log::warn("history: record {} can be listed but not searched for: {}", value(offset),
                  fields.error().message());
      }
    }
    prepared.push_back(std::move(one));
  }
  return prepared;
}

void JournalHistory::prune_if_due() {
  const Timestamp now = clock_.now();
  if (pruned_at_ <= now && now - kPruneInterval < pruned_at_) {
    return;
  }
  pruned_at_ = now;
  const Kept kept_now = kept();
  const MutexLock lock(index_mutex_);
  index_.prune(kept_now);
  ids_.clean_next_shard(kept_now);
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

// ---- read your writes
// ----------------------------------------------------------------------------

Result<void> JournalHistory::wait_searchable(Offset end) {
  if (applied_end() >= end) {
    return {};
  }
  const auto deadline = SteadyClock::now() + kSearchableTimeout;
  if (const auto durable = journal_.wait_durable(end, kSearchableTimeout); !durable) {
    return fail(ErrorCode::Unavailable,
                "the records accepted so far are not on disk: " + durable.error().message());
  }
  wake();
  const MutexLock lock(state_mutex_);
  while (applied_ < end) {
    if (stopping_) {
      return fail(ErrorCode::Unavailable, "event history is stopping");
    }
    if (failure_ && !woken_ && !following_) {
      return fail(ErrorCode::Unavailable,
                  "event history cannot read the journal: " + failure_->message());
    }
    if (!state_changed_.wait_until(state_mutex_, deadline)) {
      return fail(ErrorCode::Unavailable,
                  "event history is behind the journal; try again in a while");
    }
  }
  return {};
}

std::optional<Offset> JournalHistory::find_id(std::string_view record_id) {
  const IdHash id = hash_.id(record_id);
  const Kept kept_now = kept();
  const MutexLock lock(index_mutex_);
  return ids_.find(id, kept_now);
}

/// What is found already stays found: only a miss has to wait for what is on its way.
Result<std::optional<Offset>> JournalHistory::find_id_or_wait(std::string_view record_id,
                                                              Offset end) {
  if (const auto offset = find_id(record_id)) {
    return offset;
  }
  OT_TRY_DO(wait_searchable(end));
  return find_id(record_id);
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
  return reader_.content_hash(*offset, record_id);
}

// ---- lookup
// --------------------------------------------------------------------------------------

Result<LookupPage> JournalHistory::lookup(const LookupQuery& query) {
  OT_TRY_DO(wait_searchable(journal_.end()));
  OT_TRY(Listing listing, Listing::begin(query, kept(), applied_end()));
  if (query.filter && query.filter->key == LookupKey::EventId) {
    return lookup_by_id(listing);
  }
  if (query.filter) {
    listing.bounds.term = hash_.term(query.filter->key, query.filter->value);
  }
  LookupPage page;
  EntryKey before = listing.before;
  while (true) {
    const std::size_t wanted = query.results_max - page.events.size();
    std::vector<EntryKey> keys = candidates(listing, before, wanted + 1);
    const bool has_more = keys.size() > wanted;
    keys.resize(std::min(keys.size(), wanted));
    OT_TRY_DO(append_matches(listing, keys, page.events));
    if (!has_more) {
      return page;
    }
    before = keys.back();
    if (page.events.size() == query.results_max) {
      page.next_token = listing.token_after(before);
      return page;
    }
  }
}

/// The next `count_max` records that the index takes for matches, in small steps under the lock.
std::vector<EntryKey> JournalHistory::candidates(const Listing& listing, EntryKey before,
                                                 std::size_t count_max) {
  std::vector<EntryKey> keys;
  bool finished = false;
  while (!finished && keys.size() < count_max) {
    const MutexLock lock(index_mutex_);
    const ScanResult step = index_.scan(listing.query.account_id, listing.query.region, before,
                                        listing.bounds, count_max - keys.size());
    keys.insert(keys.end(), step.found.begin(), step.found.end());
    before = step.reached;
    finished = step.finished;
  }
  return keys;
}

/// Reads the candidates and keeps those that match in truth: a term is only a hash, and the journal
/// may have dropped a record meanwhile.
Result<void> JournalHistory::append_matches(const Listing& listing,
                                            const std::vector<EntryKey>& keys,
                                            std::vector<FoundEvent>& events) {
  std::vector<Offset> offsets(keys.size());
  std::ranges::transform(keys, offsets.begin(), &EntryKey::offset);
  OT_TRY(auto records, reader_.read(offsets));
  for (auto& record : records) {
    if (!record) {
      continue;
    }
    if (auto event = listing.matched(*std::move(record))) {
      events.push_back(*std::move(event));
    }
  }
  return {};
}

Result<LookupPage> JournalHistory::lookup_by_id(const Listing& listing) {
  LookupPage page;
  const auto offset = find_id(listing.query.filter->value);
  if (!offset || *offset >= listing.bounds.end) {
    return page;
  }
  const std::vector<EntryKey> keys{{.time = {}, .offset = *offset}};
  OT_TRY_DO(append_matches(listing, keys, page.events));
  return page;
}

// ---- figures
// -------------------------------------------------------------------------------------

std::vector<std::string> JournalHistory::accounts() {
  const MutexLock lock(index_mutex_);
  return index_.accounts();
}

Offset JournalHistory::needed_from() const {
  // Read first: what is indexed after this is not before it.
  const Offset applied = applied_end();
  const MutexLock lock(index_mutex_);
  return index_.lowest_offset().value_or(applied);
}

Offset JournalHistory::applied_end() const {
  const MutexLock lock(state_mutex_);
  return applied_;
}

std::uint64_t JournalHistory::size() const {
  const MutexLock lock(index_mutex_);
  return index_.size();
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

Result<std::unique_ptr<History>> History::open(journal::Journal& journal, const io::Clock& clock,
                                               HistoryOptions options) {
  // The key of the hashes in memory: it decides no answer, so no test has to choose it.
  io::SystemRandom random;
  auto history = std::make_unique<JournalHistory>(journal, clock, options, random);
  OT_TRY_DO(history->replay());
  history->start();
  return history;
}

}  // namespace opentrail::history
