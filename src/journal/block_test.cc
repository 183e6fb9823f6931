// Goal: a block comes back as it went in, and no other bytes pass for one. Method: round trips over
// odd records; every single-bit change of a block is refused; headers that lie about lengths, with
// their checksums made right, are refused before memory is taken; bytes of version 1 stay readable.
// What is in a payload is record_block_test.cc's.
#include "journal/block.h"

#include "base/checksum.h"
#include "journal/synthetic_records.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::journal {
namespace {

using synthetic::make_record;
using synthetic::same;
using testing::HasSubstr;

/// Blocks that version 1 wrote: of tiny_record(), and of one with a hundred times the same letter.
constexpr std::string_view kStoredVersion1 =
    "4f544a42010000001b0000001b0000002a00000000000000010000004d00000000000000e3dfc89a"
    "74d33fd4010001000100000000000500000000000000020000006961727b7d";
constexpr std::string_view kPackedVersion1 =
    "4f544a420101000021000000830000000300000000000000010000000000000000000000bd1fd36d"
    "7841d3d028b52ffd2083c500008001006c000000697b2261223a2261227d020000a4090158";

EncodedBlock build(const std::vector<record::Record>& records) {
  BlockBuilder builder;
  for (const record::Record& record : records) {
    builder.add(record);
  }
  return builder.finish(nullptr);
}

std::string encode(const std::vector<record::Record>& records, Offset first = Offset{0}) {
  std::string bytes;
  append_block(bytes, build(records), {first, 0});
  return bytes;
}

Result<std::vector<record::Record>> decode(std::string_view bytes) {
  OT_TRY(const BlockHeader header, decode_header(bytes.substr(0, kBlockHeaderBytes)));
  OT_TRY(const auto block, decode_payload(header, bytes.substr(kBlockHeaderBytes), nullptr));
  return block.records();
}

/// Changes a header field and makes the header's checksum right again.
std::string with_field(std::string block, std::size_t at, std::string_view field) {
  block.replace(at, field.size(), field);
  const std::uint32_t crc = crc32c(as_bytes(std::string_view(block).substr(0, 40)));
  for (unsigned i = 0; i < 4; ++i) {
    block[40 + i] = static_cast<char>((crc >> (8 * i)) & 0xFFU);
  }
  return block;
}

std::string with_payload_crc(std::string block) {
  const std::uint32_t crc = crc32c(as_bytes(std::string_view(block).substr(kBlockHeaderBytes)));
  std::string field;
  for (unsigned i = 0; i < 4; ++i) {
    field.push_back(static_cast<char>((crc >> (8 * i)) & 0xFFU));
  }
  return with_field(std::move(block), 36, field);
}

/// Small, so that it is stored and its payload can be edited.
record::Record tiny_record() {
  record::Record record;
  record.id = "i";
  record.account_id = "a";
  record.region = "r";
  record.event_time = Timestamp(std::chrono::milliseconds(5));
  record.json = "{}";
  return record;
}

TEST(Block, ComesBackAsItWentIn) {
  std::vector<record::Record> records{record::Record{}, tiny_record(), make_record(1),
                                      make_record(77, 5000)};
  records[1].event_time = Timestamp(std::chrono::milliseconds(-1));
  records[2].category = record::Category::Other;
  records[2].json = std::string("\0\xff binary", 9);
  const std::string block = encode(records, Offset{41});
  const BlockHeader header = decode_header(block.substr(0, kBlockHeaderBytes)).value();
  EXPECT_EQ(header.first_offset, Offset{41});
  EXPECT_EQ(header.end_offset(), Offset{45});
  EXPECT_EQ(header.block_bytes(), block.size());
  const auto decoded = decode(block).value();
  ASSERT_EQ(decoded.size(), records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_TRUE(same(decoded[i], records[i])) << i;
  }
}

TEST(Block, CompressesOnlyWhenItHelps) {
  const auto codec = [](const std::string& block) {
    return decode_header(block.substr(0, kBlockHeaderBytes)).value().codec;
  };
  EXPECT_EQ(codec(encode({tiny_record()})), BlockCodec::Stored);
  EXPECT_EQ(codec(encode(synthetic::make_records(0, 20))), BlockCodec::Zstd);
}

TEST(Block, EveryChangedBitIsSeen) {
  const std::string block = encode({make_record(3)});
  ASSERT_TRUE(decode(block));
  for (std::size_t i = 0; i < block.size() * 8; ++i) {
    std::string changed = block;
    changed[i / 8] =
        static_cast<char>(static_cast<unsigned char>(changed[i / 8]) ^ (1U << (i % 8)));
    ASSERT_FALSE(decode(changed)) << "bit " << i;
  }
  for (std::size_t bytes = 0; bytes < block.size(); ++bytes) {
    ASSERT_FALSE(decode(block.substr(0, bytes))) << bytes << " bytes";
  }
  EXPECT_FALSE(decode(block + '\0'));
}

TEST(Block, RefusesHeadersThatLie) {
  using namespace std::string_view_literals;
  const std::string block = encode({tiny_record()});
  ASSERT_TRUE(decode(with_field(block, 0, "OTJB")));
  constexpr struct {
    std::size_t at;
    std::string_view field;
    std::string_view message;
  } kLies[] = {
      {4, "\0"sv, "version"},
      {5, "\4"sv, "codec"},
      {5, "\3"sv, "contradict"},  // a dictionary with a record
      {4, "\1\2"sv, "codec"},     // version 1 knows no dictionaries
      {6, "\1"sv, "version or codec"},
      {8, "\0\0\0\0"sv, "contradict"},                           // no payload
      {8, "\xff\xff\xff\xff"sv, "contradict"},                   // 4 GiB of payload
      {12, "\xff\xff\xff\xff"sv, "contradict"},                  // 4 GiB once decompressed
      {12, "\x0d\0\0\0"sv, "contradict"},                        // stored, but another length
      {24, "\0\0\0\0"sv, "contradict"},                          // no record
      {24, "\xff\xff\xff\xff"sv, "contradict"},                  // more records than bytes
      {16, "\xff\xff\xff\xff\xff\xff\xff\xff"sv, "contradict"},  // the last offset overflows
  };
  for (const auto& lie : kLies) {
    SCOPED_TRACE(lie.at);
    const auto decoded = decode(with_field(block, lie.at, lie.field));
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code(), ErrorCode::Corruption);
    EXPECT_THAT(decoded.error().message(), HasSubstr(std::string(lie.message)));
  }
  EXPECT_EQ(decode(with_field(block, 4, "\3"sv)).error().code(), ErrorCode::Unsupported);
}

TEST(Block, ADictionaryIsABlockWithoutRecords) {
  const auto dictionary = synthetic::make_dictionary();
  std::string bytes;
  append_block(bytes, dictionary_block(*dictionary), {Offset{7}, 0});
  const auto header = decode_header(bytes.substr(0, kBlockHeaderBytes));
  ASSERT_TRUE(header);
  EXPECT_TRUE(header->is_dictionary());
  EXPECT_EQ(header->end_offset(), Offset{7});
  EXPECT_TRUE(check_payload(*header, bytes.substr(kBlockHeaderBytes)));
  EXPECT_EQ(decode(bytes).error().code(), ErrorCode::Corruption);
  using namespace std::string_view_literals;
  for (const auto& [at, field] : {std::pair(12U, "\0\0\0\0"sv), std::pair(24U, "\1\0\0\0"sv)}) {
    EXPECT_FALSE(decode_header(with_field(bytes, at, field).substr(0, kBlockHeaderBytes)));
  }
}

TEST(Block, BytesOfVersion1StayReadable) {
  const std::string stored = from_hex(kStoredVersion1).value();
  ASSERT_TRUE(decode(stored));
  EXPECT_TRUE(same(decode(stored)->at(0), tiny_record()));

  // Another zstd may pack to other bytes; these must stay readable.
  const std::string packed = from_hex(kPackedVersion1).value();
  record::Record record;
  record.id = "i";
  record.json = R"({"a":")" + std::string(100, 'a') + R"("})";
  ASSERT_TRUE(decode(packed));
  EXPECT_TRUE(same(decode(packed)->at(0), record));
}

TEST(Block, RefusesPayloadsOfVersion1ThatLie) {
  const std::string block = from_hex(kStoredVersion1).value();
  ASSERT_TRUE(decode(with_payload_crc(block)));
  constexpr struct {
    std::size_t at;
    char byte;
    std::string_view message;
  } kLies[] = {
      {0, '\x7f', "longer than its block"},   // id
      {0, '\0', "behind the last record"},    // shorter id
      {21, '\x7f', "longer than its block"},  // json
      {6, '\5', "not known"},                 // category
      {7, '\2', "not known"},                 // origin
      {8, '\2', "not known"},                 // flags
      {9, '\1', "not known"},                 // zero
  };
  for (const auto& lie : kLies) {
    SCOPED_TRACE(lie.at);
    std::string changed = block;
    changed[kBlockHeaderBytes + lie.at] = lie.byte;
    const auto decoded = decode(with_payload_crc(changed));
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code(), ErrorCode::Corruption);
    EXPECT_THAT(decoded.error().message(), HasSubstr(std::string(lie.message)));
  }
  // Stored, but another length; compressed, and claiming another length than it has.
  using namespace std::string_view_literals;
  EXPECT_FALSE(decode(with_field(block, 12, "\x1c\0\0\0"sv)));
  const auto short_by_one =
      with_field(from_hex(kPackedVersion1).value(), 12, std::string("\x82\0\0\0", 4));
  EXPECT_EQ(decode(short_by_one).error().code(), ErrorCode::Corruption);
}

}  // namespace
}  // namespace opentrail::journal
