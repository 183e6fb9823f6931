#pragma once
#include "base/error.h"
#include "journal/journal.h"
#include "journal/record_block.h"

#include <cstdint>
#include <string>
#include <string_view>

/// One block in a segment file: a header, then a payload (record_block.h). The layout is
/// docs/formats/journal.md. Everything here is pure; nothing read from disk is believed before its
/// checksum and bounds are.
namespace opentrail::journal {

inline constexpr std::size_t kBlockHeaderBytes = 44;
inline constexpr std::uint8_t kBlockVersion = 2;  ///< Of what is written.

struct BlockHeader {
  std::uint8_t version = kBlockVersion;
  BlockCodec codec = BlockCodec::Stored;
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
  [[nodiscard]] bool is_dictionary() const { return codec == BlockCodec::Dictionary; }
};

/// Reads a header of exactly kBlockHeaderBytes. Errors: Corruption; Unsupported when a newer
/// version wrote it.
[[nodiscard]] Result<BlockHeader> decode_header(std::string_view bytes);
/// Errors: Corruption when length or checksum differ.
[[nodiscard]] Result<void> check_payload(const BlockHeader& header, std::string_view payload);
/// The records of a block of either version, checksum included. Errors: Corruption; also when the
/// block is a dictionary, or needs one and none is given.
[[nodiscard]] Result<DecodedBlock> decode_payload(const BlockHeader& header,
                                                  std::string_view payload,
                                                  const Dictionary* dictionary);

/// Where in `bytes` a header may begin, from `from` on; npos when nowhere.
[[nodiscard]] std::size_t find_magic(std::string_view bytes, std::size_t from);

struct BlockPlace {
  Offset first_offset{0};
  std::uint64_t commit_position = 0;
};
/// Appends header and payload as they stand on disk.
void append_block(std::string& out, const EncodedBlock& block, BlockPlace place);
/// The block that a segment with a dictionary begins with.
[[nodiscard]] EncodedBlock dictionary_block(const Dictionary& dictionary);

}  // namespace opentrail::journal
