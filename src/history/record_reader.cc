#include "history/record_reader.h"

#include "crypto/hash.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace opentrail::history {
namespace {

using journal::Offset;

/// Records this close are taken to share a block: to copy what lies between them costs less than to
/// decompress the block again.
constexpr std::uint64_t kSharedBlockRecords = 512;
/// One block of the journal, before compression.
constexpr std::size_t kReadBytesMax = 1 << 20;
/// What a repeated import asks for next, most likely.
constexpr std::size_t kHashedBytesMax = 256 << 10;

/// The places of `offsets` in rising order.
std::vector<std::size_t> rising_order(const std::vector<Offset>& offsets) {
  std::vector<std::size_t> order(offsets.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return offsets[i]; });
  return order;
}

}  // namespace

Result<std::vector<journal::StoredRecord>> RecordReader::read_from(Offset from,
                                                                   std::size_t bytes_max) {
  auto records = journal_.read(from, bytes_max);
  if (!records && records.error().code() == ErrorCode::NotFound) {
    return std::vector<journal::StoredRecord>();
  }
  return records;
}

Result<std::vector<std::optional<record::Record>>> RecordReader::read(
    const std::vector<Offset>& offsets) {
  std::vector<std::optional<record::Record>> found(offsets.size());
  const std::vector<std::size_t> order = rising_order(offsets);
  for (std::size_t next = 0; next < order.size();) {
    const Offset from = offsets[order[next]];
    const bool is_alone = next + 1 == order.size() ||
                          value(offsets[order[next + 1]]) - value(from) > kSharedBlockRecords;
    OT_TRY(auto records, read_from(from, is_alone ? 1 : kReadBytesMax));
    const std::size_t first = next++;  // A step also past a record that is gone.
    for (std::size_t i = first; i < order.size(); ++i) {
      const std::uint64_t at = value(offsets[order[i]]) - value(from);
      if (at >= records.size()) {
        break;
      }
      found[order[i]] = std::move(records[at].record);
      next = i + 1;
    }
  }
  return found;
}

Result<std::optional<std::string>> RecordReader::content_hash(Offset offset,
                                                              std::string_view record_id) {
  const auto known = [&]() REQUIRES(mutex_) -> std::optional<std::string> {
    const std::uint64_t at = value(offset) - value(hashed_from_);
    if (offset < hashed_from_ || at >= hashed_.size() || hashed_[at].id != record_id) {
      return std::nullopt;
    }
    return hashed_[at].hash;
  };
  {
    const MutexLock lock(mutex_);
    if (auto hash = known()) {
      return hash;
    }
  }
  OT_TRY(const auto records, read_from(offset, kHashedBytesMax));
  std::vector<Hashed> hashed;
  hashed.reserve(records.size());
  for (const auto& stored : records) {
    hashed.push_back({.id = stored.record.id, .hash = crypto::sha256_hex(stored.record.json)});
  }
  const MutexLock lock(mutex_);
  hashed_from_ = offset;
  hashed_ = std::move(hashed);
  return known();
}

}  // namespace opentrail::history
