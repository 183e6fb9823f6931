#include "services/s3/s3_status.h"

#include "base/log.h"
#include "objects/s3_errors.h"

namespace opentrail::services::s3 {
namespace {

struct KnownStatus {
  std::string_view code;
  int status;
};

// S3 API reference, "Error responses". What is not named here is 400.
constexpr KnownStatus kStatuses[] = {
    {"AccessDenied", 403},
    {"AllAccessDisabled", 403},
    {"SignatureDoesNotMatch", 403},
    {"InvalidAccessKeyId", 403},
    {"RequestTimeTooSkewed", 403},
    {"BucketAlreadyExists", 409},
    {"BucketAlreadyOwnedByYou", 409},
    {"BucketNotEmpty", 409},
    {"OperationAborted", 409},
    {"NoSuchBucket", 404},
    {"NoSuchBucketPolicy", 404},
    {"NoSuchKey", 404},
    {"NoSuchVersion", 404},
    {"NoSuchUpload", 404},
    {"NoSuchTagSet", 404},
    {"NoSuchCORSConfiguration", 404},
    {"NoSuchLifecycleConfiguration", 404},
    {"NoSuchWebsiteConfiguration", 404},
    {"NoSuchConfiguration", 404},
    {"NoSuchPublicAccessBlockConfiguration", 404},
    {"ObjectLockConfigurationNotFoundError", 404},
    {"NoSuchObjectLockConfiguration", 404},
    {"OwnershipControlsNotFoundError", 404},
    {"ReplicationConfigurationNotFoundError", 404},
    {"ServerSideEncryptionConfigurationNotFoundError", 404},
    {"NotFound", 404},
    {"MethodNotAllowed", 405},
    {"MissingContentLength", 411},
    {"PreconditionFailed", 412},
    {"InvalidRange", 416},
    {"PermanentRedirect", 301},
    {"InternalError", 500},
    {"NotImplemented", 501},
    {"ServiceUnavailable", 503},
    {"SlowDown", 503},
};

struct KnownText {
  std::string_view code;
  std::string_view text;
};

// Texts that only the wire protocol needs; the others are in objects/s3_errors.cc.
constexpr KnownText kTexts[] = {
    {"AccessControlListNotSupported", "The bucket does not allow ACLs"},
    {"InvalidLocationConstraint", "The specified location-constraint is not valid"},
    {"InvalidStorageClass", "The storage class you specified is not valid"},
    {"MalformedTrailerError",
     "The request contained trailing data that was not well-formed or did not conform to our "
     "published schema."},
    {"MissingContentLength", "You must provide the Content-Length HTTP header."},
    {"NoSuchCORSConfiguration", "The CORS configuration does not exist"},
    {"NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"},
    {"NoSuchVersion", "The specified version does not exist."},
    {"NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"},
    {"ObjectLockConfigurationNotFoundError",
     "Object Lock configuration does not exist for this bucket"},
    {"OwnershipControlsNotFoundError", "The bucket ownership controls were not found"},
    {"ReplicationConfigurationNotFoundError", "The replication configuration was not found"},
};

std::string_view text_of(std::string_view code) {
  for (const KnownText& known : kTexts) {
    if (known.code == code) {
      return known.text;
    }
  }
  return objects::s3_text(code);
}

std::string_view own_trouble(ErrorCode code) {
  switch (code) {
    case ErrorCode::Throttled:
      return "SlowDown";
    case ErrorCode::Unavailable:
    case ErrorCode::Timeout:
    case ErrorCode::ResourceExhausted:
      return "ServiceUnavailable";
    default:
      return "InternalError";
  }
}

}  // namespace

int status_of(std::string_view code) {
  constexpr int kBadRequest = 400;
  for (const KnownStatus& known : kStatuses) {
    if (known.code == code) {
      return known.status;
    }
  }
  return kBadRequest;
}

std::unexpected<Error> refuse(std::string_view code) {
  return refuse(code, std::string(text_of(code)));
}

std::unexpected<Error> refuse(std::string_view code, std::string message) {
  return fail(ErrorCode::InvalidArgument, std::move(message), std::string(code));
}

ApiError to_api_error(const Error& error) {
  if (!error.reason().empty()) {
    return {error.reason(), error.message(), status_of(error.reason()), {}};
  }
  const std::string_view code = own_trouble(error.code());
  log::error("s3: {}", error.message());
  return {std::string(code), std::string(text_of(code)), status_of(code), {}};
}

}  // namespace opentrail::services::s3
