#pragma once
#include "services/service.h"

#include <string_view>

/// Answers of the services that speak the Query protocol.
namespace opentrail::services {

/// 200 with `result`; see aws::query_response.
[[nodiscard]] Outcome query_answer(std::string_view action, std::string_view xml_namespace,
                                   const json::value& result, std::string_view request_id);
[[nodiscard]] Outcome query_error_answer(std::string_view xml_namespace, const ApiError& error,
                                         std::string_view request_id);

}  // namespace opentrail::services
