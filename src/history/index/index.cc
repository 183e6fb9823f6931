#include "history/index/index.h"

#include <algorithm>

namespace opentrail::history {
namespace {

std::int64_t millis(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp from_millis(std::int64_t count) { return Timestamp(std::chrono::milliseconds(count)); }

}  // namespace

void IndexMeta::encode(std::string& out) const {
  put(out, value(first));
  put(out, value(end));
  put(out, docs);
  put(out, millis(oldest));
  put(out, millis(newest));
  times.encode(out);
  records.encode(out);
  ids.encode(out);
  put(out, static_cast<std::uint32_t>(fields.size()));
  for (const TermDictionaryMeta& field : fields) {
    field.encode(out);
  }
}

std::optional<IndexMeta> IndexMeta::decode(ByteReader& in, std::uint64_t index_bytes) {
  constexpr std::uint64_t kRecordsMax = std::uint64_t{1} << 31;
  IndexMeta meta;
  meta.first = journal::Offset{in.number<std::uint64_t>()};
  meta.end = journal::Offset{in.number<std::uint64_t>()};
  meta.docs = in.number<Doc>();
  meta.oldest = from_millis(in.number<std::int64_t>());
  meta.newest = from_millis(in.number<std::int64_t>());
  auto times = PackedColumnMeta::decode(in, index_bytes);
  auto records = PackedColumnMeta::decode(in, index_bytes);
  auto ids = IdPagesMeta::decode(in, index_bytes);
  const auto fields = in.number<std::uint32_t>();
  const bool possible = times && records && ids && !in.failed() && meta.first <= meta.end &&
                        meta.records_total() < kRecordsMax && meta.docs <= meta.records_total() &&
                        times->count == meta.docs && records->count == meta.docs &&
                        ids->count() == meta.docs && fields == meta.fields.size();
  if (!possible) {
    return std::nullopt;
  }
  for (TermDictionaryMeta& field : meta.fields) {
    auto decoded = TermDictionaryMeta::decode(in, index_bytes);
    if (!decoded) {
      return std::nullopt;
    }
    field = *std::move(decoded);
  }
  meta.times = *std::move(times);
  meta.records = *std::move(records);
  meta.ids = *std::move(ids);
  return meta;
}

Index::Index(IndexMeta meta, std::string bytes)
    : meta_(std::move(meta)), own_(std::move(bytes)), bytes_(std::string_view(own_)) {}

Result<void> Index::find_id(std::uint64_t hash, std::vector<journal::Offset>& found) const {
  std::vector<std::uint32_t> records;
  OT_TRY_DO(find_ids(meta_.ids, bytes_, hash, records));
  for (const std::uint32_t record : records) {
    if (record >= meta_.records_total()) {
      return bytes_.corrupt(meta_.ids.position, "an id leads out of the run");
    }
    found.push_back(meta_.first + record);
  }
  return {};
}

Result<EntryKey> KeyReader::at(Doc doc) {
  OT_TRY(const std::int64_t time, times_.at(doc));
  OT_TRY(const std::int64_t record, records_.at(doc));
  const IndexMeta& meta = index_->meta();
  if (record < 0 || static_cast<std::uint64_t>(record) >= meta.records_total()) {
    return index_->bytes().corrupt(meta.records.position, "a record leads out of the run");
  }
  return EntryKey{.time = from_millis(time),
                  .offset = meta.first + static_cast<std::uint64_t>(record)};
}

Result<Doc> KeyReader::count_below(EntryKey key) {
  // Most searches are for all times that there are.
  const IndexMeta& meta = index_->meta();
  if (meta.docs == 0 || key.time < meta.oldest) {
    return 0;
  }
  if (key.time > meta.newest) {
    return meta.docs;
  }
  OT_TRY(Doc low, times_.count_below(millis(key.time)));
  Doc high = index_->meta().docs;
  if (key.time != Timestamp::max()) {
    OT_TRY(high, times_.count_below(millis(key.time) + 1));
  }
  // Among equal times by offset.
  while (low < high) {
    const Doc middle = low + (high - low) / 2;
    OT_TRY(const EntryKey at, this->at(middle));
    if (at < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace opentrail::history
