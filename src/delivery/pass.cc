#include "delivery/pass.h"

namespace opentrail::delivery {

objects::ServicePrincipal principal_of(const catalog::Trail& trail) {
  return {"cloudtrail.amazonaws.com", trail.arn(), trail.account_id};
}

std::string status_code(const Error& error) {
  if (!error.reason().empty()) {
    return error.reason();
  }
  switch (error.code()) {
    case ErrorCode::PermissionDenied:
      return "AccessDenied";
    case ErrorCode::NotFound:
      return "NoSuchBucket";
    case ErrorCode::Timeout:
      return "RequestTimeout";
    case ErrorCode::Throttled:
      return "SlowDown";
    case ErrorCode::Unavailable:
      return "ServiceUnavailable";
    default:
      return "InternalError";
  }
}

void note_outcome(RefusedRegions& refused, const std::string& region, const Error& error) {
  switch (error.code()) {
    case ErrorCode::PermissionDenied:
    case ErrorCode::NotFound:
    case ErrorCode::InvalidArgument:
      refused.insert(region);
      break;
    default:
      refused.erase(region);
  }
}

Sent judge(const Error& error) {
  switch (error.code()) {
    case ErrorCode::PermissionDenied:  // a policy may allow one region's folder and not another's
    case ErrorCode::InvalidArgument:
      return Sent::No;
    default:
      return Sent::Unreachable;
  }
}

}  // namespace opentrail::delivery
