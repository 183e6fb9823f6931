#pragma once
#include "base/error.h"
#include "io/filesystem.h"
#include "journal/block.h"
#include "journal/journal.h"
#include "journal/segment.h"
#include "journal/segment_set.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace opentrail::journal {

/// Writes blocks into the last segment, and begins new ones. One thread.
///
/// Errors with code ResourceExhausted (disk full, too many open files) leave it as it was but for
/// what was added since the last commit: roll_back() takes that away, and it can be tried again.
/// After any other error, of a sync for instance, it must not be used again.
class SegmentWriter {
 public:
  struct Options {
    std::string folder;
    std::uint64_t segment_bytes_max = 0;
    std::size_t block_bytes_max = 0;
  };
  /// Where recovery left the journal.
  struct Start {
    std::unique_ptr<io::File> active;
    std::uint64_t active_bytes = 0;
    bool has_dictionary = false;
    bool is_version_1 = false;
    Offset first_offset{0};  ///< Of the active segment.
    Offset end_offset{0};
    std::shared_ptr<const Dictionary> dictionary;  ///< Of the active segment, or for the next.
  };
  SegmentWriter(io::Filesystem& files, Options options, Start start);

  /// New blocks are compressed with it from the next segment on.
  void set_dictionary(std::shared_ptr<const Dictionary> dictionary);
  [[nodiscard]] const std::shared_ptr<const Dictionary>& dictionary() const { return dictionary_; }

  /// True when what comes next belongs into a new segment: commit(), then begin_segment().
  [[nodiscard]] bool wants_new_segment() const;
  /// Nothing may be uncommitted. Returns the new segment, empty and durable.
  Result<Segment> begin_segment();

  Result<void> add(const record::Record& record);
  /// Makes all that was added durable. Absent when that is nothing.
  Result<std::optional<SegmentSet::Committed>> commit();
  /// Takes away what was added since the last commit, from the disk for certain.
  Result<void> roll_back();
  /// Tries whether the disk takes bytes again, and takes them away. Nothing may be uncommitted.
  Result<void> probe();

  [[nodiscard]] Offset end_offset() const { return end_offset_; }  ///< Of all that was added.

 private:
  Result<void> encode_block();
  Result<void> flush();
  Result<void> sync();

  io::Filesystem& files_;
  const Options options_;
  std::unique_ptr<io::File> active_;
  std::uint64_t active_bytes_;     ///< With what waits in buffer_.
  std::uint64_t commit_position_;  ///< Everything before it in the active segment is durable.
  bool active_has_dictionary_;
  bool active_is_version_1_;
  bool touched_ = false;  ///< The file may be longer than commit_position_.
  Offset active_first_offset_;
  Offset end_offset_;
  Offset commit_offset_;  ///< One past the last durable record.
  std::shared_ptr<const Dictionary> dictionary_;

  BlockBuilder builder_;
  std::string buffer_;                      ///< Blocks that one write takes to the file.
  std::vector<SparseIndex::Place> places_;  ///< Of the blocks since the last commit.
};

}  // namespace opentrail::journal
