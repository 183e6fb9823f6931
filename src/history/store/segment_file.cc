#include "history/store/segment_file.h"

#include "base/checksum.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::history {

std::unexpected<Error> SegmentFile::corrupt(std::uint64_t position, std::string_view what) const {
  return fail(ErrorCode::Corruption, fmt::format("{} at byte {}: {}", path_, position, what));
}

Result<std::shared_ptr<const SegmentFile>> SegmentFile::open(io::Filesystem& files,
                                                             const std::string& path) {
  std::shared_ptr<SegmentFile> segment(new SegmentFile());
  segment->path_ = path;
  OT_TRY(segment->file_, files.open(path, io::OpenMode::Read));
  OT_TRY(segment->mapping_, segment->file_->map());
  segment->bytes_ = segment->mapping_->bytes().size();
  OT_TRY_DO(segment->read_meta());
  OT_TRY_DO(segment->read_dictionaries());
  return segment;
}

Result<void> SegmentFile::read_meta() {
  if (bytes_ < kSegmentHeaderBytes + kSegmentFooterBytes) {
    return corrupt(0, "the file is too short for a segment");
  }
  const std::uint64_t body_end = bytes_ - kSegmentFooterBytes;
  OT_TRY(const std::string footer_bytes, file_->read_at(body_end, kSegmentFooterBytes));
  auto footer = SegmentFooter::decode(footer_bytes);
  if (!footer) {
    return std::unexpected(
        std::move(footer).error().while_doing(fmt::format("{} at byte {}", path_, body_end)));
  }
  footer_ = *footer;
  if (footer_.meta_position > body_end || footer_.meta_bytes != body_end - footer_.meta_position ||
      footer_.meta_bytes > kMetaBytesMax) {
    return corrupt(body_end, "the footer does not fit the file");
  }
  OT_TRY(const std::string meta_bytes, file_->read_at(footer_.meta_position, footer_.meta_bytes));
  if (meta_bytes.size() != footer_.meta_bytes || crc32c(as_bytes(meta_bytes)) != footer_.meta_crc) {
    return corrupt(footer_.meta_position, "the checksum of the description differs");
  }
  auto meta = SegmentMeta::decode(meta_bytes, footer_.meta_position, footer_.version);
  if (!meta) {
    return corrupt(footer_.meta_position, "the description contradicts itself");
  }
  meta_ = *std::move(meta);
  OT_TRY(const std::string header, file_->read_at(0, kSegmentHeaderBytes));
  if (header != encode_segment_header(meta_.index.first, meta_.index.end, footer_.version)) {
    return corrupt(0, "the header does not belong to this segment");
  }
  const std::string_view index_bytes =
      mapping_->bytes().substr(meta_.index_position, meta_.index_bytes);
  CheckedBytes checked(index_bytes, std::move(meta_.page_crcs), path_, meta_.index_position);
  index_ = std::make_unique<const Index>(std::move(meta_.index), std::move(checked));
  return {};
}

Result<void> SegmentFile::read_dictionaries() {
  for (const SegmentMeta::DictionaryPlace& place : meta_.dictionaries) {
    OT_TRY(std::string bytes, file_->read_at(place.position, place.bytes));
    if (bytes.size() != place.bytes || crc32c(as_bytes(bytes)) != place.id) {
      return corrupt(place.position, "the checksum of a dictionary differs");
    }
    auto dictionary = journal::Dictionary::load(std::move(bytes));
    if (!dictionary) {
      return corrupt(place.position, dictionary.error().message());
    }
    dictionaries_.push_back(*std::move(dictionary));
  }
  return {};
}

Result<SegmentFile::Place> SegmentFile::find_block(journal::Offset offset) const {
  const IndexMeta& run = index_->meta();
  OT_CHECK(offset >= run.first && offset < run.end);
  const auto record = static_cast<std::uint32_t>(value(offset) - value(run.first));
  const auto after = std::ranges::upper_bound(meta_.groups, record, {}, &BlockGroup::first_record);
  const auto group = std::prev(after);
  const auto first_block =
      static_cast<std::uint64_t>(group - meta_.groups.begin()) * BlockGroup::kBlocks;
  const std::uint64_t blocks =
      std::min<std::uint64_t>(BlockGroup::kBlocks, meta_.blocks - first_block);
  const std::uint64_t position = meta_.directory_position + first_block * BlockEntry::kBytes;
  OT_TRY(const std::string_view entries,
         index_->bytes().view(position, blocks * BlockEntry::kBytes));
  ByteReader in(entries);
  Place place{.entry = {}, .first = run.first + group->first_record, .position = group->position};
  for (std::uint64_t i = 0; i < blocks; ++i) {
    place.entry = BlockEntry::decode(in);
    if (offset < place.first + place.entry.records) {
      return place;
    }
    place.first = place.first + place.entry.records;
    place.position += place.entry.payload_bytes;
  }
  return corrupt(meta_.index_position + position, "the block directory has a gap");
}

Result<journal::RawBlock> SegmentFile::block_at(journal::Offset offset) const {
  OT_TRY(const Place place, find_block(offset));
  const BlockEntry& entry = place.entry;
  journal::RawBlock block;
  block.first = place.first;
  block.record_count = entry.records;
  block.codec = entry.codec;
  block.plain_bytes = entry.plain_bytes;
  block.payload_crc = entry.crc;
  block.copyable = true;
  if (place.position + entry.payload_bytes > meta_.index_position ||
      entry.dictionary > dictionaries_.size()) {
    return corrupt(meta_.index_position + meta_.directory_position,
                   "the block directory leads out of the file");
  }
  if (entry.dictionary > 0) {
    block.dictionary = dictionaries_[entry.dictionary - 1U];
  }
  OT_TRY(block.payload, file_->read_at(place.position, entry.payload_bytes));
  if (block.payload.size() != entry.payload_bytes || crc32c(as_bytes(block.payload)) != entry.crc) {
    return corrupt(place.position, "the checksum of a block differs");
  }
  return block;
}

Result<void> SegmentFile::check() const {
  constexpr std::uint64_t kStepBytes = 64 << 10;
  const CheckedBytes& bytes = index_->bytes();
  for (std::uint64_t at = 0; at < bytes.size(); at += kStepBytes) {
    OT_TRY_DO(bytes.view(at, std::min(kStepBytes, bytes.size() - at)));
  }
  for (journal::Offset at = first(); at < end();) {
    OT_TRY(const journal::RawBlock block, block_at(at));
    at = block.first + block.record_count;
  }
  return {};
}

}  // namespace opentrail::history
