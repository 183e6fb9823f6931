#include "services/ingest/import_reader.h"

#include <utility>

#include <fmt/format.h>

namespace opentrail::services::ingest {

namespace {

/// Cut at once. The smallest objects take far more memory parsed than sent, so a batch is looked
/// at in between.
constexpr std::size_t kCutBytes = 64 << 10;
/// Beside a record's bytes: its fields and its place in the batch.
constexpr std::size_t kItemBytes = sizeof(ImportBatch::Item) + 64;

}  // namespace

ImportReader::ImportReader(collect::Coding coding, const ImportLimits& limits, Timestamp arrival)
    : limits_(limits),
      arrival_(arrival),
      unpacker_(collect::Unpacker::make(coding)),
      splitter_(
          [this](const record::RecordSplitter::Item& item) { return take_item(item); },
          [this](const record::RecordSplitter::BrokenLines& lines) { return take_broken(lines); }) {
}

Result<void> ImportReader::take_item(const record::RecordSplitter::Item& item) {
  ++seen_;
  auto parsed = record::parse_record(std::string(item.json), record::Origin::Import, arrival_);
  if (!parsed) {
    batch_->bytes += kItemBytes;
    batch_->invalid.push_back({.line = item.line,
                               .message = parsed.error().message(),
                               .items_before = batch_->items.size()});
    return {};
  }
  batch_->bytes += kItemBytes + parsed->json.size() + parsed->terms.bytes();
  batch_->items.push_back({.line = item.line, .record = *std::move(parsed)});
  return {};
}

Result<void> ImportReader::take_broken(const record::RecordSplitter::BrokenLines& lines) {
  batch_->bytes += kItemBytes;
  batch_->invalid.push_back({.line = lines.first,
                             .message = record::to_text(lines),
                             .items_before = batch_->items.size()});
  return {};
}

bool ImportReader::is_full(const ImportBatch& batch) const {
  return batch.bytes >= limits_.batch_bytes_max ||
         batch.items.size() + batch.invalid.size() >= limits_.batch_records_max;
}

void ImportReader::count_digests(ImportBatch& batch) {
  const std::uint64_t seen = splitter_.digests_seen();
  batch.digests += seen - std::exchange(digests_, seen);
}

/// Cuts what is unpacked; true when that filled the batch.
Result<bool> ImportReader::cut(ImportBatch& batch) {
  while (!unpacked_.empty()) {
    if (is_full(batch)) {
      return true;
    }
    const std::string_view piece = unpacked_.substr(0, kCutBytes);
    unpacked_.remove_prefix(piece.size());
    OT_TRY_DO(splitter_.feed(piece));
  }
  return is_full(batch);
}

Result<bool> ImportReader::take(std::string_view& packed, ImportBatch& batch) {
  batch_ = &batch;
  while (!broken_off_) {
    auto full = cut(batch);
    count_digests(batch);
    if (!full) {
      OT_TRY_DO(break_off(std::move(full).error(), batch));
      break;
    }
    if (*full) {
      return true;
    }
    auto unpacked = unpacker_->next(packed);
    if (!unpacked) {
      OT_TRY_DO(break_off(std::move(unpacked).error(), batch));
      break;
    }
    if (unpacked->empty()) {
      return false;
    }
    unpacked_ = *unpacked;
    unpacked_bytes_ += unpacked_.size();
    if (unpacked_bytes_ > limits_.unpacked_bytes_max) {
      broken_off_ = true;
      return fail(ErrorCode::ResourceExhausted,
                  fmt::format("the body unpacks to more than {} bytes; send less at once",
                              limits_.unpacked_bytes_max),
                  std::string(kBodyTooLarge));
    }
  }
  packed = {};
  return false;
}

Result<void> ImportReader::finish(ImportBatch& batch) {
  batch_ = &batch;
  if (broken_off_) {
    return {};
  }
  auto ended = unpacker_->finish();
  // Of a body that is cut off the text says where; of a whole one there is nothing more to say.
  if (ended) {
    ended = splitter_.finish();
  }
  count_digests(batch);
  return ended ? Result<void>() : break_off(std::move(ended).error(), batch);
}

Result<void> ImportReader::break_off(Error error, ImportBatch& batch) {
  broken_off_ = true;
  if (seen_ == 0) {
    return std::unexpected(std::move(error));
  }
  batch.broken_off = true;
  batch.invalid.push_back({.line = splitter_.line(),
                           .message = "the rest of the body was not read: " + error.message(),
                           .items_before = batch.items.size()});
  return {};
}

}  // namespace opentrail::services::ingest
