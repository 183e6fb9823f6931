#pragma once
#include "net/server.h"
#include "record/builder.h"

#include <string_view>

namespace opentrail::server {

/// The facts, but for time and id, of a request that was no clean HTTP: an event of ours named
/// RefusedRequest, with the reason as its error. Of the request it shows method and path alone:
/// what else it holds may be a secret. Pure.
[[nodiscard]] record::CallFacts refused_request_facts(const net::RefusedRequest& refused,
                                                      std::string_view account_id);

}  // namespace opentrail::server
