#pragma once
#include "base/error.h"
#include "base/json.h"
#include "net/http.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The AWS Query protocol: a form in, XML out (IAM, STS). Pure.
namespace opentrail::aws {

inline constexpr std::size_t kQueryParametersMax = 1000;

/// Action, version and the other parameters, decoded, in the order they came.
class QueryRequest {
 public:
  /// From a POST body (application/x-www-form-urlencoded) or a GET's query string; X-Amz-* query
  /// parameters belong to the signature and are left out. Errors: InvalidArgument, with `reason`
  /// "MissingAction" or "MalformedQueryString".
  static Result<QueryRequest> parse(const net::RequestHead& head, std::string_view body);

  [[nodiscard]] const std::string& action() const { return action_; }
  [[nodiscard]] const std::string& version() const { return version_; }
  /// "" when absent.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  /// Tags.member.N.Key / Tags.member.N.Value in the order of N.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> tags() const;

 private:
  std::string action_;
  std::string version_;
  std::vector<std::pair<std::string, std::string>> parameters_;
};

/// <ActionResponse xmlns=...><ActionResult>result</ActionResult><ResponseMetadata>...: objects
/// become elements, arrays <member> elements, in order. A null `result` leaves the Result out.
[[nodiscard]] std::string query_response(std::string_view action, std::string_view xml_namespace,
                                         const json::value& result, std::string_view request_id);

/// <ErrorResponse>: `sender_fault` false says that the fault is ours ("Receiver").
[[nodiscard]] std::string query_error(std::string_view xml_namespace, std::string_view code,
                                      std::string_view message, bool sender_fault,
                                      std::string_view request_id);

}  // namespace opentrail::aws
