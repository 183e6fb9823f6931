#include "journal/block.h"

#include "base/checksum.h"

#include <concepts>
#include <limits>

#include <fmt/format.h>
#include <zstd.h>

namespace opentrail::journal {
namespace {

constexpr std::string_view kMagic = "OTJB";
constexpr std::uint8_t kHeaderVersion = 1;
constexpr int kZstdLevel = 1;
constexpr std::size_t kHeaderCrcBytes = 4;
/// What a record takes beside its text: three lengths, category, origin, flags, one zero byte,
/// time, length of the JSON.
constexpr std::size_t kRecordFixedBytes = 22;
constexpr std::uint8_t kFlagTimeIsArrival = 1;
constexpr unsigned kBitsPerByte = 8;

template <std::unsigned_integral T>
void put(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<char>((value >> (kBitsPerByte * i)) & 0xFFU));
  }
}

/// Takes little-endian numbers and text off the front; once something is missing it stays failed.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : rest_(bytes) {}

  template <std::unsigned_integral T>
  T number() {
    const std::string_view bytes = text(sizeof(T));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (kBitsPerByte * i);
    }
    return static_cast<T>(value);
  }

  std::string_view text(std::size_t bytes) {
    if (bytes > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

std::unexpected<Error> bad(std::string_view what) {
  return fail(ErrorCode::Corruption, fmt::format("block: {}", what));
}

Result<std::string> decompress(const BlockHeader& header, std::string_view payload) {
  std::string plain(header.plain_bytes, '\0');
  const std::size_t bytes =
      ZSTD_decompress(plain.data(), plain.size(), payload.data(), payload.size());
  if (ZSTD_isError(bytes) != 0U) {
    return bad(ZSTD_getErrorName(bytes));
  }
  if (bytes != plain.size()) {
    return bad("the decompressed length differs from the header's");
  }
  return plain;
}

Result<record::Record> take_record(Taker& in) {
  record::Record record;
  const auto id_bytes = in.number<std::uint16_t>();
  const auto account_bytes = in.number<std::uint16_t>();
  const auto region_bytes = in.number<std::uint16_t>();
  const auto category = in.number<std::uint8_t>();
  const auto origin = in.number<std::uint8_t>();
  const auto flags = in.number<std::uint8_t>();
  const auto zero = in.number<std::uint8_t>();
  const auto millis = static_cast<std::int64_t>(in.number<std::uint64_t>());
  const auto json_bytes = in.number<std::uint32_t>();
  if (category > static_cast<std::uint8_t>(record::Category::Other) ||
      origin > static_cast<std::uint8_t>(record::Origin::Import) || flags > kFlagTimeIsArrival ||
      zero != 0) {
    return bad("a record has a category, origin or flag that is not known");
  }
  record.id = in.text(id_bytes);
  record.account_id = in.text(account_bytes);
  record.region = in.text(region_bytes);
  record.json = in.text(json_bytes);
  if (in.failed()) {
    return bad("a record is longer than its block");
  }
  record.category = static_cast<record::Category>(category);
  record.origin = static_cast<record::Origin>(origin);
  record.event_time_is_arrival = flags == kFlagTimeIsArrival;
  record.event_time = Timestamp(std::chrono::milliseconds(millis));
  return record;
}

/// What a header says is possible at all.
bool is_plausible(const BlockHeader& header) {
  const bool bounded = header.payload_bytes > 0 && header.payload_bytes <= kBlockPlainBytesMax &&
                       header.plain_bytes <= kBlockPlainBytesMax;
  const bool counted = header.record_count > 0 &&
                       header.plain_bytes >= header.record_count * std::uint64_t{kRecordFixedBytes};
  const bool stored = header.codec != Codec::Stored || header.payload_bytes == header.plain_bytes;
  const bool numbered =
      value(header.first_offset) <= std::numeric_limits<std::uint64_t>::max() - header.record_count;
  return bounded && counted && stored && numbered;
}

}  // namespace

Result<BlockHeader> decode_header(std::string_view bytes) {
  if (bytes.size() != kBlockHeaderBytes) {
    return bad("the header is cut short");
  }
  Taker in(bytes);
  if (in.text(kMagic.size()) != kMagic) {
    return bad("no block begins here");
  }
  // Before the checksum: what follows may be laid out otherwise in a later version.
  const auto version = in.number<std::uint8_t>();
  if (version > kHeaderVersion) {
    return fail(ErrorCode::Unsupported,
                fmt::format("block: header version {} is newer than this program", version));
  }
  const auto codec = in.number<std::uint8_t>();
  const auto zero = in.number<std::uint16_t>();
  BlockHeader header;
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
  if (version != kHeaderVersion || zero != 0 || codec > static_cast<std::uint8_t>(Codec::Zstd)) {
    return bad("the header's version or codec is not known");
  }
  header.codec = static_cast<Codec>(codec);
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

Result<std::vector<record::Record>> decode_records(const BlockHeader& header,
                                                   std::string_view payload) {
  OT_TRY_DO(check_payload(header, payload));
  if (!is_plausible(header)) {
    return bad("the header's lengths contradict each other");
  }
  std::string decompressed;
  if (header.codec == Codec::Zstd) {
    OT_TRY(decompressed, decompress(header, payload));
    payload = decompressed;
  }
  Taker in(payload);
  std::vector<record::Record> records;
  records.reserve(header.record_count);
  for (std::uint32_t i = 0; i < header.record_count; ++i) {
    OT_TRY(auto record, take_record(in));
    records.push_back(std::move(record));
  }
  if (!in.empty()) {
    return bad("bytes stand behind the last record");
  }
  return records;
}

std::size_t find_magic(std::string_view bytes, std::size_t from) {
  return bytes.find(kMagic, from);
}

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

std::string PackedBlock::to_bytes(Offset first_offset, std::uint64_t commit_position) const {
  std::string out;
  out.reserve(block_bytes());
  out += kMagic;
  put(out, kHeaderVersion);
  put(out, static_cast<std::uint8_t>(header.codec));
  put(out, std::uint16_t{0});
  put(out, header.payload_bytes);
  put(out, header.plain_bytes);
  put(out, value(first_offset));
  put(out, header.record_count);
  put(out, commit_position);
  put(out, header.payload_crc);
  put(out, crc32c(as_bytes(out)));
  out += payload;
  return out;
}

struct BlockPacker::Compressor {
  struct Free {
    void operator()(ZSTD_CCtx* freed) const { ZSTD_freeCCtx(freed); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context{ZSTD_createCCtx()};
};

BlockPacker::BlockPacker() : compressor_(std::make_unique<Compressor>()) {}
BlockPacker::~BlockPacker() = default;

void BlockPacker::add(const record::Record& record) {
  put(plain_, static_cast<std::uint16_t>(record.id.size()));
  put(plain_, static_cast<std::uint16_t>(record.account_id.size()));
  put(plain_, static_cast<std::uint16_t>(record.region.size()));
  put(plain_, static_cast<std::uint8_t>(record.category));
  put(plain_, static_cast<std::uint8_t>(record.origin));
  put(plain_, record.event_time_is_arrival ? kFlagTimeIsArrival : std::uint8_t{0});
  put(plain_, std::uint8_t{0});
  put(plain_, static_cast<std::uint64_t>(record.event_time.time_since_epoch().count()));
  put(plain_, static_cast<std::uint32_t>(record.json.size()));
  plain_ += record.id;
  plain_ += record.account_id;
  plain_ += record.region;
  plain_ += record.json;
  ++record_count_;
}

PackedBlock BlockPacker::pack() {
  PackedBlock packed;
  packed.header.record_count = record_count_;
  packed.header.plain_bytes = static_cast<std::uint32_t>(plain_.size());
  packed.payload.resize(ZSTD_compressBound(plain_.size()));
  const std::size_t bytes =
      compressor_->context == nullptr
          ? plain_.size()
          : ZSTD_compressCCtx(compressor_->context.get(), packed.payload.data(),
                              packed.payload.size(), plain_.data(), plain_.size(), kZstdLevel);
  // An error code of zstd is a huge number, so what cannot be compressed is stored as well.
  if (bytes < plain_.size()) {
    packed.payload.resize(bytes);
    packed.header.codec = Codec::Zstd;
  } else {
    packed.payload = plain_;
    packed.header.codec = Codec::Stored;
  }
  packed.header.payload_bytes = static_cast<std::uint32_t>(packed.payload.size());
  packed.header.payload_crc = crc32c(as_bytes(packed.payload));
  plain_.clear();
  record_count_ = 0;
  return packed;
}

}  // namespace opentrail::journal
