#pragma once
#include <string_view>

namespace opentrail::objects {

/// S3's rules for general purpose buckets: 3 to 63 of [a-z0-9.-], beginning and ending with a
/// letter or digit, no "..", no ".-" or "-.", not in the form of an IPv4 address.
/// Source: S3 User Guide, "General purpose buckets naming rules".
[[nodiscard]] bool is_bucket_name(std::string_view name);

}  // namespace opentrail::objects
