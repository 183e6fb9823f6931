#include "journal/segment_set.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::journal {
namespace {

constexpr std::size_t kReadAheadBytes = 256 << 10;

}  // namespace

std::shared_ptr<const io::File> ReadFiles::find(const std::string& path) {
  const auto found = std::ranges::find(entries_, path, &Entry::path);
  if (found == entries_.end()) {
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found);
  return found->file;
}

Result<std::shared_ptr<const io::File>> ReadFiles::open(const std::string& path) {
  {
    const MutexLock lock(mutex_);
    if (auto file = find(path)) {
      return file;
    }
  }
  OT_TRY(std::shared_ptr<const io::File> opened, files_.open(path, io::OpenMode::Read));
  const MutexLock lock(mutex_);
  if (auto file = find(path)) {
    return file;
  }
  entries_.push_front({path, opened});
  if (entries_.size() > kFilesMax) {
    entries_.pop_back();
  }
  return opened;
}

void ReadFiles::forget(const std::string& path) {
  const MutexLock lock(mutex_);
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
  return Part{
      segment.path, {segment.index.position_before(from), segment.bytes}, segment.end_offset};
}

void SegmentSet::Batch::add(Offset first, std::vector<record::Record> block, Offset from) {
  const std::uint64_t skipped = value(from) > value(first) ? value(from) - value(first) : 0;
  for (std::uint64_t i = skipped; i < block.size() && !full(); ++i) {
    bytes += stored_bytes(block[i]);
    records.push_back({first + i, std::move(block[i])});
  }
}

/// Reads on from `from` to the end of the part, or until the batch is full.
Result<void> SegmentSet::read_part(const Part& part, Offset from, Batch& batch) {
  OT_TRY(const auto file, read_files_.open(part.path));
  BlockReader reader(*file, part.path, part.range, kReadAheadBytes);
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
      OT_TRY(auto block, reader.records(header));
      batch.add(header.first_offset, std::move(block), from);
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

Result<std::vector<StoredRecord>> SegmentSet::read(Offset from, std::size_t bytes_max) {
  Batch batch;
  batch.bytes_max = bytes_max;
  auto read = read_parts(from, batch);
  // What stands before an error is good; a reader that goes on from there meets it first.
  if (read || !batch.records.empty()) {
    return std::move(batch.records);
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
