#include "base/log.h"
#include "history/store/event_store.h"

#include <algorithm>

/// Which record counts of those with the same id, in memory and in the sealed segments.
namespace opentrail::history {
namespace {

using journal::Offset;

constexpr std::size_t kKnownAbsentMax = 64 << 10;
constexpr unsigned kHashShift = 64 - kIdHashBits;

}  // namespace

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
      OT_TRY_DO(ids_in(segment, one.hash >> kHashShift, found));
      one.sealed_hash = one.sealed_hash || !found.empty();
      for (const Offset offset : found) {
        OT_TRY(const bool same, repeats(one, offset, oldest));
        if (same) {
          one.first = offset;
          break;
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

Result<void> EventStore::ids_in(const std::shared_ptr<const SegmentFile>& segment,
                                std::uint64_t hash, std::vector<Offset>& found) const {
  auto looked = segment->index().find_id(hash, found);
  if (looked || looked.error().code() != ErrorCode::Corruption) {
    return looked;
  }
  note_damage(*segment, looked.error());
  found.clear();
  rescued_ids(segment)->find(hash, found);
  return {};
}

std::shared_ptr<const RescuedIds> EventStore::rescued_ids(
    const std::shared_ptr<const SegmentFile>& segment) const {
  const MutexLock lock(rescue_mutex_);
  // Of segments that aged out since.
  std::erase_if(rescued_, [](const auto& one) { return one.first.use_count() == 1; });
  auto& rescued = rescued_[segment];
  if (!rescued) {
    rescued = std::make_shared<const RescuedIds>(*segment, id_key_);
    log::warn(
        "history: {}: its table of ids is damaged and was made anew from its records; {} of "
        "those cannot be read",
        segment->path(), rescued->unreadable());
  }
  return rescued;
}

/// Whether the record at `first` has the id. A new record is not kept back by one that is damaged;
/// a question is not answered by guessing.
Result<bool> EventStore::repeats(const Asked& one, Offset first, Timestamp oldest) const {
  auto same = has_id(first, one.id, oldest);
  if (!same && one.record != nullptr && same.error().code() == ErrorCode::Corruption) {
    if (const auto segment = segment_of(first)) {
      note_damage(*segment, same.error());
    }
    return false;
  }
  return same;
}

/// What is applied is noted in `ids_` anyway. An id that is there and only too old for whoever asks
/// is not absent: the next one may ask for all times.
void EventStore::note_absent(const std::vector<Asked>& asked,
                             std::span<const std::uint32_t> looked_for) const {
  if (known_absent_.size() > kKnownAbsentMax) {
    known_absent_.clear();
  }
  for (const std::uint32_t i : looked_for) {
    if (!asked[i].sealed_hash && asked[i].record == nullptr) {
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

Offset EventStore::first_by_now(const Asked& one) const {
  const MutexLock lock(mutex_);
  const auto place = ids_.find(one.hash);
  return place != ids_.end() && place->second != one.own ? place->second : *one.first;
}

/// The one that counts is sealed already: this one was only noted until that was known.
void EventStore::forget(const Asked& one) {
  const MutexLock lock(mutex_);
  if (const auto place = ids_.find(one.hash); place != ids_.end() && place->second == one.own) {
    ids_.erase(place);
  }
}

Result<bool> EventStore::has_id(Offset offset, std::string_view id, Timestamp oldest) const {
  const auto block = read_block(*this, block_cache_, offset);
  if (!block && block.error().code() == ErrorCode::NotFound && offset < needed_from()) {
    return false;  // Its segment aged out meanwhile.
  }
  if (!block) {
    return std::unexpected(block.error());
  }
  const ReadBlock& read = **block;
  OT_TRY(const auto record, read.records.record(value(offset) - value(read.first)));
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

}  // namespace opentrail::history
