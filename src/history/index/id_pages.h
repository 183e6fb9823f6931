#pragma once
#include "base/error.h"
#include "history/index/checked_bytes.h"
#include "history/index/coding.h"
#include "history/index/id_filter.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Which record ids an index has: for each the highest 40 bits of its keyed hash, and which record
/// of the index's run it is. A hit may be another id of the same hash (one in a million million
/// ids): whoever finds one reads the record.
namespace opentrail::history {

inline constexpr unsigned kIdHashBits = 40;

struct IdEntry {
  std::uint64_t hash = 0;    ///< kIdHashBits bits.
  std::uint32_t record = 0;  ///< Its offset less the run's first.
  auto operator<=>(const IdEntry&) const = default;
};

/// What is kept in memory: entries lie in buckets by the first bits of their hash, about 64 to
/// each.
struct IdPagesMeta {
  std::uint64_t position = 0;  ///< In the index.
  std::uint8_t bucket_bits = 0;
  std::uint8_t record_bits = 0;
  std::vector<std::uint32_t> starts;  ///< Of each bucket, and the end: in entries.
  IdFilter filter;                    ///< Only of a segment; encoded apart.

  [[nodiscard]] std::uint32_t count() const { return starts.empty() ? 0 : starts.back(); }
  /// The hash's other bits and the record, in whole bytes.
  [[nodiscard]] std::size_t entry_bytes() const;
  void encode(std::string& out) const;
  static std::optional<IdPagesMeta> decode(ByteReader& in, std::uint64_t index_bytes);
};

/// Whether an index gets an IdFilter: only what is asked for ids does.
enum class Filtered : bool { No, Yes };

/// Writes entries, which come sorted, `count` of them; `records` bounds their records.
class IdPagesWriter {
 public:
  IdPagesWriter(ByteSink& sink, std::uint64_t count, std::uint64_t records, Filtered filtered);
  void add(const IdEntry& entry);
  [[nodiscard]] IdPagesMeta finish();

 private:
  ByteSink& sink_;
  const Filtered filtered_;
  IdPagesMeta meta_;
  std::string waiting_;
};

/// Goes through all entries in their order, each greater than the one before it. Errors:
/// Corruption. One thread.
class IdCursor {
 public:
  /// Both outlive it.
  IdCursor(const IdPagesMeta& meta, const CheckedBytes& bytes) : meta_(&meta), bytes_(&bytes) {}
  /// Goes to the next entry; false at the end.
  Result<bool> next();
  [[nodiscard]] const IdEntry& entry() const { return entry_; }

 private:
  const IdPagesMeta* meta_;
  const CheckedBytes* bytes_;
  std::size_t bucket_ = 0;  ///< The next to load.
  std::string_view entries_;
  IdEntry entry_;
  bool is_first_ = true;
};

/// Adds to `found` the records whose id has this hash. Errors: Corruption.
Result<void> find_ids(const IdPagesMeta& meta, const CheckedBytes& bytes, std::uint64_t hash,
                      std::vector<std::uint32_t>& found);

}  // namespace opentrail::history
