#pragma once
#include "base/error.h"
#include "base/time.h"

#include <string_view>

/// Times as people write them, for the command line and the interface.
namespace opentrail::search {

/// Which end of a span a time is meant for: a whole day means its first or its last second.
enum class SpanEdge : std::uint8_t { Begin, End };

/// Reads a time as people write it, all UTC:
///   now · today · yesterday · "2 hours ago", 2h, -2h, "an hour ago" (seconds, minutes, hours,
///   days, weeks) · 2026-11-24 · 2026-11-24T08:46[:13[.250]][Z|+01:00], as RFC 3339 has it ·
///   1795510000 (epoch seconds)
/// Errors: InvalidArgument, with examples.
[[nodiscard]] Result<Timestamp> parse_human_time(std::string_view text, Timestamp now,
                                                 SpanEdge edge);

}  // namespace opentrail::search
