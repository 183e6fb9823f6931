#pragma once
#include "aws/recorded/call.h"

/// Parameters of the REST protocols: labels, query, headers and body (Smithy's HTTP bindings).
/// Pure.
namespace opentrail::aws::recorded {

[[nodiscard]] Parameters rest_request_parameters(const model::RecognisedCall& call,
                                                 const net::RequestHead& head,
                                                 std::optional<std::string_view> body);

}  // namespace opentrail::aws::recorded
