#pragma once
#include "aws/recorded/call.h"

/// S3's records: raw HTTP names instead of the model's (spec records §1.5). Pure.
namespace opentrail::aws::recorded {

/// As request_parameters(), of an S3 call. The body is shown of a bucket's configuration alone.
[[nodiscard]] Parameters s3_request_parameters(const model::RecognisedCall& call,
                                               const net::RequestHead& head,
                                               std::optional<std::string_view> body);
/// Null, or the headers of an answer that records show: encryption, version, expiration.
[[nodiscard]] json::value s3_response_elements(const net::Headers& headers);

}  // namespace opentrail::aws::recorded
