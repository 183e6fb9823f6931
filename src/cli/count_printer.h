#pragma once
#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "cli/context.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::cli {

/// What CountEvents answered.
struct LookupCounts {
  struct Bucket {
    Timestamp start;
    std::uint64_t count = 0;
  };
  struct Group {
    std::string value;
    std::uint64_t count = 0;
    std::vector<Bucket> buckets;
  };
  std::uint64_t total = 0;
  std::chrono::seconds bucket{0};  ///< Zero: not by time.
  std::vector<Bucket> buckets;     ///< Without empty ones, by time.
  bool by_field = false;
  std::uint64_t values = 0;
  std::vector<Group> groups;  ///< The largest first.
};
/// Errors: InvalidArgument when `answer` is not one of CountEvents.
[[nodiscard]] Result<LookupCounts> parse_lookup_counts(const json::value& answer);

/// The counts in one of the formats of EventPrinter:
///   table    the number alone; by field and by time with bars, both with a line of blocks a value
///   text     the number; VALUE TAB COUNT, TIME TAB COUNT, or VALUE TAB TIME TAB COUNT
///   json     one object
///   ndjson   an object a value, a bucket, or a value and bucket
///   csv      the same as lines, one header line
/// `field` is how the person called what is counted by. Empty buckets show in the table alone.
[[nodiscard]] std::string render_counts(const LookupCounts& counts, std::string_view field,
                                        std::string_view format, const Context& context);

}  // namespace opentrail::cli
