// Property: foreign bytes never crash the decoder nor make it take more memory than the format
// allows, and whatever decodes is what the encoder makes: packed again it decodes to the same.
// Input: a block; tried as it is and with its checksums made right, or nothing would get past them.
#include "base/checksum.h"
#include "journal/block.h"

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

bool same(const opentrail::record::Record& a, const opentrail::record::Record& b) {
  return a.id == b.id && a.account_id == b.account_id && a.region == b.region &&
         a.event_time == b.event_time && a.category == b.category && a.origin == b.origin &&
         a.event_time_is_arrival == b.event_time_is_arrival && a.json == b.json;
}

void check_round_trip(const journal::BlockHeader& header,
                      const std::vector<opentrail::record::Record>& records) {
  require(records.size() == header.record_count);
  journal::BlockPacker packer;
  for (const auto& record : records) {
    require(journal::check_storable(record).has_value());
    packer.add(record);
  }
  require(packer.bytes() == header.plain_bytes);
  const std::string block = packer.pack().to_bytes(header.first_offset, header.commit_position);
  const auto again = journal::decode_header(block.substr(0, journal::kBlockHeaderBytes));
  require(again && again->first_offset == header.first_offset &&
          again->commit_position == header.commit_position && again->block_bytes() == block.size());
  const auto decoded = journal::decode_records(*again, block.substr(journal::kBlockHeaderBytes));
  require(decoded && decoded->size() == records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    require(same((*decoded)[i], records[i]));
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
  const auto records = journal::decode_records(*header, block.substr(journal::kBlockHeaderBytes));
  if (records) {
    check_round_trip(*header, *records);
  } else {
    require(records.error().code() == opentrail::ErrorCode::Corruption);
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
