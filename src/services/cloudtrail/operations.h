#pragma once
#include "aws/json_protocol.h"
#include "services/cloudtrail/request.h"

#include <span>
#include <string>
#include <string_view>

/// The 60 operations of CloudTrail 2013-11-01 (spec api §2).
namespace opentrail::services::cloudtrail {

struct CloudTrailOperation {
  std::string_view name;
  bool read_only;  ///< Of its own record.
  /// The member that names the resource for authorisation; empty: "*".
  std::string_view resource_member;
  aws::JsonShape input;
  /// Null: known, not offered.
  ApiResult<Answer> (*run)(Request& request);
};

[[nodiscard]] std::span<const CloudTrailOperation> cloudtrail_operations();
/// Null when CloudTrail has no operation of that name.
[[nodiscard]] const CloudTrailOperation* find_cloudtrail_operation(std::string_view name);

}  // namespace opentrail::services::cloudtrail
