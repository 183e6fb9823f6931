#include "services/query_answer.h"

#include "aws/query_protocol.h"

namespace opentrail::services {
namespace {

constexpr int kServerErrors = 500;

Outcome xml_answer(int status, std::string body) {
  Outcome outcome;
  outcome.head.status = status;
  outcome.head.headers.add("Content-Type", "text/xml");
  outcome.body = std::move(body);
  return outcome;
}

}  // namespace

Outcome query_answer(std::string_view action, std::string_view xml_namespace,
                     const json::value& result, std::string_view request_id) {
  return xml_answer(200, aws::query_response(action, xml_namespace, result, request_id));
}

Outcome query_error_answer(std::string_view xml_namespace, const ApiError& error,
                           std::string_view request_id) {
  const bool sender = error.status < kServerErrors;
  return xml_answer(error.status,
                    aws::query_error(xml_namespace, error.code, error.message, sender, request_id));
}

}  // namespace opentrail::services
