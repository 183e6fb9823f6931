#include "history/store/event_store.h"

#include "base/log.h"
#include "history/index/index_builder.h"
#include "history/store/record_terms.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::history {
namespace {

using journal::Offset;

/// A run this long becomes an index at once, without going through the table of recent records.
constexpr std::size_t kDirectDocs = 256;
/// The table of recent records is frozen at the latest when its run is so long, whatever it holds.
constexpr std::uint64_t kRecentRecordsMax = 64 << 10;
/// Small indexes of about the same size are merged when there are so many of them.
constexpr std::size_t kTailFanIn = 8;
constexpr unsigned kHashShift = 64 - kIdHashBits;
/// In the history's folder.
constexpr std::string_view kBeginAnewFile = "begin-anew";

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
    return begin_anew();
  }
  return fail(ErrorCode::Corruption,
              fmt::format("records {} to {} are neither in event history nor on the journal",
                          value(sealed_end), value(journal_.begin())));
}

/// A history that was there and is gone is not taken for one that never was: perhaps its disk is
/// not mounted. Whoever wants to go on without it says so, once.
Result<void> EventStore::begin_anew() {
  const std::string consent = io::join_path(options_.folder, kBeginAnewFile);
  if (!files_.exists(consent)) {
    return fail(ErrorCode::Corruption,
                fmt::format("records 0 to {} were in event history, and there is none in {}. Mount "
                            "its disk or put the folder back from a copy. To go on without these "
                            "records, make an empty file {} and start again",
                            value(journal_.begin()), options_.folder, consent));
  }
  log::warn("history: it begins anew at record {}, as {} asks for; what was before it is lost",
            value(journal_.begin()), consent);
  OT_TRY_DO(set_->begin_at(journal_.begin()));
  return files_.remove(consent);
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
      // It may have been one that is not kept any more, and a record of this batch counts since.
      OT_TRY(const bool repeated, repeats(one, first_by_now(one), oldest));
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
  auto meta = merge_indexes(sources, sink, Filtered::No);
  OT_CHECK(meta.has_value());  // Our own memory, just made.
  Part merged{.index = std::make_shared<const Index>(*std::move(meta), sink.take()),
              .segment = nullptr};
  const MutexLock lock(mutex_);
  if (tail_.size() >= sealing_parts_ + kTailFanIn) {
    tail_.resize(tail_.size() - kTailFanIn);
    tail_.push_back(std::move(merged));
  }
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

}  // namespace opentrail::history
