#include "journal/record_block.h"

#include "journal/bytes.h"
#include "journal/uuid_text.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
// Frames without their four magic bytes are not in the stable part.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

namespace opentrail::journal {
namespace {

constexpr unsigned kFlagTimeIsArrival = 1U << 0U;
constexpr unsigned kFlagImported = 1U << 1U;
constexpr unsigned kFlagExplicit = 1U << 2U;
constexpr unsigned kFlagVerbatim = 1U << 3U;
constexpr unsigned kUuidsShift = 4;
constexpr unsigned kUuidsMask = 3U;
constexpr unsigned kFlagsUnknown = 0xC0U;

/// At most what a record takes beside its texts: flags (1), length of its JSON (4), those of three
/// fields (3 each), category (1), time (8), and its share in the payload's count of UUIDs (5).
constexpr std::size_t kRecordFixedBytes = 28;
/// Flags and a length.
constexpr std::size_t kRecordBytesMin = 2;
constexpr std::size_t kVersion1RecordFixedBytes = 22;
/// A thread keeps a buffer of at most this size between blocks; larger blocks are rare.
constexpr std::size_t kScratchBytesMax = 2 << 20;

std::unexpected<Error> bad(std::string_view what) {
  return fail(ErrorCode::Corruption, fmt::format("block: {}", what));
}

bool needs_time(unsigned flags) { return (flags & (kFlagExplicit | kFlagTimeIsArrival)) != 0; }

unsigned uuid_count(unsigned flags) { return flags >> kUuidsShift & kUuidsMask; }

/// Makes room without writing zeros first. libstdc++ 12 may offer more than was asked for.
void resize_for_overwrite(std::string& out, std::size_t bytes) {
  out.resize_and_overwrite(bytes, [bytes](char*, std::size_t) { return bytes; });
}

/// A thread's own context and buffer: a block takes a few microseconds, making these takes longer.
class Decompressor {
 public:
  struct Frame {
    std::string_view bytes;
    std::size_t plain_bytes = 0;
    const Dictionary* dictionary = nullptr;
    ZSTD_format_e format = ZSTD_f_zstd1_magicless;
  };

  static Decompressor& of_this_thread() {
    thread_local Decompressor decompressor;
    return decompressor;
  }

  /// Into `plain`, which is overwritten.
  Result<void> run(const Frame& frame, std::string& plain) {
    if (context_ == nullptr) {
      return fail(ErrorCode::ResourceExhausted, "no memory to decompress a block");
    }
    (void)ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_format, frame.format);
    resize_for_overwrite(plain, frame.plain_bytes);
    const ZSTD_DDict* dictionary =
        frame.dictionary == nullptr ? nullptr : frame.dictionary->for_decompression();
    const std::size_t bytes =
        ZSTD_decompress_usingDDict(context_.get(), plain.data(), plain.size(), frame.bytes.data(),
                                   frame.bytes.size(), dictionary);
    if (ZSTD_isError(bytes) != 0U) {
      return bad(ZSTD_getErrorName(bytes));
    }
    if (bytes != plain.size()) {
      return bad("the decompressed length differs from the header's");
    }
    return {};
  }

  std::string& scratch() { return scratch_; }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* freed) const { ZSTD_freeDCtx(freed); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context_{ZSTD_createDCtx()};
  std::string scratch_;
};

/// Whether the numbers beside a payload are possible at all.
Result<void> check_shape(std::uint32_t plain_bytes, std::uint32_t record_count,
                         std::string_view payload, std::size_t record_bytes_min) {
  if (payload.size() > kBlockPlainBytesMax || plain_bytes > kBlockPlainBytesMax ||
      record_count == 0 || plain_bytes < record_count * std::uint64_t{record_bytes_min}) {
    return bad("its lengths contradict each other");
  }
  return {};
}

}  // namespace

// ---- writing

std::size_t stored_bytes(const record::Record& record) {
  return kRecordFixedBytes + record.id.size() + record.account_id.size() + record.region.size() +
         record.json.size();
}

Result<void> check_storable(const record::Record& record) {
  constexpr std::size_t kTextBytesMax = std::numeric_limits<std::uint16_t>::max();
  if (record.id.size() > kTextBytesMax || record.account_id.size() > kTextBytesMax ||
      record.region.size() > kTextBytesMax || stored_bytes(record) > kBlockPlainBytesMax) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("journal: a record of {} bytes is too large", stored_bytes(record)));
  }
  return {};
}

struct BlockBuilder::Compressor {
  struct Free {
    void operator()(ZSTD_CCtx* freed) const { ZSTD_freeCCtx(freed); }
  };
  Compressor() : context(ZSTD_createCCtx()) {
    if (context != nullptr) {
      // Lengths, dictionary and checksum are kept outside: small blocks are many.
      (void)ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kZstdLevel);
      (void)ZSTD_CCtx_setParameter(context.get(), ZSTD_c_format, ZSTD_f_zstd1_magicless);
      (void)ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 0);
      (void)ZSTD_CCtx_setParameter(context.get(), ZSTD_c_dictIDFlag, 0);
    }
  }
  std::unique_ptr<ZSTD_CCtx, Free> context;
};

BlockBuilder::BlockBuilder() : compressor_(std::make_unique<Compressor>()) {}
BlockBuilder::~BlockBuilder() = default;

std::size_t BlockBuilder::plain_bytes() const {
  return flags_.size() + lengths_.size() + fields_.size() + texts_.size();
}

bool BlockBuilder::has_room(const record::Record& record, std::size_t bytes_max) const {
  return record_count_ == 0 || (record_count_ < kBlockRecordsMax &&
                                plain_bytes() + stored_bytes(record) <=
                                    std::min(bytes_max, kBlockPlainBytesMax - uuids_.size()));
}

void BlockBuilder::add(const record::Record& record) {
  const std::size_t before = texts_.size();
  const TakenUuids taken = take_uuids(record.json, texts_, uuids_);
  const unsigned flags = (record.event_time_is_arrival ? kFlagTimeIsArrival : 0U) |
                         (record.origin == record::Origin::Import ? kFlagImported : 0U) |
                         (record.terms.empty() ? kFlagExplicit : 0U) |
                         (taken.clean ? 0U : kFlagVerbatim) | taken.count << kUuidsShift;
  put(flags_, static_cast<std::uint8_t>(flags));
  put_varint(lengths_, static_cast<std::uint32_t>(texts_.size() - before));
  if ((flags & kFlagExplicit) != 0) {
    put(fields_, static_cast<std::uint8_t>(record.category));
    put_varint(fields_, static_cast<std::uint32_t>(record.id.size()));
    put_varint(fields_, static_cast<std::uint32_t>(record.account_id.size()));
    put_varint(fields_, static_cast<std::uint32_t>(record.region.size()));
    fields_ += record.id;
    fields_ += record.account_id;
    fields_ += record.region;
  }
  if (needs_time(flags)) {
    put(fields_, static_cast<std::uint64_t>(record.event_time.time_since_epoch().count()));
  }
  ++record_count_;
}

EncodedBlock BlockBuilder::finish(const Dictionary* dictionary) {
  EncodedBlock block;
  block.record_count = record_count_;
  block.plain_bytes = static_cast<std::uint32_t>(plain_bytes());
  plain_.clear();
  plain_.reserve(plain_bytes());
  plain_.append(flags_).append(lengths_).append(fields_).append(texts_);
  put_varint(block.payload, static_cast<std::uint32_t>(uuids_.size() / kUuidBytes));
  block.payload += uuids_;
  compress(dictionary, block);
  clear();
  return block;
}

void BlockBuilder::clear() {
  for (std::string* part : {&flags_, &lengths_, &fields_, &texts_, &uuids_}) {
    part->clear();
  }
  record_count_ = 0;
}

/// Appends the plain bytes to the payload, compressed when that makes them fewer.
void BlockBuilder::compress(const Dictionary* dictionary, EncodedBlock& block) {
  const std::size_t before = block.payload.size();
  ZSTD_CCtx* context = compressor_->context.get();
  const ZSTD_CDict* shared = dictionary == nullptr ? nullptr : dictionary->for_compression();
  // An error code of zstd is a huge number, so what cannot be compressed is stored as well.
  std::size_t bytes = plain_.size();
  if (context != nullptr) {
    (void)ZSTD_CCtx_refCDict(context, shared);
    resize_for_overwrite(packed_, ZSTD_compressBound(plain_.size()));
    bytes = ZSTD_compress2(context, packed_.data(), packed_.size(), plain_.data(), plain_.size());
  }
  if (bytes < plain_.size()) {
    block.payload.append(packed_, 0, bytes);
    block.codec = shared == nullptr ? BlockCodec::Zstd : BlockCodec::ZstdDictionary;
  } else {
    block.payload.resize(before);
    block.payload += plain_;
    block.codec = BlockCodec::Stored;
  }
}

// ---- reading

Result<record::Record> DecodedBlock::record(std::size_t i) const {
  const Entry& entry = entries_[i];
  if (entry.derived) {
    auto parsed = record::parse_record(std::string(json(i)), entry.origin, entry.time);
    if (!parsed) {
      return bad("a record's text is no longer one: " + parsed.error().message());
    }
    return parsed;
  }
  const Fields& fields = fields_[entry.fields];
  const char* at = text_.data() + fields.at;
  record::Record made;
  made.id.assign(at, fields.id_bytes);
  made.account_id.assign(at + fields.id_bytes, fields.account_bytes);
  made.region.assign(at + fields.id_bytes + fields.account_bytes, fields.region_bytes);
  made.event_time = entry.time;
  made.category = fields.category;
  made.origin = entry.origin;
  made.event_time_is_arrival = entry.time_is_arrival;
  made.json = json(i);
  return made;
}

Result<std::vector<record::Record>> DecodedBlock::records() const {
  std::vector<record::Record> all;
  all.reserve(size());
  for (std::size_t i = 0; i < size(); ++i) {
    OT_TRY(auto one, record(i));
    all.push_back(std::move(one));
  }
  return all;
}

/// Reads the columns, then puts the texts together.
class BlockDecoder {
 public:
  BlockDecoder(std::string_view plain, std::string_view uuids) : in_(plain), uuids_(uuids) {}

  Result<DecodedBlock> run(std::uint32_t record_count) {
    flags_ = in_.text(record_count);
    if (in_.failed()) {
      return bad("it has fewer records than its header says");
    }
    block_.entries_.resize(record_count);
    OT_TRY_DO(take_flags_and_lengths());
    for (std::size_t i = 0; i < flags_.size(); ++i) {
      OT_TRY_DO(take_fields(i));
    }
    if (in_.failed() || in_.left() != texts_bytes_) {
      return bad("its texts are not as long as it says");
    }
    OT_TRY_DO(put_texts());
    return std::move(block_);
  }

 private:
  [[nodiscard]] unsigned flags(std::size_t i) const {
    return static_cast<unsigned char>(flags_[i]);
  }

  Result<void> take_flags_and_lengths() {
    unsigned uuids = 0;
    for (std::size_t i = 0; i < flags_.size(); ++i) {
      const unsigned found = flags(i);
      const bool doubtful = (found & kFlagVerbatim) != 0 && uuid_count(found) != 0;
      if ((found & kFlagsUnknown) != 0 || doubtful) {
        return bad("a record has a flag that is not known");
      }
      DecodedBlock::Entry& entry = block_.entries_[i];
      entry.time_is_arrival = (found & kFlagTimeIsArrival) != 0;
      entry.origin = (found & kFlagImported) != 0 ? record::Origin::Import : record::Origin::Call;
      entry.derived = (found & kFlagExplicit) == 0;
      entry.json_bytes = in_.varint();
      texts_bytes_ += entry.json_bytes;
      uuids += uuid_count(found);
      explicit_count_ += entry.derived ? 0 : 1;
    }
    if (in_.failed() || texts_bytes_ > in_.left() ||
        std::size_t{uuids} * kUuidBytes != uuids_.size()) {
      return bad("its lengths contradict each other");
    }
    // As much as all of it can be: nothing is moved while the texts are put together.
    block_.text_.reserve(put_bytes(in_.left(), uuids));
    block_.fields_.reserve(explicit_count_);
    return {};
  }

  Result<void> take_fields(std::size_t i) {
    DecodedBlock::Entry& entry = block_.entries_[i];
    if (!entry.derived) {
      const auto category = in_.number<std::uint8_t>();
      const std::uint32_t lengths[] = {in_.varint(), in_.varint(), in_.varint()};
      if (category > static_cast<std::uint8_t>(record::Category::Other) ||
          std::ranges::max(lengths) > std::numeric_limits<std::uint16_t>::max()) {
        return bad("a record has a category or a length that is not known");
      }
      entry.fields = static_cast<std::uint32_t>(block_.fields_.size());
      block_.fields_.push_back({.at = static_cast<std::uint32_t>(block_.text_.size()),
                                .id_bytes = static_cast<std::uint16_t>(lengths[0]),
                                .account_bytes = static_cast<std::uint16_t>(lengths[1]),
                                .region_bytes = static_cast<std::uint16_t>(lengths[2]),
                                .category = static_cast<record::Category>(category)});
      block_.text_ += in_.text(std::size_t{lengths[0]} + lengths[1] + lengths[2]);
    }
    if (needs_time(flags(i))) {
      entry.time = Timestamp(
          std::chrono::milliseconds(static_cast<std::int64_t>(in_.number<std::uint64_t>())));
    }
    return {};
  }

  Result<void> put_texts() {
    for (std::size_t i = 0; i < flags_.size(); ++i) {
      DecodedBlock::Entry& entry = block_.entries_[i];
      const std::string_view text = in_.text(entry.json_bytes);
      entry.json_at = static_cast<std::uint32_t>(block_.text_.size());
      if ((flags(i) & kFlagVerbatim) != 0) {
        block_.text_ += text;
        continue;
      }
      const unsigned count = uuid_count(flags(i));
      entry.json_bytes = static_cast<std::uint32_t>(put_bytes(text.size(), count));
      resize_for_overwrite(block_.text_, entry.json_at + entry.json_bytes);
      if (!put_uuids(text, uuids_.substr(0, count * kUuidBytes),
                     block_.text_.data() + entry.json_at)) {
        return bad("a record has other UUIDs than it says");
      }
      uuids_.remove_prefix(count * kUuidBytes);
    }
    return {};
  }

  ByteReader in_;
  std::string_view uuids_;
  std::string_view flags_;
  std::size_t texts_bytes_ = 0;
  std::size_t explicit_count_ = 0;
  DecodedBlock block_;
};

Result<DecodedBlock> decode_block(BlockCodec codec, std::uint32_t plain_bytes,
                                  std::uint32_t record_count, std::string_view payload,
                                  const Dictionary* dictionary) {
  OT_TRY_DO(check_shape(plain_bytes, record_count, payload, kRecordBytesMin));
  if (record_count > kBlockRecordsMax) {
    return bad("it has more records than a block may have");
  }
  ByteReader in(payload);
  const std::string_view uuids = in.text(std::size_t{in.varint()} * kUuidBytes);
  if (in.failed()) {
    return bad("it is cut short");
  }
  const std::string_view body = in.text(in.left());
  if (codec == BlockCodec::Stored) {
    return body.size() == plain_bytes ? BlockDecoder(body, uuids).run(record_count)
                                      : bad("its lengths contradict each other");
  }
  if (codec == BlockCodec::Dictionary ||
      (codec == BlockCodec::ZstdDictionary && dictionary == nullptr)) {
    return bad("its dictionary is missing");
  }
  Decompressor& decompressor = Decompressor::of_this_thread();
  std::string own;
  std::string& plain = plain_bytes > kScratchBytesMax ? own : decompressor.scratch();
  OT_TRY_DO(
      decompressor.run({.bytes = body,
                        .plain_bytes = plain_bytes,
                        .dictionary = codec == BlockCodec::ZstdDictionary ? dictionary : nullptr},
                       plain));
  return BlockDecoder(plain, uuids).run(record_count);
}

/// Records one after the other, each behind its fixed part.
class Version1Decoder {
 public:
  explicit Version1Decoder(std::string plain) { block_.text_ = std::move(plain); }

  Result<DecodedBlock> run(std::uint32_t record_count) {
    ByteReader in(block_.text_);
    block_.entries_.reserve(record_count);
    block_.fields_.reserve(record_count);
    for (std::uint32_t i = 0; i < record_count; ++i) {
      OT_TRY_DO(take_record(in));
    }
    if (!in.empty()) {
      return bad("bytes stand behind the last record");
    }
    return std::move(block_);
  }

 private:
  Result<void> take_record(ByteReader& in) {
    DecodedBlock::Fields fields;
    DecodedBlock::Entry entry;
    fields.id_bytes = in.number<std::uint16_t>();
    fields.account_bytes = in.number<std::uint16_t>();
    fields.region_bytes = in.number<std::uint16_t>();
    const auto category = in.number<std::uint8_t>();
    const auto origin = in.number<std::uint8_t>();
    const auto flags = in.number<std::uint8_t>();
    const auto zero = in.number<std::uint8_t>();
    entry.time =
        Timestamp(std::chrono::milliseconds(static_cast<std::int64_t>(in.number<std::uint64_t>())));
    entry.json_bytes = in.number<std::uint32_t>();
    if (category > static_cast<std::uint8_t>(record::Category::Other) ||
        origin > static_cast<std::uint8_t>(record::Origin::Import) || flags > kFlagTimeIsArrival ||
        zero != 0) {
      return bad("a record has a category, origin or flag that is not known");
    }
    fields.category = static_cast<record::Category>(category);
    fields.at = static_cast<std::uint32_t>(block_.text_.size() - in.left());
    const std::size_t fields_bytes =
        std::size_t{fields.id_bytes} + fields.account_bytes + fields.region_bytes;
    (void)in.text(fields_bytes + entry.json_bytes);
    if (in.failed()) {
      return bad("a record is longer than its block");
    }
    entry.json_at = fields.at + static_cast<std::uint32_t>(fields_bytes);
    entry.origin = static_cast<record::Origin>(origin);
    entry.time_is_arrival = flags == kFlagTimeIsArrival;
    entry.derived = false;
    entry.fields = static_cast<std::uint32_t>(block_.fields_.size());
    block_.entries_.push_back(entry);
    block_.fields_.push_back(fields);
    return {};
  }

  DecodedBlock block_;
};

Result<DecodedBlock> decode_block_version_1(BlockCodec codec, std::uint32_t plain_bytes,
                                            std::uint32_t record_count, std::string_view payload) {
  OT_TRY_DO(check_shape(plain_bytes, record_count, payload, kVersion1RecordFixedBytes));
  if (codec == BlockCodec::Stored && payload.size() == plain_bytes) {
    return Version1Decoder(std::string(payload)).run(record_count);
  }
  if (codec != BlockCodec::Zstd) {
    return bad("its codec or lengths contradict each other");
  }
  std::string plain;
  OT_TRY_DO(Decompressor::of_this_thread().run(
      {.bytes = payload, .plain_bytes = plain_bytes, .format = ZSTD_f_zstd1}, plain));
  return Version1Decoder(std::move(plain)).run(record_count);
}

}  // namespace opentrail::journal
