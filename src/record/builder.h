#pragma once
#include "base/error.h"
#include "base/time.h"
#include "record/record.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::record {

/// Who called (spec records §1.3). Empty members are left out.
struct UserIdentity {
  std::string type;  ///< "Root", "IAMUser", "AWSService", "Unknown", ...
  std::string principal_id;
  std::string arn;
  std::string account_id;
  std::optional<std::string> access_key_id;  ///< "" is written as "" (sign-in records).
  std::string user_name;
  std::string invoked_by;
  std::string session_context_json;  ///< A JSON object, or empty.
};

struct TlsInfo {
  std::string version;
  std::string cipher_suite;
  std::string client_provided_host_header;
};

struct ResourceItem {
  std::string account_id;  ///< May be empty.
  std::string type;        ///< "AWS::S3::Bucket".
  std::string arn;         ///< May be empty.
};

/// One API call, as the pipeline saw it. The *_json members are complete JSON values or empty
/// (written as null for parameters and responses, left out for the rest).
struct CallFacts {
  UserIdentity identity;
  Timestamp event_time;
  std::string event_source;  ///< "cloudtrail.amazonaws.com".
  std::string event_name;
  std::string region;
  std::string source_ip_address;
  std::string user_agent;
  std::string error_code;
  std::string error_message;
  std::string request_parameters_json;
  std::string response_elements_json;
  std::string additional_event_data_json;
  std::string request_id;
  std::string event_id;
  std::optional<bool> read_only;
  std::vector<ResourceItem> resources;
  std::string event_type = "AwsApiCall";
  std::string api_version;
  std::string recipient_account_id;
  Category category = Category::Management;
  std::optional<TlsInfo> tls;
};

/// Builds the record of eventVersion 1.11 in AWS's field order (spec records §1.2). Scalars over
/// 1 KB are cut; objects over their limit become AWS's stub object; the whole is at most
/// kOwnRecordBytesMax (spec records §1.6), shrunk in the documented order. Cannot fail.
[[nodiscard]] Record build_record(const CallFacts& facts);

inline constexpr std::string_view kHiddenForSecurity = "HIDDEN_DUE_TO_SECURITY_REASONS";
inline constexpr std::string_view kSensitiveDataRemoved = "<sensitiveDataRemoved>";

}  // namespace opentrail::record
