#include "services/s3/conditions.h"

#include "base/text.h"
#include "base/time.h"
#include "services/s3/s3_status.h"

#include <algorithm>
#include <chrono>

namespace opentrail::services::s3 {
namespace {

constexpr std::string_view kBytesUnit = "bytes=";

struct RangeText {
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> last;
};

std::optional<std::uint64_t> parse_position(std::string_view text) {
  const auto number = is_digits(text) ? parse_int(text) : std::nullopt;
  return number ? std::optional<std::uint64_t>(*number) : std::nullopt;
}

/// The two sides of one "a-b", each of which may be missing, but not both.
std::optional<RangeText> parse_range_text(std::string_view header) {
  if (!header.starts_with(kBytesUnit)) {
    return std::nullopt;
  }
  const std::string_view spec = trim(header.substr(kBytesUnit.size()));
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view first = spec.substr(0, dash);
  const std::string_view last = spec.substr(dash + 1);
  const RangeText range{parse_position(first), parse_position(last)};
  const bool readable =
      (first.empty() || range.first) && (last.empty() || range.last) && (range.first || range.last);
  return readable ? std::optional(range) : std::nullopt;
}

/// ETags are compared without their quotes; "*" is every one.
bool matches_etag(std::string_view header, std::string_view etag) {
  const auto bare = [](std::string_view tag) {
    tag = trim(tag);
    tag.remove_prefix(tag.starts_with("W/") ? 2 : 0);
    const bool quoted = tag.size() > 1 && tag.starts_with('"') && tag.ends_with('"');
    return quoted ? tag.substr(1, tag.size() - 2) : tag;
  };
  const auto tags = split(header, ',');
  return std::ranges::any_of(
      tags, [&](std::string_view tag) { return bare(tag) == "*" || bare(tag) == bare(etag); });
}

}  // namespace

Result<std::optional<ByteRange>> parse_range(std::string_view header, std::uint64_t size) {
  const auto range = parse_range_text(header);
  if (!range || (range->first && range->last && *range->last < *range->first)) {
    return std::optional<ByteRange>();
  }
  if (!range->first) {
    const std::uint64_t length = std::min(*range->last, size);
    if (length == 0) {
      return refuse("InvalidRange");
    }
    return ByteRange{size - length, length};
  }
  if (*range->first >= size) {
    return refuse("InvalidRange");
  }
  const std::uint64_t last = std::min(range->last.value_or(size - 1), size - 1);
  return ByteRange{*range->first, last - *range->first + 1};
}

Result<ByteRange> parse_copy_range(std::string_view header, std::uint64_t size) {
  const auto range = parse_range_text(header);
  if (!range || !range->first || !range->last || *range->last < *range->first) {
    return refuse("InvalidArgument",
                  "The x-amz-copy-source-range value must be of the form bytes=first-last where "
                  "first and last are the zero-based offsets of the first and last bytes to copy");
  }
  if (*range->last >= size) {
    return refuse("InvalidArgument", "Range specified is not valid for source object");
  }
  return ByteRange{*range->first, *range->last - *range->first + 1};
}

Conditions read_conditions(const net::Headers& headers) {
  return {headers.get("if-match"), headers.get("if-none-match"), headers.get("if-modified-since"),
          headers.get("if-unmodified-since")};
}

Conditions copy_source_conditions(const net::Headers& headers) {
  return {headers.get("x-amz-copy-source-if-match"), headers.get("x-amz-copy-source-if-none-match"),
          headers.get("x-amz-copy-source-if-modified-since"),
          headers.get("x-amz-copy-source-if-unmodified-since")};
}

Verdict judge(const Conditions& conditions, const objects::ObjectInfo& object) {
  const auto modified = std::chrono::floor<std::chrono::seconds>(object.last_modified);
  if (!conditions.if_match.empty()) {
    if (!matches_etag(conditions.if_match, object.etag)) {
      return Verdict::Failed;
    }
  } else if (const auto since = parse_http_date(conditions.if_unmodified_since);
             since && modified > *since) {
    return Verdict::Failed;
  }
  if (!conditions.if_none_match.empty()) {
    return matches_etag(conditions.if_none_match, object.etag) ? Verdict::NotModified
                                                               : Verdict::Proceed;
  }
  const auto since = parse_http_date(conditions.if_modified_since);
  return since && modified <= *since ? Verdict::NotModified : Verdict::Proceed;
}

}  // namespace opentrail::services::s3
