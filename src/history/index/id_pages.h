#pragma once
#include "base/error.h"
#include "history/index/checked_bytes.h"
#include "history/index/coding.h"

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

  [[nodiscard]] std::uint32_t count() const { return starts.empty() ? 0 : starts.back(); }
  /// The hash's other bits and the record, in whole bytes.
  [[nodiscard]] std::size_t entry_bytes() const;
  void encode(std::string& out) const;
  static std::optional<IdPagesMeta> decode(ByteReader& in, std::uint64_t index_bytes);
};

/// Writes the entries, which must be sorted. `records` bounds their records.
[[nodiscard]] IdPagesMeta write_id_pages(std::span<const IdEntry> entries, std::uint64_t records,
                                         ByteSink& sink);

/// Adds to `found` the records whose id has this hash. Errors: Corruption.
Result<void> find_ids(const IdPagesMeta& meta, const CheckedBytes& bytes, std::uint64_t hash,
                      std::vector<std::uint32_t>& found);
/// All entries, sorted. Errors: Corruption.
Result<std::vector<IdEntry>> all_ids(const IdPagesMeta& meta, const CheckedBytes& bytes);

}  // namespace opentrail::history
