#pragma once
#include "base/error.h"
#include "services/service.h"

#include <string>
#include <string_view>

namespace opentrail::services::s3 {

/// The HTTP status of an S3 error code; 400 for codes that are not in the table.
[[nodiscard]] int status_of(std::string_view code);

/// A refusal with S3's own text for `code`, or with `message`. The Error carries the code in
/// reason().
[[nodiscard]] std::unexpected<Error> refuse(std::string_view code);
[[nodiscard]] std::unexpected<Error> refuse(std::string_view code, std::string message);

/// What the wire and the record say of a failure. An Error without an S3 code in reason() is our
/// own trouble: it is told as InternalError (500) or, when waiting helps, as ServiceUnavailable or
/// SlowDown (503), and its text goes to the log instead of to the client.
[[nodiscard]] ApiError to_api_error(const Error& error);

}  // namespace opentrail::services::s3
