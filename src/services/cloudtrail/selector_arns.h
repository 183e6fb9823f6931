#pragma once
#include <string_view>

/// ARNs as event selectors name them (spec api §4.1 and §4.2). Pure.
namespace opentrail::services::cloudtrail {

/// A value of a basic selector's data resource: "arn:aws:s3", "arn:aws:s3:::bucket/prefix",
/// "arn:aws:lambda", or the whole ARN of a function or table. Without wildcards.
/// `type`: "AWS::S3::Object", "AWS::Lambda::Function" or "AWS::DynamoDB::Table".
[[nodiscard]] bool is_data_resource_value(std::string_view type, std::string_view value);

/// The whole ARN of a resource of `type`. Of types whose ARNs we do not know the form of, any
/// ARN will do.
[[nodiscard]] bool is_arn_of_type(std::string_view type, std::string_view arn);

}  // namespace opentrail::services::cloudtrail
