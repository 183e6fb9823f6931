#include "history/store/segment_writer.h"

#include "base/checksum.h"
#include "history/index/index_builder.h"

#include <algorithm>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace opentrail::history {
namespace {

constexpr std::size_t kWriteBytes = 256 << 10;
/// What a packed block grows to.
constexpr std::size_t kBlockBytes = 8 << 10;

/// Appends to a file in large pieces; after an error nothing more is written and status() tells it.
class FileSink final : public ByteSink {
 public:
  explicit FileSink(io::File& file) : file_(file) {}

  void append(std::string_view bytes) override {
    buffer_ += bytes;
    position_ += bytes.size();
    add_to_pages(bytes);
    if (buffer_.size() >= kWriteBytes) {
      flush();
    }
  }
  [[nodiscard]] std::uint64_t position() const override { return position_ - start_; }

  /// From here on positions count from 0 and checksums are kept for each page.
  void begin_pages() {
    start_ = position_;
    page_crcs_.emplace();
  }
  [[nodiscard]] std::vector<std::uint32_t> end_pages() {
    if (page_bytes_ > 0) {
      page_crcs_->push_back(page_crc_);
    }
    start_ = 0;
    return std::move(*std::exchange(page_crcs_, std::nullopt));
  }
  Result<void> finish() {
    flush();
    return status_;
  }
  [[nodiscard]] const Result<void>& status() const { return status_; }

 private:
  void flush() {
    if (status_ && !buffer_.empty()) {
      status_ = file_.append(as_bytes(buffer_));
    }
    buffer_.clear();
  }
  void add_to_pages(std::string_view bytes) {
    while (page_crcs_ && !bytes.empty()) {
      const std::string_view part = bytes.substr(0, CheckedBytes::kPageBytes - page_bytes_);
      page_crc_ = crc32c(as_bytes(part), page_bytes_ == 0 ? 0 : page_crc_);
      page_bytes_ += part.size();
      bytes.remove_prefix(part.size());
      if (page_bytes_ == CheckedBytes::kPageBytes) {
        page_crcs_->push_back(page_crc_);
        page_bytes_ = 0;
      }
    }
  }

  io::File& file_;
  std::string buffer_;
  std::uint64_t position_ = 0;
  std::uint64_t start_ = 0;
  std::optional<std::vector<std::uint32_t>> page_crcs_;
  std::uint32_t page_crc_ = 0;
  std::size_t page_bytes_ = 0;
  Result<void> status_;
};

/// Writes blocks one after the other and remembers them for the directory.
class BlockArea {
 public:
  BlockArea(FileSink& sink, SegmentMeta& meta) : sink_(sink), meta_(meta) {}

  Result<void> add(const journal::RawBlock& block) {
    const bool fits = block.record_count <= std::numeric_limits<std::uint16_t>::max() &&
                      block.payload.size() <= BlockEntry::kLengthMax &&
                      block.plain_bytes <= BlockEntry::kLengthMax;
    if (block.copyable && fits && block.plain_bytes >= kFullBlockBytes) {
      OT_TRY_DO(flush());  // First: it may take the room of one more dictionary.
    }
    if (block.copyable && fits && block.plain_bytes >= kFullBlockBytes &&
        has_room(block.dictionary)) {
      write({.records = static_cast<std::uint16_t>(block.record_count),
             .payload_bytes = static_cast<std::uint32_t>(block.payload.size()),
             .plain_bytes = block.plain_bytes,
             .crc = block.payload_crc,
             .codec = block.codec,
             .dictionary = number_of(block.dictionary)},
            block.payload);
      return {};
    }
    return add_part(block, block.first, block.first + block.record_count);
  }

  /// Only the records in [from, to), packed anew.
  Result<void> add_part(const journal::RawBlock& block, journal::Offset from, journal::Offset to) {
    if (block.dictionary && has_room(block.dictionary)) {
      packing_ = block.dictionary;
    }
    OT_TRY(const auto decoded, block.decode());
    for (std::size_t i = 0; i < decoded.size(); ++i) {
      if (const journal::Offset at = block.first + i; at < from || at >= to) {
        continue;
      }
      OT_TRY(const auto record, decoded.record(i));
      builder_.add(record);
      if (builder_.plain_bytes() >= kBlockBytes) {
        OT_TRY_DO(flush());
      }
    }
    return {};
  }

  /// Packs what waits into a block of its own.
  Result<void> flush() {
    if (builder_.record_count() == 0) {
      return {};
    }
    if (!has_room(packing_)) {
      packing_ = nullptr;  // Others came since it was chosen.
    }
    const journal::EncodedBlock block = builder_.finish(packing_.get());
    if (block.plain_bytes > BlockEntry::kLengthMax ||
        block.payload.size() > BlockEntry::kLengthMax) {
      return fail(ErrorCode::Unsupported,
                  fmt::format("a record of {} bytes is larger than a segment's block can be",
                              block.plain_bytes));
    }
    const bool with_dictionary = block.codec == journal::BlockCodec::ZstdDictionary;
    write({.records = static_cast<std::uint16_t>(block.record_count),
           .payload_bytes = static_cast<std::uint32_t>(block.payload.size()),
           .plain_bytes = static_cast<std::uint32_t>(block.plain_bytes),
           .crc = crc32c(as_bytes(block.payload)),
           .codec = block.codec,
           .dictionary = number_of(with_dictionary ? packing_ : nullptr)},
          block.payload);
    return {};
  }

  /// The dictionaries stand behind the blocks.
  void write_dictionaries() {
    for (const auto& dictionary : dictionaries_) {
      meta_.dictionaries.push_back({.position = sink_.position(),
                                    .bytes = static_cast<std::uint32_t>(dictionary->bytes().size()),
                                    .id = dictionary->id()});
      sink_.append(dictionary->bytes());
    }
  }
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  /// False for a dictionary that would be one too many.
  [[nodiscard]] bool has_room(const std::shared_ptr<const journal::Dictionary>& dictionary) const {
    return !dictionary || dictionaries_.size() < kDictionariesMax || find(*dictionary);
  }
  [[nodiscard]] std::optional<std::uint8_t> find(const journal::Dictionary& dictionary) const {
    for (std::size_t i = dictionaries_.size(); i-- > 0;) {
      if (dictionaries_[i]->id() == dictionary.id() &&
          dictionaries_[i]->bytes() == dictionary.bytes()) {
        return static_cast<std::uint8_t>(i + 1);
      }
    }
    return std::nullopt;
  }
  std::uint8_t number_of(const std::shared_ptr<const journal::Dictionary>& dictionary) {
    if (!dictionary) {
      return 0;
    }
    if (const auto number = find(*dictionary)) {
      return *number;
    }
    dictionaries_.push_back(dictionary);
    return static_cast<std::uint8_t>(dictionaries_.size());
  }

  void write(const BlockEntry& entry, std::string_view payload) {
    if (meta_.blocks % BlockGroup::kBlocks == 0) {
      meta_.groups.push_back({.first_record = records_, .position = sink_.position()});
    }
    ++meta_.blocks;
    records_ += entry.records;
    entry.encode(directory_);
    sink_.append(payload);
  }

  FileSink& sink_;
  SegmentMeta& meta_;
  std::uint32_t records_ = 0;
  std::string directory_;
  journal::BlockBuilder builder_;
  std::shared_ptr<const journal::Dictionary> packing_;  ///< For blocks that are packed anew.
  std::vector<std::shared_ptr<const journal::Dictionary>> dictionaries_;
};

Result<void> copy_blocks(const SegmentPart& part, BlockArea& area, const FileSink& sink) {
  journal::Offset next = part.index->meta().first;
  const journal::Offset end = part.index->meta().end;
  while (next < end) {
    OT_TRY_DO(sink.status());  // Nothing more is read for a disk that is full.
    OT_TRY(journal::RawBlock block, part.blocks->block_at(next));
    const bool is_whole = block.first == next && block.first + block.record_count <= end;
    if (is_whole) {
      OT_TRY_DO(area.add(block));
      next = block.first + block.record_count;
      continue;
    }
    // The run begins or ends inside the block: only what belongs to it is taken.
    OT_TRY_DO(area.add_part(block, next, end));
    next = std::min(end, block.first + block.record_count);
  }
  return {};
}

Result<void> write_all(io::File& file, std::span<const SegmentPart> parts) {
  FileSink sink(file);
  SegmentMeta meta;
  std::vector<const Index*> indexes;
  for (const SegmentPart& part : parts) {
    indexes.push_back(part.index);
  }
  sink.append(encode_segment_header(indexes.front()->meta().first, indexes.back()->meta().end));
  BlockArea area(sink, meta);
  for (const SegmentPart& part : parts) {
    OT_TRY_DO(copy_blocks(part, area, sink));
  }
  OT_TRY_DO(area.flush());
  area.write_dictionaries();
  OT_TRY_DO(sink.status());
  meta.index_position = sink.position();
  sink.begin_pages();
  sink.append(area.directory());
  OT_TRY(meta.index, merge_indexes(indexes, sink, Filtered::Yes));
  meta.index_bytes = sink.position();
  meta.page_crcs = sink.end_pages();
  const std::string described = meta.encode();
  SegmentFooter footer;
  footer.meta_position = sink.position();
  footer.meta_bytes = static_cast<std::uint32_t>(described.size());
  footer.meta_crc = crc32c(as_bytes(described));
  sink.append(described);
  sink.append(footer.encode());
  OT_TRY_DO(sink.finish());
  return file.sync();
}

}  // namespace

Result<void> write_segment(io::Filesystem& files, const std::string& path,
                           std::span<const SegmentPart> parts) {
  OT_CHECK(!parts.empty());
  OT_TRY(auto file, files.open(path, io::OpenMode::CreateNew));
  auto written = write_all(*file, parts);
  if (!written) {
    file.reset();
    static_cast<void>(files.remove(path));  // A leftover is removed at the next start, too.
  }
  return written;
}

}  // namespace opentrail::history
