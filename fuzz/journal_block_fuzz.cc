// Property: foreign bytes never crash the decoder nor make it take more memory than the format
// allows, and whatever decodes is what an encoder makes: packed again it decodes to the same.
// Input: a block of either version; tried as it is and with its checksums made right, or nothing
// would get past them; with a dictionary and without.
#include "base/checksum.h"
#include "journal/block.h"
#include "journal/synthetic_records.h"

#include <cstdint>
#include <cstdlib>

namespace journal = opentrail::journal;
using opentrail::as_bytes;

namespace {

constexpr std::size_t kPayloadCrcAt = 36;
constexpr std::size_t kHeaderCrcAt = 40;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void put_crc(std::string& block, std::size_t at, std::uint32_t crc) {
  for (std::size_t i = 0; i < sizeof(crc); ++i) {
    block[at + i] = static_cast<char>((crc >> (8 * i)) & 0xFFU);
  }
}

std::string with_checksums(std::string block) {
  const std::string_view view = block;
  put_crc(block, kPayloadCrcAt,
          opentrail::crc32c(as_bytes(view.substr(journal::kBlockHeaderBytes))));
  put_crc(block, kHeaderCrcAt, opentrail::crc32c(as_bytes(view.substr(0, kHeaderCrcAt))));
  return block;
}

const journal::Dictionary& dictionary() {
  static const auto made = journal::synthetic::make_dictionary();
  return *made;
}

void check_round_trip(const std::vector<opentrail::record::Record>& records,
                      const journal::Dictionary* with) {
  journal::BlockBuilder builder;
  for (const auto& record : records) {
    // Its fields may be longer than those of one that was stored with it: a block may be too small.
    if (!journal::check_storable(record) ||
        !builder.has_room(record, journal::kBlockPlainBytesMax)) {
      return;
    }
    builder.add(record);
  }
  const journal::EncodedBlock block = builder.finish(with);
  const auto decoded = journal::decode_block(block.codec, block.plain_bytes, block.record_count,
                                             block.payload, with);
  require(decoded && decoded->size() == records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    require(decoded->json(i) == records[i].json);
    require(journal::synthetic::same(decoded->record(i).value(), records[i]));
  }
}

void check_payload(const journal::BlockHeader& header, std::string_view payload,
                   const journal::Dictionary* with) {
  const auto block = journal::decode_payload(header, payload, with);
  if (!block) {
    require(block.error().code() == opentrail::ErrorCode::Corruption);
    return;
  }
  require(block->size() == header.record_count);
  std::size_t json_bytes = 0;
  for (std::size_t i = 0; i < block->size(); ++i) {
    json_bytes += block->json(i).size();
  }
  require(json_bytes <= 3 * journal::kBlockPlainBytesMax);
  if (const auto records = block->records()) {
    check_round_trip(*records, with);
  } else {
    require(records.error().code() == opentrail::ErrorCode::Corruption);
  }
}

void check_block(std::string_view block) {
  const auto header = journal::decode_header(block.substr(0, journal::kBlockHeaderBytes));
  if (!header) {
    require(!header.error().message().empty());
    return;
  }
  require(header->payload_bytes <= journal::kBlockPlainBytesMax);
  require(header->plain_bytes <= journal::kBlockPlainBytesMax);
  const std::string_view payload = block.substr(journal::kBlockHeaderBytes);
  check_payload(*header, payload, nullptr);
  check_payload(*header, payload, &dictionary());
  if (header->is_dictionary()) {
    const auto loaded = journal::Dictionary::load(std::string(payload));
    require(loaded || loaded.error().code() == opentrail::ErrorCode::Corruption);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string block(reinterpret_cast<const char*>(data), size);
  check_block(block);
  if (size > journal::kBlockHeaderBytes) {
    check_block(with_checksums(block));
  }
  return 0;
}
