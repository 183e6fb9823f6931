#pragma once
#include "base/error.h"

#include <string>
#include <string_view>

/// S3's own error codes with S3's own texts, so that every place that finds a fault says the same.
/// The HTTP status is chosen in services/s3.
namespace opentrail::objects {

/// `reason` is one of the codes of the table in s3_errors.cc; the message is S3's text for it.
[[nodiscard]] std::unexpected<Error> s3_fail(std::string_view reason);
/// The same with a text of its own, where S3's text depends on the request.
[[nodiscard]] std::unexpected<Error> s3_fail(std::string_view reason, std::string message);
/// What a caller can do about an S3 error code; unknown codes are Unavailable.
[[nodiscard]] ErrorCode s3_reaction(std::string_view reason);
/// S3's text for `reason`, or empty.
[[nodiscard]] std::string_view s3_text(std::string_view reason);

}  // namespace opentrail::objects
