#pragma once
#include "base/error.h"
#include "journal/journal.h"
#include "record/record.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The bytes of one block: a header and a run of records. The layout is docs/formats/journal.md.
/// Everything here is pure; nothing read from disk is believed before its checksum and bounds are.
namespace opentrail::journal {

inline constexpr std::size_t kBlockHeaderBytes = 44;
/// No block holds more before compression, and no payload is larger: a limit of the format, checked
/// before memory is taken for it.
inline constexpr std::size_t kBlockPlainBytesMax = 16 << 20;

enum class Codec : std::uint8_t { Stored = 0, Zstd = 1 };

struct BlockHeader {
  Codec codec = Codec::Stored;
  std::uint32_t payload_bytes = 0;
  std::uint32_t plain_bytes = 0;  ///< Of the payload, decompressed.
  Offset first_offset{0};
  std::uint32_t record_count = 0;
  /// Where in the file the commit begins that this block belongs to: blocks of one commit were
  /// synced together, those of an earlier one before the first byte of this one was written.
  std::uint64_t commit_position = 0;
  std::uint32_t payload_crc = 0;

  [[nodiscard]] Offset end_offset() const { return first_offset + record_count; }
  [[nodiscard]] std::uint64_t block_bytes() const { return kBlockHeaderBytes + payload_bytes; }
};

/// Reads a header of exactly kBlockHeaderBytes. Errors: Corruption; Unsupported when a newer
/// version wrote it.
[[nodiscard]] Result<BlockHeader> decode_header(std::string_view bytes);
/// Errors: Corruption when length or checksum differ.
[[nodiscard]] Result<void> check_payload(const BlockHeader& header, std::string_view payload);
/// The records of a block, checksum included. Errors: Corruption.
[[nodiscard]] Result<std::vector<record::Record>> decode_records(const BlockHeader& header,
                                                                 std::string_view payload);

/// Where in `bytes` a header may begin, from `from` on; npos when nowhere.
[[nodiscard]] std::size_t find_magic(std::string_view bytes, std::size_t from);

/// Bytes that `record` takes in a block before compression.
[[nodiscard]] std::size_t stored_bytes(const record::Record& record);
/// Errors: InvalidArgument when a field is too long for the format.
[[nodiscard]] Result<void> check_storable(const record::Record& record);

/// A payload that is ready but for its place.
struct PackedBlock {
  BlockHeader header;  ///< Without first_offset and commit_position.
  std::string payload;

  [[nodiscard]] std::uint64_t block_bytes() const { return header.block_bytes(); }
  /// Header and payload as they stand on disk.
  [[nodiscard]] std::string to_bytes(Offset first_offset, std::uint64_t commit_position) const;
};

/// Collects records into a block. One thread.
class BlockPacker {
 public:
  BlockPacker();
  ~BlockPacker();
  BlockPacker(const BlockPacker&) = delete;
  BlockPacker& operator=(const BlockPacker&) = delete;

  /// `record` must be storable, and bytes() + stored_bytes(record) within kBlockPlainBytesMax.
  void add(const record::Record& record);
  [[nodiscard]] std::size_t bytes() const { return plain_.size(); }  ///< Before compression.
  [[nodiscard]] std::uint32_t record_count() const { return record_count_; }
  /// Compresses, and is empty again afterwards. At least one record must have been added.
  [[nodiscard]] PackedBlock pack();

 private:
  struct Compressor;
  std::unique_ptr<Compressor> compressor_;
  std::string plain_;
  std::uint32_t record_count_ = 0;
};

}  // namespace opentrail::journal
