#pragma once
#include "objects/embedded_store.h"

#include <string>

namespace opentrail::objects {

/// What a service asks of a bucket.
struct ServiceAction {
  std::string action;  ///< "s3:PutObject".
  std::string key;     ///< Empty: the bucket itself.
  std::string canned_acl;
};

/// Whether the bucket's policy lets a service principal do something. As in AWS a service has no
/// other source of rights: the policy must allow it, in the owner's account too. The request is
/// judged with aws:SourceArn, aws:SourceAccount and s3:x-amz-acl, and with what holds for every
/// call of a service: TLS, AES256, a service as the caller, principal type AssumedRole (spec
/// records §3.3). Errors: PermissionDenied, reason AccessDenied. Pure. Internal to objects.
[[nodiscard]] Result<void> check_service_access(const Bucket& bucket, const ServicePrincipal& who,
                                                const ServiceAction& what);

}  // namespace opentrail::objects
