#include "history/id_table.h"

#include <algorithm>
#include <limits>

namespace opentrail::history {

std::uint32_t IdTable::seconds_of(Timestamp time) {
  const std::int64_t seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  constexpr std::int64_t kSecondsMax = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, kSecondsMax));
}

bool IdTable::is_kept(const Place& place, const Kept& kept) {
  return place.seconds >= seconds_of(kept.oldest) && place.offset >= value(kept.first);
}

bool IdTable::add(IdHash id, journal::Offset offset, Timestamp event_time, const Kept& kept) {
  const Place place{.offset = value(offset), .seconds = seconds_of(event_time)};
  const auto [at, added] =
      shards_[shard_of(id)].try_emplace(Key{.high = id.high, .low = id.low}, place);
  if (added) {
    return true;
  }
  if (is_kept(at->second, kept)) {
    return false;
  }
  at->second = place;
  return true;
}

std::optional<journal::Offset> IdTable::find(IdHash id, const Kept& kept) const {
  const Shard& shard = shards_[shard_of(id)];
  const auto at = shard.find(Key{.high = id.high, .low = id.low});
  if (at == shard.end() || !is_kept(at->second, kept)) {
    return std::nullopt;
  }
  return journal::Offset{at->second.offset};
}

void IdTable::clean_next_shard(const Kept& kept) {
  boost::unordered::erase_if(shards_[next_shard_], [&](const Shard::value_type& entry) {
    return !is_kept(entry.second, kept);
  });
  next_shard_ = (next_shard_ + 1) % kShards;
}

std::size_t IdTable::size() const {
  std::size_t total = 0;
  for (const Shard& shard : shards_) {
    total += shard.size();
  }
  return total;
}

}  // namespace opentrail::history
