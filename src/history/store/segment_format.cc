#include "history/store/segment_format.h"

#include "base/checksum.h"

#include <charconv>

#include <fmt/format.h>

namespace opentrail::history {
namespace {

constexpr std::string_view kHeaderMagic = "OTHS";
constexpr std::string_view kFooterMagic = "OTHF";
constexpr std::string_view kSuffix = ".segment";
constexpr std::size_t kNameDigits = 20;

void put_length(std::string& out, std::uint32_t number) {
  put(out, static_cast<std::uint16_t>(number & 0xFFFFU));
  put(out, static_cast<std::uint8_t>(number >> 16));
}

std::uint32_t take_length(ByteReader& in) {
  const std::uint32_t low = in.number<std::uint16_t>();
  return low | std::uint32_t{in.number<std::uint8_t>()} << 16;
}

std::optional<journal::Offset> parse_offset(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
  return error == std::errc() && end == digits.end() ? std::optional(journal::Offset{number})
                                                     : std::nullopt;
}

}  // namespace

void BlockEntry::encode(std::string& out) const {
  put(out, records);
  put_length(out, payload_bytes);
  put_length(out, plain_bytes);
  put(out, crc);
  put(out, static_cast<std::uint8_t>(codec));
  put(out, dictionary);
}

BlockEntry BlockEntry::decode(ByteReader& in) {
  BlockEntry entry;
  entry.records = in.number<std::uint16_t>();
  entry.payload_bytes = take_length(in);
  entry.plain_bytes = take_length(in);
  entry.crc = in.number<std::uint32_t>();
  entry.codec = static_cast<journal::BlockCodec>(in.number<std::uint8_t>());
  entry.dictionary = in.number<std::uint8_t>();
  return entry;
}

std::string SegmentMeta::encode() const {
  std::string out;
  put(out, index_position);
  put(out, index_bytes);
  put(out, directory_position);
  put(out, blocks);
  for (const BlockGroup& group : groups) {
    put(out, group.first_record);
    put(out, group.position);
  }
  put(out, static_cast<std::uint8_t>(dictionaries.size()));
  for (const DictionaryPlace& dictionary : dictionaries) {
    put(out, dictionary.position);
    put(out, dictionary.bytes);
    put(out, dictionary.id);
  }
  for (const std::uint32_t crc : page_crcs) {
    put(out, crc);
  }
  index.encode(out);
  index.ids.filter.encode(out);
  return out;
}

std::optional<SegmentMeta> SegmentMeta::decode(std::string_view bytes, std::uint64_t file_bytes,
                                               std::uint8_t version) {
  ByteReader in(bytes);
  SegmentMeta meta;
  meta.index_position = in.number<std::uint64_t>();
  meta.index_bytes = in.number<std::uint64_t>();
  meta.directory_position = in.number<std::uint64_t>();
  meta.blocks = in.number<std::uint32_t>();
  const std::uint64_t groups =
      (std::uint64_t{meta.blocks} + BlockGroup::kBlocks - 1) / BlockGroup::kBlocks;
  constexpr std::size_t kGroupBytes = 12;
  const bool inside =
      meta.index_position <= file_bytes && meta.index_bytes <= file_bytes - meta.index_position &&
      meta.directory_position <= meta.index_bytes &&
      meta.blocks * std::uint64_t{BlockEntry::kBytes} <= meta.index_bytes - meta.directory_position;
  if (in.failed() || !inside || groups > in.rest().size() / kGroupBytes) {
    return std::nullopt;
  }
  meta.groups.reserve(groups);
  for (std::uint64_t i = 0; i < groups; ++i) {
    BlockGroup group;
    group.first_record = in.number<std::uint32_t>();
    group.position = in.number<std::uint64_t>();
    if (group.position > meta.index_position ||
        (i > 0 && group.first_record <= meta.groups.back().first_record)) {
      return std::nullopt;
    }
    meta.groups.push_back(group);
  }
  const auto dictionaries = in.number<std::uint8_t>();
  for (std::size_t i = 0; i < dictionaries; ++i) {
    DictionaryPlace place;
    place.position = in.number<std::uint64_t>();
    place.bytes = in.number<std::uint32_t>();
    place.id = in.number<std::uint32_t>();
    if (place.position > file_bytes || place.bytes > file_bytes - place.position) {
      return std::nullopt;
    }
    meta.dictionaries.push_back(place);
  }
  const std::uint64_t pages =
      (meta.index_bytes + CheckedBytes::kPageBytes - 1) / CheckedBytes::kPageBytes;
  if (in.failed() || pages > in.rest().size() / sizeof(std::uint32_t)) {
    return std::nullopt;
  }
  meta.page_crcs.reserve(pages);
  for (std::uint64_t i = 0; i < pages; ++i) {
    meta.page_crcs.push_back(in.number<std::uint32_t>());
  }
  auto index = IndexMeta::decode(in, meta.index_bytes);
  auto filter = version == 1 ? std::optional(IdFilter()) : IdFilter::decode(in);
  if (!index || !filter || in.failed() || !in.at_end() ||
      (meta.groups.empty() ? index->records_total() > 0 : meta.groups.front().first_record != 0)) {
    return std::nullopt;
  }
  meta.index = *std::move(index);
  meta.index.ids.filter = *std::move(filter);
  return meta;
}

std::string SegmentFooter::encode() const {
  std::string out(kFooterMagic);
  put(out, version);
  out.append(3, '\0');
  put(out, meta_position);
  put(out, meta_bytes);
  put(out, meta_crc);
  put(out, std::uint32_t{0});
  put(out, crc32c(as_bytes(out)));
  OT_CHECK(out.size() == kSegmentFooterBytes);
  return out;
}

Result<SegmentFooter> SegmentFooter::decode(std::string_view bytes) {
  ByteReader in(bytes);
  if (bytes.size() != kSegmentFooterBytes || in.text(kFooterMagic.size()) != kFooterMagic) {
    return fail(ErrorCode::Corruption, "no segment ends here");
  }
  SegmentFooter footer;
  footer.version = in.number<std::uint8_t>();
  if (footer.version < 1 || footer.version > kSegmentVersion) {
    return fail(ErrorCode::Unsupported,
                fmt::format("segment version {} is not known to this program", footer.version));
  }
  in.text(3);
  footer.meta_position = in.number<std::uint64_t>();
  footer.meta_bytes = in.number<std::uint32_t>();
  footer.meta_crc = in.number<std::uint32_t>();
  in.number<std::uint32_t>();
  const auto crc = in.number<std::uint32_t>();
  if (crc != crc32c(as_bytes(bytes.substr(0, kSegmentFooterBytes - sizeof(crc))))) {
    return fail(ErrorCode::Corruption, "the footer's checksum differs");
  }
  return footer;
}

std::string segment_file_name(journal::Offset first, journal::Offset end) {
  return fmt::format("{:020}-{:020}{}", value(first), value(end), kSuffix);
}

std::optional<std::pair<journal::Offset, journal::Offset>> parse_segment_file_name(
    std::string_view name) {
  if (name.size() != 2 * kNameDigits + 1 + kSuffix.size() || name[kNameDigits] != '-' ||
      !name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  const auto first = parse_offset(name.substr(0, kNameDigits));
  const auto end = parse_offset(name.substr(kNameDigits + 1, kNameDigits));
  if (!first || !end || *first >= *end) {
    return std::nullopt;
  }
  return std::pair(*first, *end);
}

std::string encode_segment_header(journal::Offset first, journal::Offset end,
                                  std::uint8_t version) {
  std::string out(kHeaderMagic);
  put(out, version);
  out.append(3, '\0');
  put(out, value(first));
  put(out, value(end));
  put(out, std::uint32_t{0});
  put(out, crc32c(as_bytes(out)));
  OT_CHECK(out.size() == kSegmentHeaderBytes);
  return out;
}

}  // namespace opentrail::history
