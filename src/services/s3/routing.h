#pragma once
#include "record/record.h"
#include "services/s3/s3_request.h"
#include "services/service.h"

#include <string_view>

namespace opentrail::services::s3 {

/// What a request addresses.
enum class Target : unsigned char { Service, Bucket, Object };

/// One operation of S3: how it is told apart on the wire, and what CloudTrail says of it.
struct Route {
  Target target;
  std::string_view method;
  /// Query parameter that picks the operation ("acl"); empty: the plain operation.
  std::string_view subresource;
  std::string_view name;        ///< As in the S3 API reference.
  std::string_view event_name;  ///< As recorded.
  std::string_view action;      ///< As authorised.
  record::Category category;
  bool read_only;
  bool copies = false;  ///< Picked by the header x-amz-copy-source.
};

/// The operation that a request asks for, or null when there is none of that method.
/// Source: S3 API reference; event names and categories: S3 User Guide, "CloudTrail events".
[[nodiscard]] const Route* find_route(const S3Request& request);

/// True when the operation's body is an object's bytes, which are not held in memory.
[[nodiscard]] bool is_upload(const net::RequestHead& head);

/// Service::identify for S3. Pure.
[[nodiscard]] Operation identify(const Call& call);

}  // namespace opentrail::services::s3
