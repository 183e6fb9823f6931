#include "objects/s3_errors.h"

namespace opentrail::objects {
namespace {

struct KnownError {
  std::string_view reason;
  ErrorCode code;
  std::string_view text;
};

// Texts: S3 API reference, "Error responses"; where the reference and the wire differ, the wire.
constexpr KnownError kKnownErrors[] = {
    {"AccessDenied", ErrorCode::PermissionDenied, "Access Denied"},
    {"BadDigest", ErrorCode::InvalidArgument,
     "The Content-MD5 you specified did not match what we received."},
    {"BucketAlreadyExists", ErrorCode::AlreadyExists,
     "The requested bucket name is not available. The bucket namespace is shared by all users of "
     "the system. Please select a different name and try again."},
    {"BucketAlreadyOwnedByYou", ErrorCode::AlreadyExists,
     "Your previous request to create the named bucket succeeded and you already own it."},
    {"BucketNotEmpty", ErrorCode::Conflict, "The bucket you tried to delete is not empty"},
    {"EntityTooLarge", ErrorCode::InvalidArgument,
     "Your proposed upload exceeds the maximum allowed size"},
    {"EntityTooSmall", ErrorCode::InvalidArgument,
     "Your proposed upload is smaller than the minimum allowed size"},
    {"IncompleteBody", ErrorCode::InvalidArgument,
     "You did not provide the number of bytes specified by the Content-Length HTTP header"},
    {"InternalError", ErrorCode::Unavailable,
     "We encountered an internal error. Please try again."},
    {"InvalidArgument", ErrorCode::InvalidArgument, "Invalid Argument"},
    {"InvalidBucketName", ErrorCode::InvalidArgument, "The specified bucket is not valid."},
    {"InvalidDigest", ErrorCode::InvalidArgument, "The Content-MD5 you specified is not valid."},
    {"InvalidPart", ErrorCode::InvalidArgument,
     "One or more of the specified parts could not be found.  The part may not have been "
     "uploaded, or the specified entity tag may not match the part's entity tag."},
    {"InvalidPartOrder", ErrorCode::InvalidArgument,
     "The list of parts was not in ascending order. Parts must be ordered by part number."},
    {"InvalidRange", ErrorCode::InvalidArgument, "The requested range is not satisfiable"},
    {"InvalidRequest", ErrorCode::InvalidArgument, "Invalid Request"},
    {"InvalidURI", ErrorCode::InvalidArgument, "Couldn't parse the specified URI."},
    {"KeyTooLongError", ErrorCode::InvalidArgument, "Your key is too long"},
    {"MalformedPolicy", ErrorCode::InvalidArgument, "This policy contains invalid Json"},
    {"MalformedXML", ErrorCode::InvalidArgument,
     "The XML you provided was not well-formed or did not validate against our published schema"},
    {"MetadataTooLarge", ErrorCode::InvalidArgument,
     "Your metadata headers exceed the maximum allowed metadata size"},
    {"MethodNotAllowed", ErrorCode::InvalidArgument,
     "The specified method is not allowed against this resource."},
    {"NoSuchBucket", ErrorCode::NotFound, "The specified bucket does not exist"},
    {"NoSuchBucketPolicy", ErrorCode::NotFound, "The bucket policy does not exist"},
    {"NoSuchKey", ErrorCode::NotFound, "The specified key does not exist."},
    {"NoSuchPublicAccessBlockConfiguration", ErrorCode::NotFound,
     "The public access block configuration was not found"},
    {"NoSuchTagSet", ErrorCode::NotFound, "The TagSet does not exist"},
    {"NoSuchUpload", ErrorCode::NotFound,
     "The specified upload does not exist. The upload ID may be invalid, or the upload may have "
     "been aborted or completed."},
    {"NotFound", ErrorCode::NotFound, "Not Found"},
    {"NotImplemented", ErrorCode::Unsupported,
     "A header you provided implies functionality that is not implemented"},
    {"PermanentRedirect", ErrorCode::InvalidArgument,
     "The bucket you are attempting to access must be addressed using the specified endpoint."},
    {"PreconditionFailed", ErrorCode::Conflict,
     "At least one of the pre-conditions you specified did not hold"},
    {"RequestTimeout", ErrorCode::Timeout,
     "Your socket connection to the server was not read from or written to within the timeout "
     "period. Idle connections will be closed."},
    {"ServiceUnavailable", ErrorCode::Unavailable, "Service is unable to handle request."},
    {"SignatureDoesNotMatch", ErrorCode::PermissionDenied,
     "The request signature we calculated does not match the signature you provided. Check your "
     "key and signing method."},
    {"SlowDown", ErrorCode::Throttled, "Please reduce your request rate."},
    {"XAmzContentSHA256Mismatch", ErrorCode::InvalidArgument,
     "The provided 'x-amz-content-sha256' header does not match what was computed."},
    // What a foreign S3 may say to our client.
    {"AllAccessDisabled", ErrorCode::PermissionDenied, "All access to this object is disabled"},
    {"ExpiredToken", ErrorCode::PermissionDenied, "The provided token has expired."},
    {"InvalidAccessKeyId", ErrorCode::PermissionDenied,
     "The AWS Access Key Id you provided does not exist in our records."},
    {"InvalidToken", ErrorCode::PermissionDenied,
     "The provided token is malformed or otherwise invalid."},
    {"RequestTimeTooSkewed", ErrorCode::PermissionDenied,
     "The difference between the request time and the current time is too large."},
};

const KnownError* find(std::string_view reason) {
  for (const KnownError& known : kKnownErrors) {
    if (known.reason == reason) {
      return &known;
    }
  }
  return nullptr;
}

}  // namespace

std::unexpected<Error> s3_fail(std::string_view reason) {
  return s3_fail(reason, std::string(s3_text(reason)));
}

std::unexpected<Error> s3_fail(std::string_view reason, std::string message) {
  return fail(s3_reaction(reason), std::move(message), std::string(reason));
}

ErrorCode s3_reaction(std::string_view reason) {
  const KnownError* known = find(reason);
  return known != nullptr ? known->code : ErrorCode::Unavailable;
}

std::string_view s3_text(std::string_view reason) {
  const KnownError* known = find(reason);
  return known != nullptr ? known->text : std::string_view();
}

}  // namespace opentrail::objects
