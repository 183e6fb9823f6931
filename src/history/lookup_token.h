#pragma once
#include "base/error.h"
#include "history/entry_key.h"
#include "history/history.h"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

/// The NextToken of a listing: opaque to the client, and all the server has to remember of it, so
/// that it outlives a restart. It holds no secret and grants nothing: whoever forges one sees what
/// the same query shows anyway. It is base64url, without padding, of
///
///   version 1 byte (1) · query 16 · end u64 · time i64 (ms) · offset u64 · CRC-32C u32
///
/// little-endian; `query` is the start of the SHA-256 of the query's parameters.
namespace opentrail::history {

/// Where a listing goes on.
struct LookupToken {
  journal::Offset end{};  ///< Records from here on came after the listing began; never shown.
  EntryKey last;          ///< The last one looked at; go on behind it.
  bool operator==(const LookupToken&) const = default;
};

/// Binds a token to account, Region, filter and times. The page size may change between pages.
using QueryDigest = std::array<std::byte, 16>;
[[nodiscard]] QueryDigest digest_of(const LookupQuery& query);
[[nodiscard]] QueryDigest digest_of(const SearchQuery& query);

inline constexpr std::size_t kLookupTokenCharacters = 60;

[[nodiscard]] std::string encode(const LookupToken& token, const QueryDigest& query);
/// The inverse; accepts nothing but what encode() prints. Pure; any thread.
/// Errors: InvalidArgument, reason "InvalidNextToken".
[[nodiscard]] Result<LookupToken> decode(std::string_view text, const QueryDigest& query);

/// The error of a token that is not one of this query.
[[nodiscard]] Error invalid_token();

}  // namespace opentrail::history
