#pragma once
#include "base/error.h"
#include "history/index/index.h"
#include "journal/journal.h"
#include "journal/record_block.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What stands in a segment file beside its blocks; the layout is docs/formats/history.md. Pure.
namespace opentrail::history {

/// What is written; version 1, without the filter of ids, is read.
inline constexpr std::uint8_t kSegmentVersion = 2;
inline constexpr std::size_t kSegmentHeaderBytes = 32;
inline constexpr std::size_t kSegmentFooterBytes = 32;
/// One byte says which dictionary a block needs; 0 is none.
inline constexpr std::size_t kDictionariesMax = 255;
/// No segment describes itself in more.
inline constexpr std::uint64_t kMetaBytesMax = std::uint64_t{256} << 20;

/// One compressed block of records, as it stands in the block directory.
struct BlockEntry {
  static constexpr std::size_t kBytes = 14;
  std::uint16_t records = 0;
  std::uint32_t payload_bytes = 0;  ///< 3 bytes on disk.
  std::uint32_t plain_bytes = 0;    ///< 3 bytes on disk.
  std::uint32_t crc = 0;
  journal::BlockCodec codec{};
  std::uint8_t dictionary = 0;  ///< Number in the segment, from 1; 0 for none.

  static constexpr std::uint32_t kLengthMax = (1U << 24) - 1;
  void encode(std::string& out) const;
  static BlockEntry decode(ByteReader& in);
};

/// The directory's entries are read in groups; where each group begins is kept in memory.
struct BlockGroup {
  static constexpr std::size_t kBlocks = 64;
  std::uint32_t first_record = 0;  ///< Less the segment's first offset.
  std::uint64_t position = 0;      ///< In the file, of the first block's payload.
};

/// Everything of a segment that is kept in memory.
struct SegmentMeta {
  std::uint64_t index_position = 0;  ///< In the file.
  std::uint64_t index_bytes = 0;
  std::uint64_t directory_position = 0;  ///< Of the block directory, in the index.
  std::uint32_t blocks = 0;
  std::vector<BlockGroup> groups;
  struct DictionaryPlace {
    std::uint64_t position = 0;  ///< In the file.
    std::uint32_t bytes = 0;
    std::uint32_t id = 0;  ///< journal::Dictionary::id(): the CRC-32C of its bytes.
  };
  std::vector<DictionaryPlace> dictionaries;
  std::vector<std::uint32_t> page_crcs;  ///< Of the index.
  IndexMeta index;

  [[nodiscard]] std::string encode() const;
  /// Absent when the bytes contradict each other. `version`: the footer's.
  static std::optional<SegmentMeta> decode(std::string_view bytes, std::uint64_t file_bytes,
                                           std::uint8_t version);
};

struct SegmentFooter {
  std::uint64_t meta_position = 0;
  std::uint32_t meta_bytes = 0;
  std::uint32_t meta_crc = 0;
  std::uint8_t version = kSegmentVersion;

  [[nodiscard]] std::string encode() const;
  /// Errors: Corruption; Unsupported when a newer version wrote it.
  static Result<SegmentFooter> decode(std::string_view bytes);
};

/// "00000000000000000000-00000000000000131072.segment": the run of offsets.
[[nodiscard]] std::string segment_file_name(journal::Offset first, journal::Offset end);
/// The inverse; absent when `name` is not one.
[[nodiscard]] std::optional<std::pair<journal::Offset, journal::Offset>> parse_segment_file_name(
    std::string_view name);

[[nodiscard]] std::string encode_segment_header(journal::Offset first, journal::Offset end,
                                                std::uint8_t version = kSegmentVersion);

}  // namespace opentrail::history
