#pragma once
#include <string_view>

/// What AWS's managed policies allow here (the full policy engine is a later step).
namespace opentrail::iam {

/// False when no such policy is known.
[[nodiscard]] bool is_known_policy(std::string_view policy_arn);

/// True when the policy allows `action` ("s3:CreateBucket", case does not matter) on `resource` (an
/// ARN, or "*" when the operation has none). An unknown policy allows nothing.
[[nodiscard]] bool policy_allows(std::string_view policy_arn, std::string_view action,
                                 std::string_view resource);

}  // namespace opentrail::iam
