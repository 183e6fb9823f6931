#pragma once
#include <string_view>

/// What AWS has data and network activity events of (spec api §4.3). Pure.
namespace opentrail::services::cloudtrail {

/// A type that `resources.type` of a data event can have: "AWS::S3::Object".
[[nodiscard]] bool is_resource_type(std::string_view type);
/// A service with network activity events: "kms.amazonaws.com".
[[nodiscard]] bool is_network_event_source(std::string_view source);

}  // namespace opentrail::services::cloudtrail
