#pragma once
#include "base/error.h"
#include "base/time.h"
#include "journal/dictionary.h"
#include "record/record.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The payload of one block of records, in the journal's files and in the history's: the layout is
/// docs/formats/journal.md, "Payload". Pure; nothing is believed before its bounds are checked.
namespace opentrail::journal {

/// No payload is larger, before compression or after it: a limit of the format.
inline constexpr std::size_t kBlockPlainBytesMax = 16 << 20;
/// A block holds at most as many records: bounds what decoding takes.
inline constexpr std::uint32_t kBlockRecordsMax = 1 << 16;

enum class BlockCodec : std::uint8_t {
  Stored = 0,  ///< Not compressed: compression would not make it smaller.
  Zstd = 1,
  ZstdDictionary = 2,  ///< With the dictionary that stands in the same file.
  Dictionary = 3,      ///< No records: the dictionary itself.
};

/// What a block is to a file: bytes, and what must be known to read them.
struct EncodedBlock {
  std::string payload;
  BlockCodec codec = BlockCodec::Stored;
  std::uint32_t plain_bytes = 0;
  std::uint32_t record_count = 0;
};

/// At most what `record` adds to BlockBuilder::plain_bytes() and to a payload that is stored.
[[nodiscard]] std::size_t stored_bytes(const record::Record& record);
/// Errors: InvalidArgument when a field is too long for the format.
[[nodiscard]] Result<void> check_storable(const record::Record& record);

/// Collects records into a block. One thread; keeps its buffers from block to block.
///
/// Of a record with terms only `json`, `origin` and, when `event_time_is_arrival`, `event_time` are
/// kept: the rest follows from them (record::Record::terms). Of one without, everything is.
class BlockBuilder {
 public:
  BlockBuilder();
  ~BlockBuilder();
  BlockBuilder(const BlockBuilder&) = delete;
  BlockBuilder& operator=(const BlockBuilder&) = delete;

  /// `record` must be storable and the block must have room for it.
  void add(const record::Record& record);
  /// True when `record` can be added: always to an empty block, else while the plain bytes stay
  /// within `bytes_max` (at most kBlockPlainBytesMax) and the count within kBlockRecordsMax.
  [[nodiscard]] bool has_room(const record::Record& record, std::size_t bytes_max) const;
  [[nodiscard]] std::size_t plain_bytes() const;  ///< Before compression.
  [[nodiscard]] std::uint32_t record_count() const { return record_count_; }
  /// Compresses, and is empty again afterwards. At least one record must have been added.
  [[nodiscard]] EncodedBlock finish(const Dictionary* dictionary);
  /// Forgets what was added.
  void clear();

 private:
  void compress(const Dictionary* dictionary, EncodedBlock& block);

  struct Compressor;
  std::unique_ptr<Compressor> compressor_;
  std::uint32_t record_count_ = 0;
  std::string flags_;
  std::string lengths_;
  std::string fields_;
  std::string texts_;
  std::string uuids_;
  std::string plain_;   ///< The first four one after the other, while finish() runs.
  std::string packed_;  ///< The same, compressed.
};

/// The records of a block, all checks done. Immutable; any thread. Index from 0.
class DecodedBlock {
 public:
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  /// What it takes.
  [[nodiscard]] std::size_t memory_bytes() const {
    return sizeof *this + text_.capacity() + entries_.capacity() * sizeof(Entry) +
           fields_.capacity() * sizeof(Fields);
  }
  /// The record's bytes as they came; as long as the block lives.
  [[nodiscard]] std::string_view json(std::size_t i) const {
    return std::string_view(text_).substr(entries_[i].json_at, entries_[i].json_bytes);
  }
  [[nodiscard]] record::Origin origin(std::size_t i) const { return entries_[i].origin; }
  /// The time that was kept beside the JSON: of arrival when the record has none of its own.
  /// 1970 when none was kept.
  [[nodiscard]] Timestamp arrival_time(std::size_t i) const { return entries_[i].time; }
  /// Errors: Corruption when the record's fields were to follow from its JSON and do not.
  [[nodiscard]] Result<record::Record> record(std::size_t i) const;
  [[nodiscard]] Result<std::vector<record::Record>> records() const;

 private:
  friend class BlockDecoder;
  friend class Version1Decoder;
  struct Entry {
    std::uint32_t json_at = 0;
    std::uint32_t json_bytes = 0;
    Timestamp time{};
    record::Origin origin = record::Origin::Call;
    bool time_is_arrival = false;
    bool derived = true;  ///< Otherwise its fields are the next of fields_.
    std::uint32_t fields = 0;
  };
  struct Fields {
    std::uint32_t at = 0;  ///< In text_: id, account, region, one after the other.
    std::uint16_t id_bytes = 0;
    std::uint16_t account_bytes = 0;
    std::uint16_t region_bytes = 0;
    record::Category category = record::Category::Management;
  };
  std::string text_;
  std::vector<Entry> entries_;
  std::vector<Fields> fields_;
};

/// Reads a block as BlockBuilder makes it (version 2 of the format). Takes memory of at most three
/// times kBlockPlainBytesMax and 40 bytes a record, however the payload lies. Errors: Corruption;
/// also when `codec` needs a dictionary and none is given.
[[nodiscard]] Result<DecodedBlock> decode_block(BlockCodec codec, std::uint32_t plain_bytes,
                                                std::uint32_t record_count,
                                                std::string_view payload,
                                                const Dictionary* dictionary);
/// The same for a block of version 1, which is read and no longer written.
[[nodiscard]] Result<DecodedBlock> decode_block_version_1(BlockCodec codec,
                                                          std::uint32_t plain_bytes,
                                                          std::uint32_t record_count,
                                                          std::string_view payload);

}  // namespace opentrail::journal
