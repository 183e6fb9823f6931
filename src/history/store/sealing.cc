#include "base/log.h"
#include "base/metrics.h"
#include "history/store/event_store.h"

#include <algorithm>

/// The thread of the store that seals, merges and drops.
namespace opentrail::history {
namespace {

using journal::Offset;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kSegmentFanIn = 8;
/// At a stop a tail of this share of a seal is sealed: less is replayed in a moment.
constexpr std::size_t kSealShareAtStop = 8;

/// A merge is begun when the disk has this many times its bytes left.
constexpr std::uint64_t kRoomForMerge = 2;

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

metrics::Gauge& damaged_gauge() {
  static metrics::Gauge gauge = metrics::gauge(
      "opentrail_history_segments_damaged",
      "Segments of event history in which damage was found: searches that need it fail");
  return gauge;
}

}  // namespace

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

/// What failed is done with the next pass.
void EventStore::come_back_to(const Work& work) {
  if (work.expire && !expire_) {
    expire_ = work.expire;
  }
  merge_due_ = merge_due_ || work.merge || !work.to_seal.empty();
}

/// At a stop, what would take long to be replayed is sealed, once.
bool EventStore::seals_now() const {
  if (tail_.empty()) {
    return false;
  }
  const bool old = expire_ && tail_.front().meta().newest < *expire_;
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
  const bool look_again = work.expire && merge_postponed_;
  if (!work.merge && work.to_seal.empty() && !look_again) {
    return {};
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

/// False when there is nothing to merge.
Result<bool> EventStore::merge_once() {
  const auto neighbours = to_merge();
  if (!neighbours) {
    return false;
  }
  OT_TRY(const bool has_room, has_room_for(*neighbours));
  if (!has_room) {
    return false;
  }
  if (auto merged = set_->merge(neighbours->at, neighbours->count); !merged) {
    const bool full = merged.error().code() == ErrorCode::ResourceExhausted;
    if (full || !note_damage_among(*neighbours, merged.error())) {
      return std::unexpected(std::move(merged).error());
    }
    return true;  // there may be others
  }
  seal_counter().add();
  const MutexLock lock(mutex_);
  publish_segments();
  return true;
}

/// Merging can wait, and must not take the room that new records need. It is tried again with the
/// next seal, and once a minute.
Result<bool> EventStore::has_room_for(Neighbours neighbours) {
  std::uint64_t bytes = 0;
  for (const auto& segment : std::span(set_->segments()).subspan(neighbours.at, neighbours.count)) {
    bytes += segment->bytes();
  }
  OT_TRY(const std::uint64_t room, files_.free_bytes(options_.folder));
  const bool has_room = room / kRoomForMerge >= bytes;
  if (!has_room && !merge_postponed_) {
    log::warn(
        "history: the disk of {} has {} bytes left: segments of {} bytes are merged once there is "
        "more. Searches stay right and get slower",
        options_.folder, room, bytes);
  }
  merge_postponed_ = !has_room;
  return has_room;
}

/// Neighbours of about the same size when there are enough of them: a record is written again once
/// each time its segment gets so many times larger.
std::optional<EventStore::Neighbours> EventStore::to_merge() const {
  const Segments& segments = set_->segments();
  std::set<Offset> damaged;
  {
    const MutexLock lock(mutex_);
    damaged = damaged_;
  }
  const auto docs_of = [&](std::size_t i) { return segments[i]->index().meta().docs; };
  const auto follow = [&](std::size_t i) { return segments[i]->end() == segments[i + 1]->first(); };
  for (std::size_t docs_max = options_.seal_records * kSegmentFanIn / 2;
       docs_max < options_.segment_records_max; docs_max *= kSegmentFanIn) {
    const auto takes = [&](std::size_t i) {
      return i < segments.size() && docs_of(i) < docs_max &&
             !damaged.contains(segments[i]->first());
    };
    for (std::size_t at = 0; at < segments.size();) {
      std::size_t count = 0;
      std::uint64_t docs = 0;
      bool goes_on = takes(at);
      while (goes_on && count < kSegmentFanIn &&
             docs + docs_of(at + count) <= options_.segment_records_max * 5 / 4) {
        docs += docs_of(at + count++);
        goes_on = takes(at + count) && follow(at + count - 1);
      }
      // Fewer will do when more would be too large, and what they make is not merged again with
      // their like.
      const bool enough = goes_on && count > 1 && docs >= docs_max;
      if (count == kSegmentFanIn || enough) {
        return Neighbours{.at = at, .count = count};
      }
      at += std::max<std::size_t>(count, 1);
    }
  }
  return std::nullopt;
}

/// Finds out which of them it was, so that the others are merged without it. False when they are
/// whole, and it was something that passes.
bool EventStore::note_damage_among(Neighbours neighbours, const Error& cause) {
  const auto all = std::span(set_->segments()).subspan(neighbours.at, neighbours.count);
  bool found = false;
  for (const auto& segment : all) {
    if (const auto whole = segment->check(); !whole) {
      note_damage(*segment, whole.error());
      found = true;
    }
  }
  if (found || cause.code() != ErrorCode::Corruption) {
    return found;
  }
  // Whole, and yet it makes no sense: none of them is tried again.
  for (const auto& segment : all) {
    note_damage(*segment, cause);
  }
  return true;
}

void EventStore::note_damage(const SegmentFile& segment, const Error& error) const {
  const MutexLock lock(mutex_);
  if (!damaged_.insert(segment.first()).second) {
    return;
  }
  damaged_gauge().set(static_cast<double>(damaged_.size()));
  log::error(
      "history: {}: damage among the records {} to {} of {}. Whatever needs the damaged part is "
      "answered with an error, all else goes on. Stop the server and put the file back from a copy",
      error.message(), value(segment.first()), value(segment.end()), segment.path());
}

std::size_t EventStore::damaged() const {
  const MutexLock lock(mutex_);
  return damaged_.size();
}

void EventStore::publish_segments() {
  segments_ = set_->segments();
  segments_gauge().set(static_cast<double>(segments_.size()));
  std::erase_if(damaged_, [this](Offset first) REQUIRES(mutex_) {
    return std::ranges::none_of(segments_,
                                [first](const auto& one) { return one->first() == first; });
  });
  damaged_gauge().set(static_cast<double>(damaged_.size()));
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
