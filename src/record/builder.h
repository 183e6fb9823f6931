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
  Timestamp event_time;      ///< Recorded in whole seconds, rounded down.
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

inline constexpr std::size_t kScalarBytesMax = 1 << 10;        ///< Any single string.
inline constexpr std::size_t kParametersBytesMax = 100 << 10;  ///< Each of the two.
inline constexpr std::size_t kAdditionalDataBytesMax = 28 << 10;
inline constexpr std::size_t kSessionContextBytesMax = 28 << 10;

/// Builds the record of eventVersion 1.11 in AWS's field order (spec records §1.2). Strings over
/// kScalarBytesMax are cut between characters; an object over its limit is replaced by
///   {"reason":"requestParameters too large","omitted":true,"originalSize":149893}
/// The whole is at most kOwnRecordBytesMax (spec records §1.6): when it is larger, the objects are
/// replaced in AWS's order (additionalEventData, responseElements, requestParameters), then
/// resources are left out from the end. A *_json member that is not valid JSON, a defect of the
/// caller, is replaced in the same way ("... is not valid JSON"), so that the record itself always
/// is. Network activity records leave out what theirs never have (spec records §2.2).
/// parse_record() of the bytes gives the same record. Pure; cannot fail.
[[nodiscard]] Record build_record(const CallFacts& facts);

inline constexpr std::string_view kHiddenForSecurity = "HIDDEN_DUE_TO_SECURITY_REASONS";
inline constexpr std::string_view kSensitiveDataRemoved = "<sensitiveDataRemoved>";

}  // namespace opentrail::record
