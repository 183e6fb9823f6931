#include "history/lookup_token.h"

#include "base/checksum.h"
#include "base/text.h"
#include "crypto/hash.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace opentrail::history {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kChecksumBytes = sizeof(std::uint32_t);
constexpr std::size_t kTokenBytes =
    sizeof(kVersion) + std::tuple_size_v<QueryDigest> + 3 * sizeof(std::uint64_t) + kChecksumBytes;
static_assert(kTokenBytes % 3 == 0, "base64 without padding");
static_assert(kTokenBytes / 3 * 4 == kLookupTokenCharacters);

template <typename Number>
void append_number(std::string& out, Number number) {
  static_assert(std::is_trivially_copyable_v<Number>);
  char bytes[sizeof(Number)];
  std::memcpy(bytes, &number, sizeof(Number));
  out.append(bytes, sizeof(Number));
}

template <typename Number>
Number take_number(std::string_view& bytes) {
  Number number{};
  std::array<char, sizeof(Number)> raw{};
  bytes.copy(raw.data(), raw.size());
  std::memcpy(&number, raw.data(), raw.size());
  bytes.remove_prefix(sizeof(Number));
  return number;
}

/// With its length before it, so that no two lists of fields have the same bytes.
void append_field(std::string& out, std::string_view field) {
  append_number(out, static_cast<std::uint64_t>(field.size()));
  out += field;
}

void append_time(std::string& out, const std::optional<Timestamp>& time) {
  append_number(out, static_cast<std::uint8_t>(time.has_value()));
  append_number(out, time ? time->time_since_epoch().count() : 0);
}

void append_list(std::string& out, const std::vector<std::string>& list) {
  append_number(out, static_cast<std::uint64_t>(list.size()));
  for (const std::string& one : list) {
    append_field(out, one);
  }
}

QueryDigest digest_of_fields(const std::string& fields) {
  const crypto::Sha256Digest whole = crypto::sha256(as_bytes(fields));
  QueryDigest digest{};
  std::copy_n(whole.begin(), digest.size(), digest.begin());
  return digest;
}

std::string to_base64url(std::string_view bytes) {
  std::string text = to_base64(as_bytes(bytes));
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  if (text.size() != kLookupTokenCharacters || text.find_first_of("+/=") != text.npos) {
    return std::nullopt;
  }
  std::string standard(text);
  std::ranges::replace(standard, '-', '+');
  std::ranges::replace(standard, '_', '/');
  return from_base64(standard);
}

}  // namespace

QueryDigest digest_of(const LookupQuery& query) {
  std::string fields;
  append_field(fields, query.account_id);
  append_field(fields, query.region);
  append_number(fields, static_cast<std::uint8_t>(query.filter.has_value()));
  if (query.filter) {
    append_number(fields, static_cast<std::uint8_t>(query.filter->key));
    append_field(fields, query.filter->value);
  }
  append_time(fields, query.start_time);
  append_time(fields, query.end_time);
  return digest_of_fields(fields);
}

QueryDigest digest_of(const SearchQuery& query) {
  std::string fields;
  append_field(fields, "search");
  append_field(fields, search::to_text(query.where));
  append_list(fields, query.accounts);
  append_list(fields, query.regions);
  append_time(fields, query.start_time);
  append_time(fields, query.end_time);
  append_number(fields, static_cast<std::uint8_t>(query.direction));
  return digest_of_fields(fields);
}

Error invalid_token() {
  return {ErrorCode::InvalidArgument,
          "the next token is not one of this query; start again without it", "InvalidNextToken"};
}

std::string encode(const LookupToken& token, const QueryDigest& query) {
  std::string bytes;
  bytes.reserve(kTokenBytes);
  append_number(bytes, kVersion);
  bytes += as_text(query);
  append_number(bytes, value(token.end));
  append_number(bytes, std::int64_t{token.last.time.time_since_epoch().count()});
  append_number(bytes, value(token.last.offset));
  append_number(bytes, crc32c(as_bytes(bytes)));
  return to_base64url(bytes);
}

Result<LookupToken> decode(std::string_view text, const QueryDigest& query) {
  const std::optional<std::string> decoded = from_base64url(text);
  if (!decoded || decoded->size() != kTokenBytes) {
    return std::unexpected(invalid_token());
  }
  std::string_view bytes = *decoded;
  const std::uint32_t checksum = crc32c(as_bytes(bytes.substr(0, kTokenBytes - kChecksumBytes)));
  const bool is_of_version = take_number<std::uint8_t>(bytes) == kVersion;
  const bool is_of_query = bytes.starts_with(as_text(query));
  bytes.remove_prefix(query.size());
  LookupToken token;
  token.end = journal::Offset{take_number<std::uint64_t>(bytes)};
  token.last.time = Timestamp(std::chrono::milliseconds(take_number<std::int64_t>(bytes)));
  token.last.offset = journal::Offset{take_number<std::uint64_t>(bytes)};
  if (!is_of_version || !is_of_query || take_number<std::uint32_t>(bytes) != checksum ||
      token.last.offset >= token.end) {
    return std::unexpected(invalid_token());
  }
  return token;
}

}  // namespace opentrail::history
