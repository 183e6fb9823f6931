#pragma once
#include "base/error.h"
#include "io/filesystem.h"
#include "journal/block.h"
#include "journal/journal.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// One segment file: its name, its blocks one after the other, and what is kept of it in memory.
namespace opentrail::journal {

/// "00000000000000000042.journal": the offset of the first record, 20 digits.
[[nodiscard]] std::string segment_name(Offset first_offset);
/// The inverse; absent when `name` is not one.
[[nodiscard]] std::optional<Offset> parse_segment_name(std::string_view name);

/// Where some blocks begin: one entry for about every kIndexStepBytes of file, so that a read walks
/// over few headers and the memory stays a small part of the disk's. One thread at a time.
class SparseIndex {
 public:
  struct Place {
    Offset first_offset;
    std::uint64_t position;
  };
  static constexpr std::uint64_t kStepBytes = 8 << 10;

  /// Blocks must come in the order of the file.
  void add(Place place);
  /// The last place at or before `offset`; the start of the file when there is none.
  [[nodiscard]] std::uint64_t position_before(Offset offset) const;
  [[nodiscard]] std::size_t size() const { return places_.size(); }

 private:
  std::vector<Place> places_;
};

struct Segment {
  std::string path;
  Offset first_offset{0};
  Offset end_offset{0};
  std::uint64_t bytes = 0;  ///< Durable whole blocks; what is behind them is not read.
  bool has_dictionary = false;
  SparseIndex index;
};

/// Walks over the blocks of `file` in [position, limit). Keeps one buffer. Errors name the file and
/// the byte.
class BlockReader {
 public:
  struct Range {
    std::uint64_t position;
    std::uint64_t limit;
  };
  /// Reads at least `read_ahead` bytes at a time, where there are as many.
  BlockReader(const io::File& file, std::string path, Range range, std::size_t read_ahead);

  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] bool at_end() const { return position_ >= limit_; }
  /// The header of the block at position(). Errors: Corruption, Unsupported, or the file's.
  Result<BlockHeader> header();
  /// The payload behind that header, checksum checked; the view holds until the next call.
  /// Errors: as header().
  Result<std::string_view> payload(const BlockHeader& header);
  void skip(const BlockHeader& header) { position_ += header.block_bytes(); }
  /// Goes to the next place after position() where a header may begin; false when there is none.
  Result<bool> seek_magic();

 private:
  Result<std::string_view> bytes_at(std::uint64_t position, std::size_t bytes);
  [[nodiscard]] Error located(Error error) const;

  const io::File& file_;
  std::string path_;
  std::uint64_t position_;
  std::uint64_t limit_;
  std::size_t read_ahead_;
  std::string buffer_;
  std::uint64_t buffer_position_ = 0;
};

/// What open() found in a segment.
struct SegmentScan {
  Segment segment;
  std::uint64_t torn_bytes = 0;  ///< Behind the last whole block.
  bool version_1 = false;        ///< It has blocks of that version.
};

/// Checks the chain of headers, without the payloads. Errors: Corruption, Unsupported, the file's.
Result<SegmentScan> scan_sealed_segment(io::Filesystem& files, const std::string& path,
                                        Offset first_offset);
/// Checks headers and payloads. Bytes that end the file and were never synced count as torn; a bad
/// block before a later commit is Corruption.
Result<SegmentScan> scan_last_segment(io::Filesystem& files, const std::string& path,
                                      Offset first_offset);

/// The dictionary that `file` begins with. Errors: Corruption, naming file and byte, or the file's.
Result<std::shared_ptr<const Dictionary>> load_dictionary(const io::File& file,
                                                          const std::string& path);

}  // namespace opentrail::journal
