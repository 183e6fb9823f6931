#pragma once
#include "base/error.h"
#include "objects/embedded_store.h"

#include <string_view>
#include <vector>

/// What the multipart operations read from a request. Pure.
namespace opentrail::services::s3 {

inline constexpr int kPartNumberMax = 10000;  ///< S3's own bound.

/// 1 to kPartNumberMax; InvalidArgument.
[[nodiscard]] Result<int> parse_part_number(std::string_view text);

/// The parts that a CompleteMultipartUpload body lists: MalformedXML, InvalidArgument.
[[nodiscard]] Result<std::vector<objects::CompletedPart>> parse_completed_parts(
    std::string_view body);

}  // namespace opentrail::services::s3
