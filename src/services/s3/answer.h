#pragma once
#include "services/service.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace opentrail::services::s3 {

/// x-amz-id-2 of a call: opaque to clients. A function of the request id, so that the answer, its
/// error text and the record agree.
[[nodiscard]] std::string host_id(std::string_view request_id);

/// How a call went, as CloudTrail adds it to S3's records (spec records §1.8).
struct Traffic {
  std::optional<std::uint64_t> bytes_in;   ///< Of the request's body, decoded.
  std::optional<std::uint64_t> bytes_out;  ///< Of the answer's body.
  std::string_view sse_applied;            ///< "SSE_S3", "Default_SSE_S3", or empty.
};
/// additionalEventData of a call.
[[nodiscard]] json::object additional_data(const Call& call, const Traffic& traffic);

/// <Error> with Code, Message, Resource, RequestId and HostId.
[[nodiscard]] Outcome error_outcome(const net::RequestHead& request, const ApiError& error,
                                    std::string_view request_id);

/// 200 with an XML document.
[[nodiscard]] Outcome xml_outcome(std::string xml);
/// A status without a body.
[[nodiscard]] Outcome empty_outcome(int status);

}  // namespace opentrail::services::s3
