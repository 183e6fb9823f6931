#pragma once
#include "iam/iam.h"

#include <cstdint>
#include <string>

/// How a failed signature check is told: one notion, three protocols' names and texts for it.
namespace opentrail::iam {

enum class RefusalKind : std::uint8_t {
  NoSignature,
  Malformed,         ///< A part of the signature is missing or cannot be read; detail: which.
  BadScope,          ///< Date, region, service or terminator of the scope; detail: the text.
  WrongService,      ///< detail: the service the scope should name.
  HeaderNotSigned,   ///< detail: the header that must be signed.
  UnknownKey,        ///< Not known, or not active.
  InvalidToken,      ///< A session token that no key of ours has.
  Skewed,            ///< Too old or from the future; detail: the text of Json and Query.
  PresignedExpired,  ///< detail: as above.
  PresignedEarly,    ///< detail: as above.
  Mismatch,
};

struct Refusal {
  std::string code;
  std::string message;
};

/// Texts: spec api §1.3; S3's from the S3 API Reference, "List of error codes". `presigned` tells
/// apart where S3 says the fault is: the header or the query.
[[nodiscard]] Refusal refusal(RefusalKind kind, ErrorStyle style, bool presigned,
                              const std::string& detail);

}  // namespace opentrail::iam
