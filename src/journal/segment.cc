#include "journal/segment.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace opentrail::journal {
namespace {

constexpr std::string_view kSuffix = ".journal";
constexpr std::size_t kNameDigits = 20;
/// For a chain of headers. Blocks are small, so it passes over few pages.
constexpr std::size_t kHeaderReadAheadBytes = 64 << 10;
constexpr std::size_t kScanReadAheadBytes = 1 << 20;

/// The order that blocks of one segment keep among themselves.
class Chain {
 public:
  explicit Chain(Offset first_offset) : next_(first_offset) {}

  /// True when `header` may stand at `position` behind the blocks before it.
  bool follows(const BlockHeader& header, std::uint64_t position) {
    const bool begins_commit = header.commit_position == position;
    if (header.first_offset != next_ || (!begins_commit && header.commit_position != commit_)) {
      return false;
    }
    const bool misplaced = header.is_dictionary() && position != 0;
    const bool unreadable = header.codec == BlockCodec::ZstdDictionary && !has_dictionary_;
    if (misplaced || unreadable) {
      return false;
    }
    has_dictionary_ = has_dictionary_ || header.is_dictionary();
    commit_ = header.commit_position;
    next_ = header.end_offset();
    return true;
  }
  [[nodiscard]] Offset next() const { return next_; }

 private:
  Offset next_;
  std::uint64_t commit_ = 0;
  bool has_dictionary_ = false;
};

std::unexpected<Error> corrupt(const std::string& path, std::uint64_t position,
                               std::string_view what) {
  return fail(ErrorCode::Corruption, fmt::format("{} at byte {}: {}", path, position, what));
}

void take_block(SegmentScan& scan, const BlockReader& reader, const BlockHeader& header) {
  Segment& segment = scan.segment;
  scan.version_1 = scan.version_1 || header.version == 1;
  segment.has_dictionary = segment.has_dictionary || header.is_dictionary();
  segment.index.add({header.first_offset, reader.position()});
  segment.end_offset = header.end_offset();
  segment.bytes = reader.position() + header.block_bytes();
}

/// The header at the reader's place once header and payload are known to be whole.
Result<BlockHeader> whole_block(BlockReader& reader) {
  OT_TRY(const BlockHeader header, reader.header());
  OT_TRY_DO(reader.payload(header));
  return header;
}

/// The first whole block behind the bad one at the reader's place that belongs to a later commit,
/// which was begun only after the bad block had been synced.
Result<std::optional<std::uint64_t>> find_later_commit(BlockReader& reader, Offset next) {
  const std::uint64_t bad_position = reader.position();
  for (;;) {
    OT_TRY(const bool found, reader.seek_magic());
    if (!found) {
      return std::nullopt;
    }
    // A record's own text may look like a header, of a newer version too: no reason to give up.
    const auto header = whole_block(reader);
    if (!header && header.error().code() != ErrorCode::Corruption &&
        header.error().code() != ErrorCode::Unsupported) {
      return std::unexpected(header.error());
    }
    if (header && header->commit_position > bad_position &&
        header->commit_position <= reader.position() && header->first_offset > next) {
      return reader.position();
    }
  }
}

}  // namespace

std::string segment_name(Offset first_offset) {
  return fmt::format("{:020}{}", value(first_offset), kSuffix);
}

std::optional<Offset> parse_segment_name(std::string_view name) {
  if (name.size() != kNameDigits + kSuffix.size() || !name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  const std::string_view digits = name.substr(0, kNameDigits);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
  if (error != std::errc() || end != digits.end()) {
    return std::nullopt;
  }
  return Offset{number};
}

void SparseIndex::add(Place place) {
  if (places_.empty() || place.position - places_.back().position >= kStepBytes) {
    places_.push_back(place);
  }
}

std::uint64_t SparseIndex::position_before(Offset offset) const {
  const auto after = std::ranges::upper_bound(places_, offset, {}, &Place::first_offset);
  return after == places_.begin() ? 0 : std::prev(after)->position;
}

BlockReader::BlockReader(const io::File& file, std::string path, Range range,
                         std::size_t read_ahead)
    : file_(file),
      path_(std::move(path)),
      position_(range.position),
      limit_(range.limit),
      read_ahead_(read_ahead) {}

/// The view holds until the next call. Fewer than `bytes` only at the limit or the file's end.
Result<std::string_view> BlockReader::bytes_at(std::uint64_t position, std::size_t bytes) {
  const std::uint64_t left = position < limit_ ? limit_ - position : 0;
  bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, left));
  const bool held =
      position >= buffer_position_ && position + bytes <= buffer_position_ + buffer_.size();
  if (!held) {
    const std::uint64_t wanted = std::min<std::uint64_t>(std::max(bytes, read_ahead_), left);
    OT_TRY(buffer_, file_.read_at(position, static_cast<std::size_t>(wanted)));
    buffer_position_ = position;
  }
  const auto begin = static_cast<std::size_t>(position - buffer_position_);
  return std::string_view(buffer_).substr(begin, bytes);
}

Error BlockReader::located(Error error) const {
  return std::move(error).while_doing(fmt::format("{} at byte {}", path_, position_));
}

Result<BlockHeader> BlockReader::header() {
  OT_TRY(const std::string_view bytes, bytes_at(position_, kBlockHeaderBytes));
  auto header = decode_header(bytes);
  if (!header) {
    return std::unexpected(located(std::move(header).error()));
  }
  return header;
}

Result<std::string_view> BlockReader::payload(const BlockHeader& header) {
  OT_TRY(const std::string_view payload,
         bytes_at(position_ + kBlockHeaderBytes, header.payload_bytes));
  if (auto checked = check_payload(header, payload); !checked) {
    return std::unexpected(located(std::move(checked).error()));
  }
  return payload;
}

Result<bool> BlockReader::seek_magic() {
  ++position_;
  while (position_ + kBlockHeaderBytes <= limit_) {
    // What is held already is searched first; then at least a header's length at a time.
    OT_TRY(std::string_view bytes, bytes_at(position_, kBlockHeaderBytes));
    const auto begin = static_cast<std::size_t>(position_ - buffer_position_);
    bytes = std::string_view(buffer_).substr(begin);
    if (bytes.size() < kBlockHeaderBytes) {
      return false;  // The file has become shorter.
    }
    const std::size_t at = find_magic(bytes, 0);
    if (at != std::string_view::npos) {
      position_ += at;
      return position_ + kBlockHeaderBytes <= limit_;
    }
    position_ += bytes.size() - (kBlockHeaderBytes - 1);
  }
  return false;
}

Result<SegmentScan> scan_sealed_segment(io::Filesystem& files, const std::string& path,
                                        Offset first_offset) {
  OT_TRY(const auto file, files.open(path, io::OpenMode::Read));
  OT_TRY(const std::uint64_t size, file->size());
  SegmentScan scan;
  scan.segment.path = path;
  scan.segment.first_offset = scan.segment.end_offset = first_offset;
  BlockReader reader(*file, path, {0, size}, kHeaderReadAheadBytes);
  Chain chain(first_offset);
  while (!reader.at_end()) {
    OT_TRY(const BlockHeader header, reader.header());
    if (!chain.follows(header, reader.position())) {
      return corrupt(path, reader.position(), "the block does not follow the one before it");
    }
    if (header.block_bytes() > size - reader.position()) {
      return corrupt(path, reader.position(), "the file ends within the block");
    }
    take_block(scan, reader, header);
    reader.skip(header);
  }
  return scan;
}

Result<SegmentScan> scan_last_segment(io::Filesystem& files, const std::string& path,
                                      Offset first_offset) {
  OT_TRY(const auto file, files.open(path, io::OpenMode::Read));
  OT_TRY(const std::uint64_t size, file->size());
  SegmentScan scan;
  scan.segment.path = path;
  scan.segment.first_offset = scan.segment.end_offset = first_offset;
  BlockReader reader(*file, path, {0, size}, kScanReadAheadBytes);
  Chain chain(first_offset);
  while (!reader.at_end()) {
    const auto header = whole_block(reader);
    if (!header && header.error().code() != ErrorCode::Corruption) {
      return std::unexpected(header.error());
    }
    if (!header) {
      OT_TRY(const auto later, find_later_commit(reader, chain.next()));
      if (later) {
        return fail(ErrorCode::Corruption,
                    fmt::format("{}; a whole block of a later commit stands at byte {}",
                                header.error().message(), *later));
      }
      scan.torn_bytes = size - scan.segment.bytes;
      return scan;
    }
    if (!chain.follows(*header, reader.position())) {
      return corrupt(path, reader.position(), "the block does not follow the one before it");
    }
    take_block(scan, reader, *header);
    reader.skip(*header);
  }
  return scan;
}

Result<std::shared_ptr<const Dictionary>> load_dictionary(const io::File& file,
                                                          const std::string& path) {
  constexpr std::uint64_t kBytes = kBlockHeaderBytes + Dictionary::kBytesMax;
  BlockReader reader(file, path, {0, kBytes}, kBytes);
  OT_TRY(const BlockHeader header, reader.header());
  if (!header.is_dictionary()) {
    return corrupt(path, 0, "no dictionary stands here");
  }
  OT_TRY(const std::string_view payload, reader.payload(header));
  auto dictionary = Dictionary::load(std::string(payload));
  if (!dictionary) {
    return corrupt(path, 0, dictionary.error().message());
  }
  return dictionary;
}

}  // namespace opentrail::journal
