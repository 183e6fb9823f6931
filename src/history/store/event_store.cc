#include "history/store/event_store.h"

#include "base/log.h"
#include "base/metrics.h"
#include "history/index/index_builder.h"
#include "history/store/record_terms.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::history {
namespace {

using journal::Offset;
using SteadyClock = std::chrono::steady_clock;

/// A run this long becomes an index at once, without going through the table of recent records.
constexpr std::size_t kDirectDocs = 256;
/// The table of recent records is frozen at the latest when its run is so long, whatever it holds.
constexpr std::uint64_t kRecentRecordsMax = 64 << 10;
/// Small indexes of about the same size are merged when there are so many of them.
constexpr std::size_t kTailFanIn = 8;
constexpr std::size_t kSegmentFanIn = 8;
constexpr std::size_t kKnownAbsentMax = 64 << 10;
/// At a stop a tail of this share of a seal is sealed: less is replayed in a moment.
constexpr std::size_t kSealShareAtStop = 8;
constexpr unsigned kHashShift = 64 - kIdHashBits;

metrics::Counter& seal_counter() {
  static metrics::Counter counter = metrics::counter("opentrail_history_segments_written_total",
                                                     "Segments sealed or merged by event history");
  return counter;
}

metrics::Gauge& segments_gauge() {
  static metrics::Gauge gauge =
      metrics::gauge("opentrail_history_segments", "Sealed segments of event history");
  return gauge;
}

}  // namespace

// ---- opening
// -------------------------------------------------------------------------------------

Result<std::unique_ptr<EventStore>> EventStore::open(io::Filesystem& files,
                                                     journal::Journal& journal, io::Random& random,
                                                     StoreOptions options) {
  std::unique_ptr<EventStore> store(new EventStore(files, journal, std::move(options)));
  OT_TRY_DO(store->start(random));
  return store;
}

Result<void> EventStore::start(io::Random& random) {
  OT_TRY(set_, SegmentSet::open(files_, options_.folder, random));
  OT_TRY_DO(check_journal(set_->sealed_end()));
  id_key_ = set_->id_key();
  {
    const MutexLock lock(mutex_);
    publish_segments();
    recent_ = std::make_shared<RecentDocs>();
    applied_end_ = set_->sealed_end();
    recent_first_ = applied_end_;
  }
  sealer_ = std::thread([this] { run(); });
  return {};
}

/// The journal and what is sealed must meet, or records are missing that once were acknowledged.
Result<void> EventStore::check_journal(Offset sealed_end) {
  if (journal_.durable_end() < sealed_end) {
    return fail(ErrorCode::Corruption,
                fmt::format("the journal ends at record {}, and event history holds records up to "
                            "{}: the journal's disk lost what it had confirmed. Put the journal "
                            "back from a copy, or move it and the history away together",
                            value(journal_.durable_end()), value(sealed_end)));
  }
  if (journal_.begin() <= sealed_end) {
    return {};
  }
  if (sealed_end == Offset{0} && set_->segments().empty()) {
    log::info("history: the journal begins at record {}; so does the history",
              value(journal_.begin()));
    return set_->begin_at(journal_.begin());
  }
  return fail(ErrorCode::Corruption,
              fmt::format("records {} to {} are neither in event history nor on the journal",
                          value(sealed_end), value(journal_.begin())));
}

EventStore::~EventStore() { stop(); }

void EventStore::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (sealer_.joinable()) {
    sealer_.join();
  }
}

// ---- applying
// ------------------------------------------------------------------------------------

Result<void> EventStore::apply(std::span<const journal::RecordRun> runs, Timestamp oldest) {
  const Offset from = applied_end();
  OT_CHECK(runs.front().first <= from && from < runs.back().end());
  {
    const MutexLock lock(mutex_);
    if (unsealed_docs() >= options_.unsealed_records_max) {
      return fail(ErrorCode::Throttled, failure_
                                            ? "event history cannot seal: " + failure_->message()
                                            : "event history is behind with sealing");
    }
  }
  OT_TRY(auto docs, new_docs(runs, from, oldest));
  add_docs({.first = from, .end = runs.back().end()}, std::move(docs));
  return {};
}

/// What of the runs, from `from` on, is to be found.
Result<std::vector<NewDoc>> EventStore::new_docs(std::span<const journal::RecordRun> runs,
                                                 Offset from, Timestamp oldest) {
  std::vector<Asked> asked;
  Offset next = from;
  for (const journal::RecordRun& run : runs) {
    // A run may begin before what was asked for: with what the one before it ended with.
    OT_CHECK(run.first <= next && next < run.end());
    const std::size_t skip = value(next) - value(run.first);
    next = run.end();
    for (std::size_t i = skip; i < run.records->size(); ++i) {
      const record::Record& record = (*run.records)[i];
      if (record.event_time >= oldest) {
        asked.push_back({.hash = sip_hash(id_key_, record.id),
                         .id = record.id,
                         .own = run.first + i,
                         .record = &record,
                         .first = std::nullopt});
      }
    }
  }
  find_first(asked);
  OT_TRY_DO(find_sealed(asked, oldest));
  std::vector<NewDoc> docs;
  docs.reserve(asked.size());
  for (const Asked& one : asked) {
    if (one.first) {
      OT_TRY(const bool repeated, has_id(*one.first, one.id, oldest));
      if (repeated) {
        forget(one);
        continue;
      }
      remember(one);
    }
    docs.push_back({.key = {.time = one.record->event_time, .offset = one.own},
                    .id_hash = one.hash >> kHashShift,
                    .terms = terms_of(*one.record)});
  }
  return docs;
}

/// Few go into the table of recent records; many become an index at once.
void EventStore::add_docs(RecordRange range, std::vector<NewDoc> docs) {
  std::shared_ptr<RecentDocs> recent;
  Offset recent_first{0};
  {
    const MutexLock lock(mutex_);
    recent = recent_;
    recent_first = recent_first_;
  }
  const bool direct = docs.size() >= kDirectDocs;
  const bool full = recent->size() + docs.size() > RecentDocs::kRoom ||
                    value(range.end) - value(recent_first) > kRecentRecordsMax;
  std::unique_ptr<const Index> frozen;
  std::unique_ptr<const Index> built;
  if ((direct || full) && recent_first < range.first) {
    frozen = build_index({recent_first, range.first}, recent->copy());
  }
  if (direct) {
    built = build_index(range, std::exchange(docs, {}));
  }
  const bool grows = frozen || built;
  {
    const MutexLock lock(mutex_);
    if (frozen) {
      add_tail_part(std::move(frozen));
      recent_ = std::make_shared<RecentDocs>();
      recent_first_ = range.first;
    }
    if (built) {
      add_tail_part(std::move(built));
      recent_first_ = range.end;
    }
    for (NewDoc& doc : docs) {
      recent_->add(std::move(doc));
    }
    applied_end_ = range.end;
    changed_.notify_all();
  }
  if (grows) {
    merge_small_parts();
  }
}

std::size_t EventStore::unsealed_docs() const {
  std::size_t docs = recent_->size();
  for (const Part& part : tail_) {
    docs += part.meta().docs;
  }
  return docs;
}

void EventStore::add_tail_part(std::unique_ptr<const Index> index) {
  tail_.push_back({.index = std::move(index), .segment = nullptr});
}

/// Keeps the number of indexes in memory small when records come one by one. Merges without the
/// lock: nobody else adds to the tail, and what the sealing thread has taken meanwhile stays as it
/// is.
void EventStore::merge_small_parts() {
  std::vector<Part> last;
  {
    const MutexLock lock(mutex_);
    if (tail_.size() < sealing_parts_ + kTailFanIn) {
      return;
    }
    last.assign(tail_.end() - kTailFanIn, tail_.end());
  }
  const auto is_small = [](const Part& part) {
    return part.meta().docs < RecentDocs::kRoom * kTailFanIn;
  };
  if (!std::ranges::all_of(last, is_small)) {
    return;
  }
  std::vector<const Index*> sources;
  sources.reserve(last.size());
  for (const Part& part : last) {
    sources.push_back(part.index.get());
  }
  MemorySink sink;
  auto meta = merge_indexes(sources, sink);
  OT_CHECK(meta.has_value());  // Our own memory, just made.
  Part merged{.index = std::make_shared<const Index>(*std::move(meta), sink.take()),
              .segment = nullptr};
  const MutexLock lock(mutex_);
  if (tail_.size() >= sealing_parts_ + kTailFanIn) {
    tail_.resize(tail_.size() - kTailFanIn);
    tail_.push_back(std::move(merged));
  }
}

// ---- ids
// -----------------------------------------------------------------------------------------

/// Finds in memory who came first with each id, and notes those that are the first.
void EventStore::find_first(std::vector<Asked>& asked) {
  const MutexLock lock(mutex_);
  for (Asked& one : asked) {
    const auto [place, is_new] = ids_.try_emplace(one.hash, one.own);
    // After a failure the same records come again: they do not repeat themselves.
    if (!is_new && place->second != one.own) {
      one.first = place->second;
    }
  }
}

/// Looks into the sealed segments for ids that memory does not know.
Result<void> EventStore::find_sealed(std::vector<Asked>& asked, Timestamp oldest) const {
  Segments segments;
  std::uint64_t seals = 0;
  std::vector<std::uint32_t> order;
  order.reserve(asked.size());
  {
    const MutexLock lock(mutex_);
    segments = segments_;
    seals = seals_;
    for (std::uint32_t i = 0; i < asked.size(); ++i) {
      if (!asked[i].first && !known_absent_.contains(asked[i].hash)) {
        order.push_back(i);
      }
    }
  }
  if (segments.empty() || order.empty()) {
    return {};
  }
  // In the order of the hashes, which is the order of the ids on disk.
  std::ranges::sort(order, {}, [&](std::uint32_t i) { return asked[i].hash; });
  std::vector<Offset> found;
  for (const auto& segment : segments) {
    for (const std::uint32_t i : order) {
      Asked& one = asked[i];
      if (one.first) {
        continue;
      }
      found.clear();
      OT_TRY_DO(segment->index().find_id(one.hash >> kHashShift, found));
      for (const Offset offset : found) {
        OT_TRY(const bool same, has_id(offset, one.id, oldest));
        if (same) {
          one.first = offset;
        }
      }
    }
  }
  const MutexLock lock(mutex_);
  if (seals == seals_) {
    note_absent(asked, order);
  }
  return {};
}

/// What is applied is noted in `ids_` anyway.
void EventStore::note_absent(const std::vector<Asked>& asked,
                             std::span<const std::uint32_t> looked_for) const {
  if (known_absent_.size() > kKnownAbsentMax) {
    known_absent_.clear();
  }
  for (const std::uint32_t i : looked_for) {
    if (!asked[i].first && asked[i].record == nullptr) {
      known_absent_.insert(asked[i].hash);
    }
  }
}

/// Another id of the same hash is there, or the same one is not kept any more: from here on this
/// record is the one that counts.
void EventStore::remember(const Asked& one) {
  const MutexLock lock(mutex_);
  ids_.insert_or_assign(one.hash, one.own);
}

/// The one that counts is sealed already: this one was only noted until that was known.
void EventStore::forget(const Asked& one) {
  const MutexLock lock(mutex_);
  if (const auto place = ids_.find(one.hash); place != ids_.end() && place->second == one.own) {
    ids_.erase(place);
  }
}

Result<bool> EventStore::has_id(Offset offset, std::string_view id, Timestamp oldest) const {
  const auto block = block_at(offset);
  if (!block && block.error().code() == ErrorCode::NotFound && offset < needed_from()) {
    return false;  // Its segment aged out meanwhile.
  }
  if (!block) {
    return std::unexpected(block.error());
  }
  OT_TRY(const auto decoded, block->decode());
  OT_TRY(const auto record, decoded.record(value(offset) - value(block->first)));
  return record.id == id && record.event_time >= oldest;
}

Result<std::optional<Offset>> EventStore::find_id(std::string_view id, Timestamp oldest) const {
  OT_TRY(const auto found, find_ids({&id, 1}, oldest));
  return found.front();
}

Result<std::vector<std::optional<Offset>>> EventStore::find_ids(
    std::span<const std::string_view> ids, Timestamp oldest) const {
  std::vector<Asked> asked;
  asked.reserve(ids.size());
  for (const std::string_view id : ids) {
    asked.push_back({.hash = sip_hash(id_key_, id),
                     .id = id,
                     .own = Offset{0},
                     .record = nullptr,
                     .first = std::nullopt});
  }
  {
    const MutexLock lock(mutex_);
    for (Asked& one : asked) {
      // What is being applied is noted already and may turn out to repeat a sealed one.
      const auto place = ids_.find(one.hash);
      if (place != ids_.end() && place->second < applied_end_) {
        one.first = place->second;
      }
    }
  }
  for (Asked& one : asked) {
    if (one.first) {
      OT_TRY(const bool same, has_id(*one.first, one.id, oldest));
      if (!same) {
        one.first.reset();
      }
    }
  }
  OT_TRY_DO(find_sealed(asked, oldest));
  std::vector<std::optional<Offset>> found;
  found.reserve(asked.size());
  for (const Asked& one : asked) {
    found.push_back(one.first);
  }
  return found;
}

// ---- reading
// -------------------------------------------------------------------------------------

Offset EventStore::applied_end() const {
  const MutexLock lock(mutex_);
  return applied_end_;
}

View EventStore::view() const {
  const MutexLock lock(mutex_);
  View view;
  view.parts.reserve(segments_.size() + tail_.size());
  for (const auto& segment : segments_) {
    view.parts.push_back({.index = {segment, &segment->index()}, .segment = segment});
  }
  view.parts.insert(view.parts.end(), tail_.begin(), tail_.end());
  view.recent = recent_;
  view.recent_count = recent_->size();
  view.end = applied_end_;
  return view;
}

std::shared_ptr<const SegmentFile> EventStore::segment_of(Offset offset) const {
  const MutexLock lock(mutex_);
  const auto after =
      std::ranges::upper_bound(segments_, offset, {}, [](const auto& one) { return one->first(); });
  return after != segments_.begin() && offset < (*std::prev(after))->end() ? *std::prev(after)
                                                                           : nullptr;
}

Result<journal::RawBlock> EventStore::block_at(Offset offset) const {
  if (const auto segment = segment_of(offset)) {
    return segment->block_at(offset);
  }
  auto block = journal_blocks_.block_at(offset);
  if (!block && block.error().code() == ErrorCode::NotFound) {
    // Perhaps it was sealed since we looked, and the journal dropped it after that.
    if (const auto segment = segment_of(offset)) {
      return segment->block_at(offset);
    }
  }
  return block;
}

Offset EventStore::needed_from() const {
  const MutexLock lock(mutex_);
  return tail_.empty() ? recent_first_ : tail_.front().meta().first;
}

std::uint64_t EventStore::size() const {
  const MutexLock lock(mutex_);
  std::uint64_t docs = unsealed_docs();
  for (const auto& segment : segments_) {
    docs += segment->index().meta().docs;
  }
  return docs;
}

std::optional<Error> EventStore::failure() const {
  const MutexLock lock(mutex_);
  return failure_;
}

void EventStore::expire(Timestamp oldest) {
  const MutexLock lock(mutex_);
  expire_ = oldest;
  changed_.notify_all();
}

// ---- the sealing thread
// --------------------------------------------------------------------------

void EventStore::run() {
  while (auto work = await_work()) {
    auto done = do_work(*work);
    const MutexLock lock(mutex_);
    working_ = false;
    if (!done && !failure_) {
      log::error("history: {}; it is tried again", done.error().message());
    }
    failure_ = done ? std::nullopt : std::optional(std::move(done).error());
    changed_.notify_all();
    if (failure_) {
      come_back_to(*work);
      const auto until = SteadyClock::now() + options_.retry_interval;
      while (!stopping_ && changed_.wait_until(mutex_, until)) {
      }
    }
  }
}

/// What failed is done with the next pass. Damaged segments stay so: they are not merged again and
/// again, only when something new is sealed.
void EventStore::come_back_to(const Work& work) {
  if (work.expire && !expire_) {
    expire_ = work.expire;
  }
  merge_due_ = merge_due_ || failure_->code() != ErrorCode::Corruption;
}

/// At a stop, what would take long to be replayed is sealed, once.
bool EventStore::seals_now() const {
  const bool old = expire_ && !tail_.empty() && tail_.front().meta().newest < *expire_;
  std::size_t waiting = 0;
  for (const Part& part : tail_) {
    waiting += part.meta().docs;
  }
  return waiting >= options_.seal_records || sealing_parts_ > 0 || old ||
         (stopping_ && waiting >= options_.seal_records / kSealShareAtStop);
}

std::optional<EventStore::Work> EventStore::await_work() {
  const MutexLock lock(mutex_);
  for (;;) {
    if (stopping_ && (failure_ || !seals_now())) {
      return std::nullopt;
    }
    Work work;
    if (seals_now()) {
      if (sealing_parts_ == 0) {
        sealing_parts_ = tail_.size();
      }
      work.to_seal.assign(tail_.begin(),
                          tail_.begin() + static_cast<std::ptrdiff_t>(sealing_parts_));
    }
    if (!stopping_) {
      work.expire = std::exchange(expire_, std::nullopt);
      work.merge = std::exchange(merge_due_, false);
    }
    if (!work.to_seal.empty() || work.expire || work.merge) {
      working_ = true;
      return work;
    }
    changed_.wait(mutex_);
  }
}

Result<void> EventStore::do_work(const Work& work) {
  if (work.expire) {
    OT_TRY(const std::uint64_t dropped, set_->drop_before(*work.expire));
    if (dropped > 0) {
      log::info("history: dropped {} records older than {}", dropped, to_iso_seconds(*work.expire));
      const MutexLock lock(mutex_);
      publish_segments();
    }
  }
  if (!work.to_seal.empty()) {
    OT_TRY_DO(seal(work.to_seal));
  }
  {
    const MutexLock lock(mutex_);
    if (stopping_) {
      return {};  // it can wait for the next start
    }
  }
  // One at a time: what waits to be sealed goes first.
  OT_TRY(const bool merged, merge_once());
  if (merged) {
    const MutexLock lock(mutex_);
    merge_due_ = true;
  }
  return {};
}

Result<void> EventStore::seal(const std::vector<Part>& parts) {
  const JournalRun blocks(journal_);
  std::vector<SegmentPart> sources;
  sources.reserve(parts.size());
  for (const Part& part : parts) {
    sources.push_back({.index = part.index.get(), .blocks = &blocks});
  }
  OT_TRY_DO(set_->seal(sources));
  seal_counter().add();
  const Offset end = parts.back().meta().end;
  TailIds kept;
  const MutexLock lock(mutex_);
  tail_.erase(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(sealing_parts_));
  sealing_parts_ = 0;
  for (const auto& [hash, offset] : ids_) {
    if (offset >= end) {
      kept.emplace(hash, offset);
    }
  }
  ids_.swap(kept);
  ++seals_;
  known_absent_.clear();
  publish_segments();
  return {};
}

/// Merges neighbours of about the same size when there are enough of them: a record is written
/// again once each time its segment gets so many times larger.
Result<bool> EventStore::merge_once() {
  const Segments& segments = set_->segments();
  const auto docs_of = [&](std::size_t i) { return segments[i]->index().meta().docs; };
  const auto follow = [&](std::size_t i) { return segments[i]->end() == segments[i + 1]->first(); };
  for (std::size_t docs_max = options_.seal_records * kSegmentFanIn / 2;
       docs_max < options_.segment_records_max; docs_max *= kSegmentFanIn) {
    for (std::size_t at = 0; at < segments.size();) {
      std::size_t count = 0;
      std::uint64_t docs = 0;
      while (at + count < segments.size() && count < kSegmentFanIn &&
             docs_of(at + count) < docs_max &&
             docs + docs_of(at + count) <= options_.segment_records_max * 5 / 4 &&
             (count == 0 || follow(at + count - 1))) {
        docs += docs_of(at + count++);
      }
      if (count == kSegmentFanIn) {
        OT_TRY_DO(set_->merge(at, count));
        seal_counter().add();
        const MutexLock lock(mutex_);
        publish_segments();
        return true;
      }
      at += std::max<std::size_t>(count, 1);
    }
  }
  return false;
}

void EventStore::publish_segments() {
  segments_ = set_->segments();
  segments_gauge().set(static_cast<double>(segments_.size()));
}

bool EventStore::wait_settled() {
  const MutexLock lock(mutex_);
  const auto busy = [this]() REQUIRES(mutex_) {
    std::size_t waiting = 0;
    for (const Part& part : tail_) {
      waiting += part.meta().docs;
    }
    return working_ || merge_due_ || expire_ || sealing_parts_ > 0 ||
           waiting >= options_.seal_records;
  };
  while (busy() && !failure_ && !stopping_) {
    changed_.wait(mutex_);
  }
  return !failure_ && !stopping_;
}

}  // namespace opentrail::history
