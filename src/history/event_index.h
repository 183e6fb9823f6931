#pragma once
#include "history/kept.h"
#include "history/key_hash.h"
#include "journal/journal.h"

#include <compare>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace opentrail::history {

/// Where a record stands in a listing: by time, and among equal times by arrival.
struct EntryKey {
  Timestamp time;
  journal::Offset offset{};
  auto operator<=>(const EntryKey&) const = default;
};

/// Greater than every key.
inline constexpr EntryKey kNewestKey{.time = Timestamp::max(),
                                     .offset = journal::Offset{~std::uint64_t{0}}};

/// What a listing may show.
struct ScanBounds {
  Timestamp oldest;          ///< Inclusive.
  Timestamp newest;          ///< Inclusive.
  journal::Offset first;     ///< Offsets before this are gone from the journal.
  journal::Offset end;       ///< Offsets from here on came after the listing began.
  std::optional<Term> term;  ///< Absent: every record.
};

struct ScanResult {
  std::vector<EntryKey> found;  ///< Newest first.
  EntryKey reached;             ///< Go on before this one.
  bool finished = false;        ///< Nothing is left.
};

/// The records of one account and Region, by EntryKey: a row of sorted chunks, so that an addition
/// moves at most one chunk wherever it lands. Not safe for threads: the owner locks.
class EventList {
 public:
  void add(EntryKey key, std::span<const Term> terms);
  /// The next `count_max` entries older than `before`, newest first. Stops early after
  /// kChunksPerScan chunks, so that no caller holds a lock for long.
  [[nodiscard]] ScanResult scan(EntryKey before, const ScanBounds& bounds,
                                std::size_t count_max) const;
  /// Forgets what is not kept.
  void prune(const Kept& kept);

  [[nodiscard]] std::size_t size() const { return size_; }
  /// The lowest offset in the list, absent when it is empty.
  [[nodiscard]] std::optional<journal::Offset> lowest_offset() const;

  static constexpr std::size_t kEntriesPerChunk = 1024;
  static constexpr std::size_t kChunksPerScan = 64;
  /// More terms than one record can have (record::kResourceNamesMax pairs and five values).
  static constexpr std::size_t kTermsPerEntryMax = std::numeric_limits<std::uint8_t>::max();

 private:
  struct Entry {
    EntryKey key;
    std::uint32_t terms_start;
    std::uint8_t terms_count;
  };
  struct Chunk {
    std::vector<Entry> entries;  ///< Ascending, never empty.
    std::vector<Term> terms;     ///< Of all entries, in the order of their arrival.
    journal::Offset lowest_offset = kNewestKey.offset;

    [[nodiscard]] std::span<const Term> terms_of(const Entry& entry) const;
    void insert(std::size_t at, EntryKey key, std::span<const Term> of_entry);
    void collect(EntryKey before, const ScanBounds& bounds, std::size_t count_max,
                 ScanResult& result) const;
  };
  using Chunks = std::vector<std::unique_ptr<Chunk>>;

  [[nodiscard]] static std::unique_ptr<Chunk> copy(const Chunk& from, std::size_t begin,
                                                   std::size_t end);
  [[nodiscard]] Chunk& chunk_with_room(EntryKey key);
  Chunk& make_room(std::size_t chunk_index, EntryKey key);

  Chunks chunks_;  ///< Ascending, none empty.
  std::size_t size_ = 0;
};

/// All searchable records in memory: which there are, in what order, and a hash of each value that
/// LookupEvents filters by. The records themselves stay on the journal. Not safe for threads.
class EventIndex {
 public:
  void add(const std::string& account_id, const std::string& region, EntryKey key,
           std::span<const Term> terms);
  /// See EventList::scan. Of an account and Region without records: nothing, finished.
  [[nodiscard]] ScanResult scan(const std::string& account_id, const std::string& region,
                                EntryKey before, const ScanBounds& bounds,
                                std::size_t count_max) const;
  void prune(const Kept& kept);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::optional<journal::Offset> lowest_offset() const;
  /// Sorted; records that name no account belong to none.
  [[nodiscard]] std::vector<std::string> accounts() const;

 private:
  std::map<std::pair<std::string, std::string>, EventList> lists_;
  std::size_t size_ = 0;
};

}  // namespace opentrail::history
