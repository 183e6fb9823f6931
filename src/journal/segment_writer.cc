#include "journal/segment_writer.h"

#include "journal/recovery.h"

#include <algorithm>

namespace opentrail::journal {
namespace {

/// One write for this much: blocks are small and a system call each would cost more than they do.
constexpr std::size_t kWriteBytes = 1 << 20;
/// Room for less than this is no reason to try again.
constexpr std::size_t kProbeBytes = 256 << 10;

}  // namespace

SegmentWriter::SegmentWriter(io::Filesystem& files, Options options, Start start)
    : files_(files),
      options_(std::move(options)),
      active_(std::move(start.active)),
      active_bytes_(start.active_bytes),
      commit_position_(start.active_bytes),
      active_has_dictionary_(start.has_dictionary),
      active_is_version_1_(start.is_version_1),
      active_first_offset_(start.first_offset),
      end_offset_(start.end_offset),
      commit_offset_(start.end_offset),
      dictionary_(std::move(start.dictionary)) {}

void SegmentWriter::set_dictionary(std::shared_ptr<const Dictionary> dictionary) {
  OT_CHECK(!active_has_dictionary_);
  dictionary_ = std::move(dictionary);
}

bool SegmentWriter::wants_new_segment() const {
  if (end_offset_ == active_first_offset_) {
    return false;  // without records; it may have a dictionary that a power cut left alone
  }
  const bool could_be_smaller =
      dictionary_ != nullptr && active_bytes_ > 0 && !active_has_dictionary_;
  return active_bytes_ >= options_.segment_bytes_max || active_is_version_1_ || could_be_smaller;
}

Result<Segment> SegmentWriter::begin_segment() {
  OT_CHECK(builder_.record_count() == 0 && places_.empty());
  // The last one must be durable to its last byte: only the newest may have a torn tail.
  OT_CHECK(active_bytes_ == commit_position_ && !touched_);
  OT_TRY(active_, create_segment(files_, options_.folder, end_offset_));
  active_first_offset_ = end_offset_;
  active_bytes_ = 0;
  commit_position_ = 0;
  active_has_dictionary_ = false;
  active_is_version_1_ = false;
  return Segment{.path = io::join_path(options_.folder, segment_name(end_offset_)),
                 .first_offset = end_offset_,
                 .end_offset = end_offset_,
                 .index = {}};
}

Result<void> SegmentWriter::add(const record::Record& record) {
  if (!builder_.has_room(record, options_.block_bytes_max)) {
    OT_TRY_DO(encode_block());
  }
  builder_.add(record);
  end_offset_ = end_offset_ + 1;
  return {};
}

Result<void> SegmentWriter::encode_block() {
  const Offset first{value(end_offset_) - builder_.record_count()};
  const std::size_t before = buffer_.size();
  if (active_bytes_ == 0 && dictionary_ != nullptr) {
    append_block(buffer_, dictionary_block(*dictionary_), {first, commit_position_});
    active_has_dictionary_ = true;
  }
  places_.push_back({first, active_bytes_ + (buffer_.size() - before)});
  const Dictionary* dictionary = active_has_dictionary_ ? dictionary_.get() : nullptr;
  append_block(buffer_, builder_.finish(dictionary), {first, commit_position_});
  active_bytes_ += buffer_.size() - before;
  return buffer_.size() >= kWriteBytes ? flush() : Result<void>();
}

Result<void> SegmentWriter::flush() {
  touched_ = true;
  OT_TRY_DO(active_->append(as_bytes(buffer_)));
  buffer_.clear();
  return {};
}

Result<void> SegmentWriter::sync() {
  if (const auto synced = active_->sync(); !synced) {
    return std::unexpected(failed_sync(synced.error()));
  }
  touched_ = false;
  return {};
}

Result<std::optional<SegmentSet::Committed>> SegmentWriter::commit() {
  if (builder_.record_count() > 0) {
    OT_TRY_DO(encode_block());
  }
  if (places_.empty()) {
    return std::nullopt;
  }
  if (!buffer_.empty()) {
    OT_TRY_DO(flush());
  }
  OT_TRY_DO(sync());
  SegmentSet::Committed committed{.end_offset = end_offset_,
                                  .position = commit_position_,
                                  .bytes = active_bytes_,
                                  .has_dictionary = active_has_dictionary_,
                                  .blocks = std::move(places_)};
  places_.clear();
  commit_position_ = active_bytes_;
  commit_offset_ = end_offset_;
  return committed;
}

Result<void> SegmentWriter::roll_back() {
  builder_.clear();
  buffer_.clear();
  places_.clear();
  end_offset_ = commit_offset_;
  active_bytes_ = commit_position_;
  active_has_dictionary_ = active_has_dictionary_ && active_bytes_ > 0;
  if (!touched_) {
    return {};
  }
  // Synced, so that what was refused does not come back after a power cut.
  if (const auto cut = active_->truncate(commit_position_); !cut) {
    return std::unexpected(failed_sync(cut.error()));
  }
  return sync();
}

Result<void> SegmentWriter::probe() {
  touched_ = true;
  const std::string zeros(kProbeBytes, '\0');  // no block begins with them
  const auto written = active_->append(as_bytes(zeros));
  OT_TRY_DO(roll_back());
  return written;
}

}  // namespace opentrail::journal
