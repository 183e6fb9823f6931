#include "journal/block.h"

#include "base/checksum.h"
#include "journal/bytes.h"

#include <limits>

#include <fmt/format.h>

namespace opentrail::journal {
namespace {

constexpr std::string_view kMagic = "OTJB";
constexpr std::size_t kHeaderCrcBytes = 4;

std::unexpected<Error> bad(std::string_view what) {
  return fail(ErrorCode::Corruption, fmt::format("block: {}", what));
}

BlockCodec last_codec(std::uint8_t version) {
  return version == 1 ? BlockCodec::Zstd : BlockCodec::Dictionary;
}

/// What a header says is possible at all; the payload's own reader says the rest.
bool is_plausible(const BlockHeader& header) {
  const bool bounded = header.payload_bytes > 0 && header.payload_bytes <= kBlockPlainBytesMax &&
                       header.plain_bytes <= kBlockPlainBytesMax;
  const bool counted = header.is_dictionary()
                           ? header.record_count == 0 && header.plain_bytes <= Dictionary::kBytesMax
                           : header.record_count > 0 && header.plain_bytes >= header.record_count;
  const bool stored = header.codec != BlockCodec::Stored || header.version != 1 ||
                      header.payload_bytes == header.plain_bytes;
  const bool copied = !header.is_dictionary() || header.payload_bytes == header.plain_bytes;
  const bool numbered =
      value(header.first_offset) <= std::numeric_limits<std::uint64_t>::max() - header.record_count;
  return bounded && counted && stored && copied && numbered;
}

}  // namespace

Result<BlockHeader> decode_header(std::string_view bytes) {
  if (bytes.size() != kBlockHeaderBytes) {
    return bad("the header is cut short");
  }
  ByteReader in(bytes);
  if (in.text(kMagic.size()) != kMagic) {
    return bad("no block begins here");
  }
  BlockHeader header;
  // Before the checksum: what follows may be laid out otherwise in a later version.
  header.version = in.number<std::uint8_t>();
  if (header.version > kBlockVersion) {
    return fail(ErrorCode::Unsupported,
                fmt::format("block: header version {} is newer than this program", header.version));
  }
  const auto codec = in.number<std::uint8_t>();
  const auto zero = in.number<std::uint16_t>();
  header.payload_bytes = in.number<std::uint32_t>();
  header.plain_bytes = in.number<std::uint32_t>();
  header.first_offset = Offset{in.number<std::uint64_t>()};
  header.record_count = in.number<std::uint32_t>();
  header.commit_position = in.number<std::uint64_t>();
  header.payload_crc = in.number<std::uint32_t>();
  const auto header_crc = in.number<std::uint32_t>();
  if (crc32c(as_bytes(bytes.substr(0, kBlockHeaderBytes - kHeaderCrcBytes))) != header_crc) {
    return bad("the header's checksum differs");
  }
  if (header.version == 0 || zero != 0 ||
      codec > static_cast<std::uint8_t>(last_codec(header.version))) {
    return bad("the header's version or codec is not known");
  }
  header.codec = static_cast<BlockCodec>(codec);
  if (!is_plausible(header)) {
    return bad("the header's lengths contradict each other");
  }
  return header;
}

Result<void> check_payload(const BlockHeader& header, std::string_view payload) {
  if (payload.size() != header.payload_bytes) {
    return bad("the payload is cut short");
  }
  if (crc32c(as_bytes(payload)) != header.payload_crc) {
    return bad("the payload's checksum differs");
  }
  return {};
}

Result<DecodedBlock> decode_payload(const BlockHeader& header, std::string_view payload,
                                    const Dictionary* dictionary) {
  OT_TRY_DO(check_payload(header, payload));
  return header.version == 1 ? decode_block_version_1(header.codec, header.plain_bytes,
                                                      header.record_count, payload)
                             : decode_block(header.codec, header.plain_bytes, header.record_count,
                                            payload, dictionary);
}

std::size_t find_magic(std::string_view bytes, std::size_t from) {
  return bytes.find(kMagic, from);
}

void append_block(std::string& out, const EncodedBlock& block, BlockPlace place) {
  const std::size_t begin = out.size();
  out += kMagic;
  put(out, kBlockVersion);
  put(out, static_cast<std::uint8_t>(block.codec));
  put(out, std::uint16_t{0});
  put(out, static_cast<std::uint32_t>(block.payload.size()));
  put(out, block.plain_bytes);
  put(out, value(place.first_offset));
  put(out, block.record_count);
  put(out, place.commit_position);
  put(out, crc32c(as_bytes(block.payload)));
  put(out, crc32c(as_bytes(std::string_view(out).substr(begin))));
  out += block.payload;
}

EncodedBlock dictionary_block(const Dictionary& dictionary) {
  return {.payload = dictionary.bytes(),
          .codec = BlockCodec::Dictionary,
          .plain_bytes = static_cast<std::uint32_t>(dictionary.bytes().size()),
          .record_count = 0};
}

}  // namespace opentrail::journal
