// Goal: a payload gives back what was put in, byte for byte, whatever the records look like; no
// other bytes crash the decoder or make it take more than the format allows. Method: round trips
// over odd and over made-up records in every codec; every length and flag changed.
#include "journal/record_block.h"

#include "journal/synthetic_records.h"
#include "journal/uuid_text.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::journal {
namespace {

using synthetic::make_parsed_record;
using synthetic::make_record;
using synthetic::make_records;
using synthetic::same;
using testing::HasSubstr;

constexpr std::string_view kUuid = "0123abcd-89ef-4567-8f9e-00ff10a5c3b7";

const std::shared_ptr<const Dictionary>& dictionary() {
  static const auto made = synthetic::make_dictionary();
  return made;
}

EncodedBlock encode(const std::vector<record::Record>& records, const Dictionary* with) {
  BlockBuilder builder;
  for (const record::Record& record : records) {
    builder.add(record);
  }
  return builder.finish(with);
}

Result<DecodedBlock> decode(const EncodedBlock& block, const Dictionary* with = nullptr) {
  return decode_block(block.codec, block.plain_bytes, block.record_count, block.payload, with);
}

void expect_round_trip(const std::vector<record::Record>& records) {
  for (const Dictionary* with : {static_cast<const Dictionary*>(nullptr), dictionary().get()}) {
    const EncodedBlock block = encode(records, with);
    const auto decoded = decode(block, with);
    ASSERT_TRUE(decoded) << decoded.error().message();
    ASSERT_EQ(decoded->size(), records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
      EXPECT_EQ(decoded->json(i), records[i].json);
      EXPECT_EQ(decoded->origin(i), records[i].origin);
      const auto record = decoded->record(i);
      ASSERT_TRUE(record) << record.error().message();
      EXPECT_TRUE(same(*record, records[i])) << i;
      if (records[i].event_time_is_arrival) {
        EXPECT_EQ(decoded->arrival_time(i), records[i].event_time);
      }
    }
  }
}

record::Record with_json(std::string json) {
  record::Record record;
  record.id = "i";
  record.json = std::move(json);
  return record;
}

TEST(RecordBlock, ComesBackAsItWentIn) {
  expect_round_trip({record::Record{}});
  expect_round_trip(make_records(0, 50));
  std::vector<record::Record> records;
  for (std::uint64_t i = 0; i < 60; ++i) {
    records.push_back(i % 3 == 0 ? make_record(i) : make_parsed_record(i, i * 7));
  }
  records[3].event_time = Timestamp(std::chrono::milliseconds(-1));
  records[6].category = record::Category::Other;
  records[9].json = std::string("\0\1\xff binary", 10);
  records[12].json.clear();
  expect_round_trip(records);
}

TEST(RecordBlock, TakesOutExactlyTheUuidsItCanPutBack) {
  const std::string uuid(kUuid);
  const struct {
    std::string json;
    unsigned count;
  } kCases[] = {
      {R"({"eventID":")" + uuid + R"("})", 1},
      {R"({"requestID":")" + uuid + R"("})", 1},
      {R"({"requestID":")" + uuid + R"(","eventID":")" + uuid + R"("})", 2},
      {R"({"a":{"eventID":")" + uuid + R"("},"eventID":")" + uuid + R"("})", 2},
      {R"({"sharedEventID":")" + uuid + R"("})", 0},
      {R"({"EventID":")" + uuid + R"("})", 0},
      {R"({"eventID": ")" + uuid + R"("})", 0},
      {R"({"eventID":")" + uuid + R"(x"})", 0},
      {R"({"eventID":")" + uuid.substr(1) + R"("})", 0},
      {R"({"eventID":")" + uuid, 0},           // cut short
      {R"({"eventID":")" + uuid + R"(")", 1},  // as short as can be
      {R"({"eventID":"0123ABCD-89ef-4567-8f9e-00ff10a5c3b7"})", 0},
      {R"({"eventID":"0123abcg-89ef-4567-8f9e-00ff10a5c3b7"})", 0},
      {R"({"eventID":"0123abcd/89ef-4567-8f9e-00ff10a5c3b7"})", 0},
      {R"({"eventID":"0123abcd-89ef-4567-8f9e-00ff10a5c3b`"})", 0},
      {R"({"eventID":"0123abcd-89ef-4567-8f9e-00ff10a5c3b:"})", 0},
      {"eventID\":\"" + uuid + "\"", 0},
      {"\"eventID\":\"" + uuid + "\"requestID\":\"" + uuid + "\"", 2},
      {"\1\"eventID\":\"" + uuid + "\"", 0},  // might be taken for a mark
      {"\"eventID\":\"" + uuid + "\"\x08", 0},
      {"\"eventID\":\"" + uuid + "\"\x09", 1},
      {"", 0},
      {"\1", 0},
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(one.json);
    for (std::size_t shift = 0; shift < 40; ++shift) {  // every place in the scan's lanes
      const std::string json = std::string(shift, ' ') + one.json;
      std::string text = "before";
      std::string uuids = "u";
      const TakenUuids taken = take_uuids(json, text, uuids);
      ASSERT_EQ(taken.count, one.count);
      ASSERT_EQ(uuids.size(), 1 + one.count * kUuidBytes);
      ASSERT_EQ(text.size(), 6 + json.size() - one.count * (kUuidTextBytes - 1));
      if (taken.clean) {
        std::string back(json.size(), '\0');
        ASSERT_TRUE(put_uuids(text.substr(6), uuids.substr(1), back.data()));
        ASSERT_EQ(back, json);
      } else {
        ASSERT_EQ(text, "before" + json);
      }
      expect_round_trip({with_json(json)});
    }
  }
}

TEST(RecordBlock, TakesOutAtMostThreeUuidsOfARecord) {
  std::string json;
  for (int i = 0; i < 6; ++i) {
    json += "\"eventID\":\"" + std::string(kUuid) + "\"";
  }
  std::string text;
  std::string uuids;
  EXPECT_EQ(take_uuids(json, text, uuids).count, kUuidsMax);
  expect_round_trip({with_json(json), with_json("{}"), with_json(json)});
}

TEST(RecordBlock, EveryHexDigitComesBack) {
  for (std::size_t at = 0; at < kUuid.size(); ++at) {
    for (unsigned c = 0; c < 256; ++c) {
      std::string uuid(kUuid);
      uuid[at] = static_cast<char>(c);
      const bool hyphen = kUuid[at] == '-';
      const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
      std::string bytes(kUuidBytes, '\0');
      ASSERT_EQ(parse_uuid(uuid.data(), bytes.data()), hyphen ? c == '-' : digit) << uuid;
      if (hyphen ? c == '-' : digit) {
        std::string back(kUuidTextBytes, '\0');
        print_uuid(bytes.data(), back.data());
        ASSERT_EQ(back, uuid);
      }
    }
  }
}

TEST(RecordBlock, KeepsOnlyWhatDoesNotFollowFromTheJson) {
  std::vector<record::Record> with;
  std::vector<record::Record> without;
  for (std::uint64_t i = 0; i < 20; ++i) {
    with.push_back(make_parsed_record(i));
    without.push_back(with.back());
    without.back().terms = {};
  }
  EXPECT_LT(encode(with, nullptr).plain_bytes, encode(without, nullptr).plain_bytes);
  expect_round_trip(with);
  expect_round_trip(without);
  // A record that says so and lies is found out when it is wanted, and only then.
  record::Record broken = make_parsed_record(1);
  broken.json = "no record";
  const auto decoded = decode(encode({with[0], broken}, nullptr)).value();
  EXPECT_EQ(decoded.json(1), "no record");
  EXPECT_TRUE(decoded.record(0));
  EXPECT_EQ(decoded.record(1).error().code(), ErrorCode::Corruption);
  EXPECT_EQ(decoded.records().error().code(), ErrorCode::Corruption);
}

TEST(RecordBlock, CompressesOnlyWhenItHelps) {
  EXPECT_EQ(encode({with_json("{}")}, dictionary().get()).codec, BlockCodec::Stored);
  EXPECT_EQ(encode(make_records(0, 20), nullptr).codec, BlockCodec::Zstd);
  const EncodedBlock block = encode(make_records(0, 6), dictionary().get());
  EXPECT_EQ(block.codec, BlockCodec::ZstdDictionary);
  EXPECT_LT(block.payload.size(), encode(make_records(0, 6), nullptr).payload.size() * 2 / 3);
}

TEST(RecordBlock, BuilderIsEmptyAfterwardsAndKnowsItsRoom) {
  BlockBuilder builder;
  const record::Record record = make_record(1);
  EXPECT_TRUE(builder.has_room(record, 1));
  builder.add(record);
  EXPECT_LE(builder.plain_bytes(), stored_bytes(record));
  EXPECT_FALSE(builder.has_room(record, stored_bytes(record)));
  EXPECT_TRUE(builder.has_room(record, builder.plain_bytes() + stored_bytes(record)));
  (void)builder.finish(nullptr);
  EXPECT_EQ(builder.plain_bytes(), 0U);
  builder.add(make_record(7));
  builder.clear();
  builder.add(make_record(2));
  const EncodedBlock second = builder.finish(nullptr);
  EXPECT_EQ(second.record_count, 1U);
  EXPECT_TRUE(same(decode(second).value().record(0).value(), make_record(2)));
  for (std::uint32_t i = 0; i < kBlockRecordsMax; ++i) {
    ASSERT_TRUE(builder.has_room(record::Record{}, kBlockPlainBytesMax));
    builder.add(record::Record{});
  }
  EXPECT_FALSE(builder.has_room(record::Record{}, kBlockPlainBytesMax));
  EXPECT_EQ(decode(builder.finish(nullptr)).value().size(), kBlockRecordsMax);
}

TEST(RecordBlock, RefusesRecordsTheFormatCannotHold) {
  record::Record record;
  record.id.assign(std::numeric_limits<std::uint16_t>::max(), 'x');
  EXPECT_TRUE(check_storable(record));
  record.id += 'x';
  EXPECT_EQ(check_storable(record).error().code(), ErrorCode::InvalidArgument);
  record.id.clear();
  record.json.assign(kBlockPlainBytesMax, ' ');
  EXPECT_EQ(check_storable(record).error().code(), ErrorCode::InvalidArgument);
  record.json.resize(kBlockPlainBytesMax - (stored_bytes(record) - kBlockPlainBytesMax));
  EXPECT_TRUE(check_storable(record));
  expect_round_trip({record});
  record.json = synthetic::noise(1, record.json.size());
  expect_round_trip({record});
}

TEST(RecordBlock, RefusesPayloadsThatLie) {
  record::Record record = with_json(R"({"eventID":")" + std::string(kUuid) + R"("})");
  const EncodedBlock block = encode({record}, nullptr);
  ASSERT_EQ(block.codec, BlockCodec::Stored);
  ASSERT_TRUE(decode(block));
  constexpr std::size_t kFlagsAt = 1 + kUuidBytes;
  ASSERT_EQ(block.payload[kFlagsAt], 0x14);  // explicit, one UUID
  const struct {
    std::size_t at;
    char byte;
    std::string_view message;
  } kLies[] = {
      {0, 0, "lengths contradict"},                // no UUID before the plain bytes
      {0, 2, "lengths contradict"},                // two
      {0, 0x7f, "cut short"},                      // more than there are bytes
      {0, '\xff', ""},                             // an endless number
      {kFlagsAt, 0x04, "lengths contradict"},      // no UUID in the text
      {kFlagsAt, 0x24, "lengths contradict"},      // two
      {kFlagsAt, 0x10, "not as long"},             // derived: the fields are text
      {kFlagsAt, 0x1c, "flag"},                    // verbatim with a UUID
      {kFlagsAt, 0x54, "flag"},                    // not known
      {kFlagsAt, '\x94', "flag"},                  // not known
      {kFlagsAt + 1, 0x7f, "lengths contradict"},  // the JSON's length
      {kFlagsAt + 1, 0x01, "not as long"},
      {kFlagsAt + 2, 0x05, "category"},
      {kFlagsAt + 3, 0x7f, "not as long"},  // the id's length
      {kFlagsAt + 3, 0x00, "not as long"},
      {block.payload.size() - 3, 'x', "other UUIDs"},  // the mark is gone
      {block.payload.size() - 1, 1, "other UUIDs"},    // a second mark
  };
  for (const auto& lie : kLies) {
    SCOPED_TRACE(testing::Message() << "byte " << lie.at << " is " << int{lie.byte});
    EncodedBlock changed = block;
    changed.payload[lie.at] = lie.byte;
    const auto decoded = decode(changed);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code(), ErrorCode::Corruption);
    EXPECT_THAT(decoded.error().message(), HasSubstr(std::string(lie.message)));
  }
  for (std::size_t bytes = 0; bytes < block.payload.size(); ++bytes) {
    EncodedBlock changed = block;
    changed.payload.resize(bytes);
    EXPECT_FALSE(decode(changed)) << bytes;
  }
}

TEST(RecordBlock, RefusesNumbersThatLie) {
  const EncodedBlock block = encode(make_records(0, 6), dictionary().get());
  const auto code = [](const Result<DecodedBlock>& decoded) {
    return decoded ? std::optional<ErrorCode>() : decoded.error().code();
  };
  const auto changed = [&block](auto change) {
    EncodedBlock other = block;
    change(other);
    return decode(other, dictionary().get());
  };
  EXPECT_EQ(code(changed([](auto&) {})), std::nullopt);
  EXPECT_EQ(code(decode(block, nullptr)), ErrorCode::Corruption);
  const auto changes = std::to_array<void (*)(EncodedBlock&)>({
      [](EncodedBlock& b) { --b.plain_bytes; },
      [](EncodedBlock& b) { ++b.plain_bytes; },
      [](EncodedBlock& b) { b.plain_bytes = 0xFFFFFFFF; },
      [](EncodedBlock& b) { b.plain_bytes = 0; },
      [](EncodedBlock& b) { b.record_count = 0; },
      [](EncodedBlock& b) { --b.record_count; },
      [](EncodedBlock& b) { ++b.record_count; },
      [](EncodedBlock& b) { b.record_count = 0xFFFFFFFF; },
      [](EncodedBlock& b) { b.codec = BlockCodec::Stored; },
      [](EncodedBlock& b) { b.codec = BlockCodec::Zstd; },
      [](EncodedBlock& b) { b.codec = BlockCodec::Dictionary; },
      [](EncodedBlock& b) { b.payload.clear(); },
      [](EncodedBlock& b) { b.payload.pop_back(); },
      [](EncodedBlock& b) { b.payload += b.payload; },
  });
  for (const auto change : changes) {
    SCOPED_TRACE(&change - changes.data());
    EXPECT_EQ(code(changed(change)), ErrorCode::Corruption);
  }
}

TEST(RecordBlock, AnotherDictionaryIsNoKey) {
  std::vector<record::Record> records = make_records(50, 300);
  std::vector<std::string_view> jsons;
  for (const record::Record& record : records) {
    jsons.emplace_back(record.json);
  }
  const auto other = Dictionary::train(jsons).value();
  ASSERT_NE(other->id(), dictionary()->id());
  const EncodedBlock block = encode(make_records(0, 6), dictionary().get());
  const auto decoded = decode(block, other.get());
  // The checksum of the payload says nothing about it: the file keeps the two together.
  EXPECT_TRUE(!decoded || decoded->json(0) != make_record(0).json);
}

TEST(Dictionary, LoadsWhatItTrainedAndNothingElse) {
  const std::string& bytes = dictionary()->bytes();
  const auto loaded = Dictionary::load(bytes).value();
  EXPECT_EQ(loaded->id(), dictionary()->id());
  const EncodedBlock block = encode(make_records(0, 6), dictionary().get());
  EXPECT_EQ(decode(block, loaded.get()).value().json(5), make_record(5).json);
  EXPECT_LE(bytes.size(), Dictionary::kTrainedBytesMax);

  for (const std::string& bad :
       {std::string(), std::string("{}"), std::string(1000, 'x'), bytes.substr(0, 7),
        bytes.substr(0, 40), std::string(Dictionary::kBytesMax + 1, '\0'), bytes.substr(1)}) {
    const auto refused = Dictionary::load(bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::Corruption);
  }
  EXPECT_EQ(Dictionary::train({}).error().code(), ErrorCode::InvalidArgument);
  const std::string_view few[] = {"{}", "{}"};
  EXPECT_EQ(Dictionary::train(few).error().code(), ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace opentrail::journal
