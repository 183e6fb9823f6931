#include "base/error.h"

#include <cstdio>
#include <cstdlib>

namespace opentrail {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument:
      return "InvalidArgument";
    case ErrorCode::NotFound:
      return "NotFound";
    case ErrorCode::AlreadyExists:
      return "AlreadyExists";
    case ErrorCode::PermissionDenied:
      return "PermissionDenied";
    case ErrorCode::Conflict:
      return "Conflict";
    case ErrorCode::Throttled:
      return "Throttled";
    case ErrorCode::Unavailable:
      return "Unavailable";
    case ErrorCode::Timeout:
      return "Timeout";
    case ErrorCode::Corruption:
      return "Corruption";
    case ErrorCode::ResourceExhausted:
      return "ResourceExhausted";
    case ErrorCode::Unsupported:
      return "Unsupported";
    case ErrorCode::Internal:
      return "Internal";
  }
  return "Internal";
}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr,
               "opentrail: internal check failed: %s (%s:%d). This is a defect; please "
               "report it with the lines above.\n",
               condition, file, line);
  std::abort();
}

}  // namespace opentrail
