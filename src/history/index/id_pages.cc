#include "history/index/id_pages.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace opentrail::history {
namespace {

constexpr unsigned kByteBits = 8;
constexpr unsigned kEntriesPerBucketBits = 6;
constexpr unsigned kBucketBitsMin = 8;
constexpr unsigned kBucketBitsMax = 24;
constexpr unsigned kRecordBitsMax = 31;

std::uint64_t low_bits(std::uint64_t number, unsigned bits) {
  return number & ((std::uint64_t{1} << bits) - 1);
}

unsigned bucket_bits_for(std::uint64_t entries) {
  const auto bits = static_cast<unsigned>(std::bit_width(entries));
  return std::clamp(bits, kBucketBitsMin + kEntriesPerBucketBits,
                    kBucketBitsMax + kEntriesPerBucketBits) -
         kEntriesPerBucketBits;
}

/// Reads one word wherever it can: a copy of a length that is only known here is a call.
std::uint64_t entry_at(std::string_view bytes, std::size_t i, std::size_t entry_bytes) {
  std::uint64_t packed = 0;
  const std::string_view rest = bytes.substr(i * entry_bytes);
  if (rest.size() < sizeof(packed)) {
    std::memcpy(&packed, rest.data(), entry_bytes);
    return packed;
  }
  std::memcpy(&packed, rest.data(), sizeof(packed));
  return entry_bytes == sizeof(packed)
             ? packed
             : low_bits(packed, static_cast<unsigned>(entry_bytes) * kByteBits);
}

Result<std::string_view> bucket_bytes(const IdPagesMeta& meta, const CheckedBytes& bytes,
                                      std::size_t bucket) {
  const std::uint64_t start = meta.starts[bucket];
  const std::uint64_t count = meta.starts[bucket + 1] - start;
  return bytes.view(meta.position + start * meta.entry_bytes(), count * meta.entry_bytes());
}

}  // namespace

std::size_t IdPagesMeta::entry_bytes() const {
  return (kIdHashBits - bucket_bits + record_bits + kByteBits - 1) / kByteBits;
}

void IdPagesMeta::encode(std::string& out) const {
  put(out, position);
  put(out, bucket_bits);
  put(out, record_bits);
  put(out, static_cast<std::uint32_t>(starts.size()));
  for (const std::uint32_t start : starts) {
    put(out, start);
  }
}

std::optional<IdPagesMeta> IdPagesMeta::decode(ByteReader& in, std::uint64_t index_bytes) {
  IdPagesMeta meta;
  meta.position = in.number<std::uint64_t>();
  meta.bucket_bits = in.number<std::uint8_t>();
  meta.record_bits = in.number<std::uint8_t>();
  const auto starts = in.number<std::uint32_t>();
  const bool possible = meta.bucket_bits >= kBucketBitsMin && meta.bucket_bits <= kBucketBitsMax &&
                        meta.record_bits <= kRecordBitsMax && meta.record_bits > 0 &&
                        meta.position <= index_bytes &&
                        starts == (std::uint32_t{1} << meta.bucket_bits) + 1 &&
                        starts <= in.rest().size() / sizeof(std::uint32_t);
  if (in.failed() || !possible) {
    return std::nullopt;
  }
  meta.starts.reserve(starts);
  for (std::uint32_t i = 0; i < starts; ++i) {
    const auto start = in.number<std::uint32_t>();
    if (start < (i == 0 ? 0 : meta.starts.back())) {
      return std::nullopt;
    }
    meta.starts.push_back(start);
  }
  return meta.starts.front() == 0 ? std::optional(std::move(meta)) : std::nullopt;
}

IdPagesWriter::IdPagesWriter(ByteSink& sink, std::uint64_t count, std::uint64_t records,
                             Filtered filtered)
    : sink_(sink), filtered_(filtered) {
  meta_.position = sink.position();
  meta_.bucket_bits = static_cast<std::uint8_t>(bucket_bits_for(count));
  meta_.record_bits = static_cast<std::uint8_t>(
      std::max<unsigned>(1, static_cast<unsigned>(std::bit_width(records))));
  OT_CHECK(meta_.record_bits <= kRecordBitsMax);
  meta_.starts.assign((std::size_t{1} << meta_.bucket_bits) + 1, 0);
  if (filtered_ == Filtered::Yes) {
    meta_.filter = IdFilter(count);
  }
}

void IdPagesWriter::add(const IdEntry& entry) {
  constexpr std::size_t kWriteBytes = 64 << 10;
  const unsigned rest_bits = kIdHashBits - meta_.bucket_bits;
  ++meta_.starts[(entry.hash >> rest_bits) + 1];
  if (filtered_ == Filtered::Yes) {
    meta_.filter.add(entry.hash);
  }
  const std::uint64_t packed = low_bits(entry.hash, rest_bits) << meta_.record_bits | entry.record;
  waiting_.append(reinterpret_cast<const char*>(&packed), meta_.entry_bytes());
  if (waiting_.size() >= kWriteBytes) {
    sink_.append(waiting_);
    waiting_.clear();
  }
}

IdPagesMeta IdPagesWriter::finish() {
  for (std::size_t i = 1; i < meta_.starts.size(); ++i) {
    meta_.starts[i] += meta_.starts[i - 1];
  }
  sink_.append(waiting_);
  return std::move(meta_);
}

Result<bool> IdCursor::next() {
  while (entries_.empty()) {
    if (bucket_ + 1 >= meta_->starts.size()) {
      return false;
    }
    OT_TRY(entries_, bucket_bytes(*meta_, *bytes_, bucket_));
    ++bucket_;
  }
  const std::uint64_t packed = entry_at(entries_, 0, meta_->entry_bytes());
  entries_.remove_prefix(meta_->entry_bytes());
  const unsigned rest_bits = kIdHashBits - meta_->bucket_bits;
  const std::uint64_t rest = packed >> meta_->record_bits;
  const IdEntry before = std::exchange(
      entry_, {.hash = std::uint64_t{bucket_ - 1} << rest_bits | rest,
               .record = static_cast<std::uint32_t>(low_bits(packed, meta_->record_bits))});
  const bool rises = is_first_ || before < entry_;
  is_first_ = false;
  // The hash of a wrong entry would lead out of whatever is ordered by it.
  if (!rises || rest >> rest_bits != 0) {
    return bytes_->corrupt(meta_->position, "the ids are not in order");
  }
  return true;
}

Result<void> find_ids(const IdPagesMeta& meta, const CheckedBytes& bytes, std::uint64_t hash,
                      std::vector<std::uint32_t>& found) {
  if (!meta.filter.may_have(hash)) {
    return {};
  }
  const unsigned rest_bits = kIdHashBits - meta.bucket_bits;
  const std::size_t bucket = hash >> rest_bits;
  if (meta.starts[bucket] == meta.starts[bucket + 1]) {
    return {};
  }
  OT_TRY(const std::string_view entries, bucket_bytes(meta, bytes, bucket));
  const std::uint64_t wanted = low_bits(hash, rest_bits);
  const std::size_t size = meta.entry_bytes();
  // They are sorted.
  std::size_t first = 0;
  for (std::size_t count = entries.size() / size; count > 0;) {
    const std::size_t half = count / 2;
    const bool before = entry_at(entries, first + half, size) >> meta.record_bits < wanted;
    first = before ? first + half + 1 : first;
    count = before ? count - half - 1 : half;
  }
  for (; first < entries.size() / size; ++first) {
    const std::uint64_t packed = entry_at(entries, first, size);
    if (packed >> meta.record_bits != wanted) {
      break;
    }
    found.push_back(static_cast<std::uint32_t>(low_bits(packed, meta.record_bits)));
  }
  return {};
}

}  // namespace opentrail::history
