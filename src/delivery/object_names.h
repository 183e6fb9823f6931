#pragma once
#include "base/time.h"

#include <cstdint>
#include <string>
#include <string_view>

/// Keys of the objects that trails write (spec records §3.2). Pure.
namespace opentrail::delivery {

/// Whose records, and where they go.
struct FilePlace {
  std::string_view key_prefix;  ///< Of the trail; may be empty.
  std::string_view account_id;
  std::string_view region;
};

/// 16 of [A-Za-z0-9]: a function of what the file holds, so that a repeat overwrites and never
/// adds.
[[nodiscard]] std::string file_suffix(std::int64_t trail_id, const FilePlace& place,
                                      std::uint64_t first_offset);

/// [P/]AWSLogs/A/CloudTrail/R/YYYY/MM/DD/A_CloudTrail_R_YYYYMMDDTHHmmZ_SUFFIX.json.gz
[[nodiscard]] std::string log_file_key(const FilePlace& place, Timestamp stamp,
                                       std::string_view suffix);

/// [P/]AWSLogs/A/CloudTrail-Digest/R/YYYY/MM/DD/A_CloudTrail-Digest_R_TRAIL_HOME_STAMP.json.gz
[[nodiscard]] std::string digest_file_key(const FilePlace& place, std::string_view trail_name,
                                          std::string_view home_region, Timestamp end);

/// [P/]AWSLogs/A/CloudTrail/: the zero-byte object by which a bucket is tried (spec records §3.3).
[[nodiscard]] std::string marker_key(std::string_view key_prefix, std::string_view account_id);

}  // namespace opentrail::delivery
