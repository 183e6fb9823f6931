#include "journal/segment_set.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::journal {
namespace {

/// A place of the index is at most a step before a block, and most blocks are small.
constexpr std::size_t kReadAheadBytesMin = 4 << 10;
constexpr std::size_t kReadAheadBytesMax = 256 << 10;

RawBlock raw_block(const BlockHeader& header, std::string_view payload,
                   const std::shared_ptr<const Dictionary>& dictionary) {
  return {.first = header.first_offset,
          .record_count = header.record_count,
          .codec = header.codec,
          .plain_bytes = header.plain_bytes,
          .payload_crc = header.payload_crc,
          .payload = std::string(payload),
          .dictionary = header.codec == BlockCodec::ZstdDictionary ? dictionary : nullptr,
          .copyable = header.version == kBlockVersion};
}

}  // namespace

std::optional<ReadFiles::OpenSegment> ReadFiles::find(const std::string& path) {
  const auto found = std::ranges::find(entries_, path, &Entry::path);
  if (found == entries_.end()) {
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, found);
  return found->segment;
}

Result<ReadFiles::OpenSegment> ReadFiles::open(const std::string& path, bool has_dictionary) {
  std::uint64_t forgotten = 0;
  {
    const MutexLock lock(mutex_);
    forgotten = forgotten_;
    // One that was opened before its dictionary was durable is opened again.
    if (auto segment = find(path); segment && (segment->dictionary || !has_dictionary)) {
      return *std::move(segment);
    }
  }
  OpenSegment opened;
  OT_TRY(opened.file, files_.open(path, io::OpenMode::Read));
  if (has_dictionary) {
    OT_TRY(auto dictionary, load_dictionary(*opened.file, path));
    opened.dictionary = share(std::move(dictionary));
  }
  const MutexLock lock(mutex_);
  if (forgotten != forgotten_) {
    return opened;  // Perhaps this one: an open file keeps the room of a removed one.
  }
  std::erase_if(entries_, [&path](const Entry& entry) { return entry.path == path; });
  entries_.push_front({path, opened});
  if (entries_.size() > kFilesMax) {
    entries_.pop_back();
  }
  return opened;
}

std::shared_ptr<const Dictionary> ReadFiles::share(std::shared_ptr<const Dictionary> dictionary) {
  const MutexLock lock(mutex_);
  std::erase_if(dictionaries_, [](const auto& held) { return held.expired(); });
  for (const auto& held : dictionaries_) {
    if (auto same = held.lock(); same && same->bytes() == dictionary->bytes()) {
      return same;
    }
  }
  dictionaries_.push_back(dictionary);
  return dictionary;
}

void ReadFiles::forget(const std::string& path) {
  const MutexLock lock(mutex_);
  ++forgotten_;
  std::erase_if(entries_, [&path](const Entry& entry) { return entry.path == path; });
}

SegmentSet::SegmentSet(io::Filesystem& files, std::string folder, std::vector<Segment> segments)
    : files_(files),
      folder_(std::move(folder)),
      read_files_(files),
      segments_(std::make_move_iterator(segments.begin()), std::make_move_iterator(segments.end())),
      begin_(segments_.front().first_offset) {}

Offset SegmentSet::begin() const {
  const MutexLock lock(mutex_);
  return begin_;
}

Offset SegmentSet::durable_end() const {
  const MutexLock lock(mutex_);
  return segments_.back().end_offset;
}

void SegmentSet::committed(const Committed& what) {
  const MutexLock lock(mutex_);
  Segment& last = segments_.back();
  for (const SparseIndex::Place& place : what.blocks) {
    last.index.add(place);
  }
  last.end_offset = what.end_offset;
  last.bytes = what.bytes;
  last.has_dictionary = what.has_dictionary;
}

void SegmentSet::begin_segment(Segment segment) {
  const MutexLock lock(mutex_);
  segments_.push_back(std::move(segment));
}

Result<std::optional<SegmentSet::Part>> SegmentSet::locate(Offset from) const {
  const MutexLock lock(mutex_);
  if (from < begin_) {
    return fail(ErrorCode::NotFound,
                fmt::format("journal: record {} was dropped; the first kept is {}", value(from),
                            value(begin_)));
  }
  if (from >= segments_.back().end_offset) {
    return std::nullopt;
  }
  const auto after = std::ranges::upper_bound(segments_, from, {}, &Segment::first_offset);
  const Segment& segment = *std::prev(after);
  return Part{.path = segment.path,
              .range = {segment.index.position_before(from), segment.bytes},
              .end_offset = segment.end_offset,
              .has_dictionary = segment.has_dictionary};
}

/// Reads on from `from` to the end of the part, or until the batch is full.
Result<void> SegmentSet::read_part(const Part& part, Offset from, Batch& batch) {
  OT_TRY(const auto segment, read_files_.open(part.path, part.has_dictionary));
  const std::size_t read_ahead =
      std::clamp(batch.bytes_max, kReadAheadBytesMin, kReadAheadBytesMax);
  BlockReader reader(*segment.file, part.path, part.range, read_ahead);
  std::optional<Offset> next;
  while (!reader.at_end() && !batch.full()) {
    OT_TRY(const BlockHeader header, reader.header());
    const bool follows = next ? header.first_offset == *next : header.first_offset <= from;
    if (!follows) {
      return fail(ErrorCode::Corruption,
                  fmt::format("{} at byte {}: the block does not follow the one before it",
                              part.path, reader.position()));
    }
    next = header.end_offset();
    if (*next > from) {
      OT_TRY(const std::string_view payload, reader.payload(header));
      batch.blocks.push_back(raw_block(header, payload, segment.dictionary));
      batch.bytes += payload.size();
    }
    reader.skip(header);
  }
  if (!batch.full() && next != part.end_offset) {
    return fail(ErrorCode::Corruption,
                fmt::format("{} at byte {}: records are missing", part.path, reader.position()));
  }
  return {};
}

Result<void> SegmentSet::read_parts(Offset from, Batch& batch) {
  while (!batch.full()) {
    OT_TRY(const auto part, locate(from));
    if (!part) {
      return {};
    }
    OT_TRY_DO(read_part(*part, from, batch));
    from = part->end_offset;
  }
  return {};
}

Result<std::vector<RawBlock>> SegmentSet::read_blocks(Offset from, std::size_t bytes_max) {
  Batch batch;
  batch.bytes_max = bytes_max;
  auto read = read_parts(from, batch);
  // What stands before an error is good; a reader that goes on from there meets it first.
  if (read || !batch.blocks.empty()) {
    return std::move(batch.blocks);
  }
  if (read.error().code() == ErrorCode::NotFound && from >= begin()) {
    return fail(ErrorCode::Corruption, "journal: a segment is missing: " + read.error().message());
  }
  return std::unexpected(std::move(read).error());
}

std::optional<std::string> SegmentSet::retire_oldest(Offset offset) {
  const MutexLock lock(mutex_);
  if (segments_.size() < 2 || segments_.front().end_offset > offset) {
    return std::nullopt;
  }
  begin_ = segments_.front().end_offset;
  return segments_.front().path;
}

Result<void> SegmentSet::drop_before(Offset offset) {
  const MutexLock dropping(dropping_);
  while (const auto path = retire_oldest(offset)) {
    if (auto removed = files_.remove(*path);
        !removed && removed.error().code() != ErrorCode::NotFound) {
      return removed;
    }
    // One at a time: a crash must not keep an older segment and lose a newer one.
    OT_TRY_DO(files_.sync_directory(folder_));
    read_files_.forget(*path);
    const MutexLock lock(mutex_);
    segments_.pop_front();
  }
  return {};
}

}  // namespace opentrail::journal
