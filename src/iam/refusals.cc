#include "iam/refusals.h"

#include <fmt/format.h>

namespace opentrail::iam {
namespace {

constexpr std::string_view kTokenInvalid = "The security token included in the request is invalid.";

/// The text of the protocols that are not S3.
std::string common_message(RefusalKind kind, const std::string& detail) {
  switch (kind) {
    case RefusalKind::NoSignature:
      return "Missing Authentication Token";
    case RefusalKind::WrongService:
      return fmt::format("Credential should be scoped to correct service: '{}'.", detail);
    case RefusalKind::HeaderNotSigned:
      return fmt::format("'{}' must be a 'SignedHeader' in the AWS Authorization.", detail);
    case RefusalKind::UnknownKey:
    case RefusalKind::InvalidToken:
      return std::string(kTokenInvalid);
    case RefusalKind::Mismatch:
      return std::string(crypto::sigv4::kSignatureMismatch);
    case RefusalKind::Malformed:
    case RefusalKind::BadScope:
    case RefusalKind::Skewed:
    case RefusalKind::PresignedExpired:
    case RefusalKind::PresignedEarly:
      return detail;
  }
  return detail;
}

struct CommonCodes {
  std::string_view json;
  std::string_view query;
};

CommonCodes common_codes(RefusalKind kind) {
  switch (kind) {
    case RefusalKind::NoSignature:
      return {"MissingAuthenticationTokenException", "MissingAuthenticationToken"};
    case RefusalKind::Malformed:
      return {"IncompleteSignatureException", "IncompleteSignature"};
    case RefusalKind::UnknownKey:
    case RefusalKind::InvalidToken:
      return {"UnrecognizedClientException", "InvalidClientTokenId"};
    case RefusalKind::BadScope:
    case RefusalKind::WrongService:
    case RefusalKind::HeaderNotSigned:
    case RefusalKind::Skewed:
    case RefusalKind::PresignedExpired:
    case RefusalKind::PresignedEarly:
    case RefusalKind::Mismatch:
      return {"InvalidSignatureException", "SignatureDoesNotMatch"};
  }
  return {"InvalidSignatureException", "SignatureDoesNotMatch"};
}

Refusal s3_malformed(bool presigned, const std::string& detail) {
  if (presigned) {
    return {"AuthorizationQueryParametersError", detail};
  }
  return {"AuthorizationHeaderMalformed",
          fmt::format("The authorization header is malformed; {}", detail)};
}

Refusal s3_refusal(RefusalKind kind, bool presigned, const std::string& detail) {
  switch (kind) {
    case RefusalKind::NoSignature:
      return {"AccessDenied", "Access Denied"};
    case RefusalKind::Malformed:
    case RefusalKind::BadScope:
      return s3_malformed(presigned, detail);
    case RefusalKind::WrongService:
      return s3_malformed(
          presigned, fmt::format("incorrect service. This endpoint belongs to \"{}\".", detail));
    case RefusalKind::HeaderNotSigned:
      return {"AccessDenied", "There were headers present in the request which were not signed"};
    case RefusalKind::UnknownKey:
      return {"InvalidAccessKeyId",
              "The AWS Access Key Id you provided does not exist in our records."};
    case RefusalKind::InvalidToken:
      return {"InvalidToken", "The provided token is malformed or otherwise invalid."};
    case RefusalKind::Skewed:
      return {"RequestTimeTooSkewed",
              "The difference between the request time and the current time is too large."};
    case RefusalKind::PresignedExpired:
      return {"AccessDenied", "Request has expired"};
    case RefusalKind::PresignedEarly:
      return {"AccessDenied", "Request is not yet valid"};
    case RefusalKind::Mismatch:
      break;
  }
  return {"SignatureDoesNotMatch",
          "The request signature we calculated does not match the signature you provided. Check "
          "your key and signing method."};
}

}  // namespace

Refusal refusal(RefusalKind kind, ErrorStyle style, bool presigned, const std::string& detail) {
  if (style == ErrorStyle::S3) {
    return s3_refusal(kind, presigned, detail);
  }
  const CommonCodes codes = common_codes(kind);
  return {std::string(style == ErrorStyle::Json ? codes.json : codes.query),
          common_message(kind, detail)};
}

}  // namespace opentrail::iam
