#pragma once
#include "aws/query_protocol.h"
#include "base/json.h"
#include "iam/iam.h"

#include <span>
#include <string_view>

/// The table of IAM operations: what each takes, whether it only reads, and what runs it.
namespace opentrail::services {

enum class ParameterKind : unsigned char {
  Text,
  Boolean,
  Integer,
  Tags,    ///< Tags.member.N.Key/Value.
  Secret,  ///< Used, never recorded.
};

struct IamParameter {
  std::string_view name;  ///< As on the wire: "UserName".
  ParameterKind kind = ParameterKind::Text;
  bool required = false;
};

/// How timestamps are printed: the wire has ISO, records have "Nov 24, 2026, 8:46:13 AM".
enum class TimeStyle : unsigned char { Wire, Record };

/// A result that can be shown both ways. `result(style)` is the Result element's content, with
/// secrets on the wire only; null when the operation has none.
struct IamResult {
  json::value wire;
  json::value recorded;
};

struct IamInput {
  iam::Iam& iam;
  const iam::Caller& caller;
  const aws::QueryRequest& request;
  /// UserName, or the caller's own name where the operation allows to leave it out.
  std::string user_name;
};

struct IamOperation {
  std::string_view name;
  bool read_only;
  std::span<const IamParameter> parameters;
  bool user_defaults_to_caller;
  Result<IamResult> (*run)(const IamInput& input);
};

/// Null when IAM here has no operation of that name.
[[nodiscard]] const IamOperation* find_iam_operation(std::string_view name);

}  // namespace opentrail::services
