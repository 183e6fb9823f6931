#pragma once
#include "history/kept.h"
#include "history/key_hash.h"
#include "journal/journal.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include <boost/unordered/unordered_flat_map.hpp>

namespace opentrail::history {

/// Which ids are there and where the first record of each stands: record id -> offset, over all
/// accounts, Regions and categories. Split into shards, so that neither growing nor cleaning ever
/// holds the caller's lock for long. Not safe for threads: the owner locks.
class IdTable {
 public:
  /// Adds the id unless it is there. False for a repeated id: then nothing changes.
  bool add(IdHash id, journal::Offset offset, Timestamp event_time, const Kept& kept);
  /// Where the first record of the id is; absent when there is none, or it is not kept.
  [[nodiscard]] std::optional<journal::Offset> find(IdHash id, const Kept& kept) const;

  /// Forgets the ids of one shard that are not kept; the next shard at each call.
  void clean_next_shard(const Kept& kept);
  /// Ids remembered, those included that are not forgotten yet.
  [[nodiscard]] std::size_t size() const;

  static constexpr std::size_t kShards = 64;

 private:
  /// 24 bytes a slot; whole seconds since 1970, cut to what fits, are enough to forget by.
  struct Place {
    std::uint64_t offset;
    std::uint32_t seconds;
  } __attribute__((packed, aligned(4)));
  struct Key {
    std::uint64_t high;
    std::uint32_t low;
    bool operator==(const Key&) const = default;
  } __attribute__((packed, aligned(4)));
  struct KeyHasher {
    using is_avalanching = void;  // The key is a hash already.
    std::size_t operator()(const Key& key) const { return key.high; }
  };
  using Shard = boost::unordered_flat_map<Key, Place, KeyHasher>;

  [[nodiscard]] static std::uint32_t seconds_of(Timestamp time);
  [[nodiscard]] static bool is_kept(const Place& place, const Kept& kept);
  [[nodiscard]] static std::size_t shard_of(IdHash id) { return id.low % kShards; }

  std::array<Shard, kShards> shards_;
  std::size_t next_shard_ = 0;
};

}  // namespace opentrail::history
