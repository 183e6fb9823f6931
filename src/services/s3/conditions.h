#pragma once
#include "base/error.h"
#include "net/http.h"
#include "objects/embedded_store.h"

#include <cstdint>
#include <optional>
#include <string_view>

/// Conditional and partial reads. Pure. Source: RFC 9110 §13 and §14, S3 API reference "GetObject".
namespace opentrail::services::s3 {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};

/// The part of an object of `size` bytes that "bytes=a-b", "bytes=a-" or "bytes=-n" asks for.
/// Nothing for whatever is not one of these, several ranges included: S3 then sends the whole.
/// InvalidRange when it lies behind the end.
[[nodiscard]] Result<std::optional<ByteRange>> parse_range(std::string_view header,
                                                           std::uint64_t size);
/// x-amz-copy-source-range: only "bytes=a-b", within the object. InvalidArgument, InvalidRange.
[[nodiscard]] Result<ByteRange> parse_copy_range(std::string_view header, std::uint64_t size);

/// The four conditions of a request; empty ones hold.
struct Conditions {
  std::string_view if_match = {};
  std::string_view if_none_match = {};
  std::string_view if_modified_since = {};
  std::string_view if_unmodified_since = {};
};
[[nodiscard]] Conditions read_conditions(const net::Headers& headers);
/// Those of a copy's source (x-amz-copy-source-if-*).
[[nodiscard]] Conditions copy_source_conditions(const net::Headers& headers);

enum class Verdict : unsigned char { Proceed, NotModified, Failed };
/// If-Match stands above If-Unmodified-Since, If-None-Match above If-Modified-Since. Dates that
/// cannot be read are ignored.
[[nodiscard]] Verdict judge(const Conditions& conditions, const objects::ObjectInfo& object);

}  // namespace opentrail::services::s3
