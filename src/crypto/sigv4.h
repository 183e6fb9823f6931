#pragma once
#include "base/error.h"
#include "base/time.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// AWS Signature Version 4: pure, no clock, no keys of its own (spec api §1.3).
namespace opentrail::crypto::sigv4 {

inline constexpr std::size_t kAuthorizationBytesMax = 8 << 10;
inline constexpr std::size_t kCredentialBytesMax = 1 << 10;
inline constexpr std::size_t kSessionTokenBytesMax = 8 << 10;
inline constexpr std::size_t kSignedHeadersMax = 64;
inline constexpr std::size_t kAccessKeyIdBytesMax = 128;  ///< IAM's own limit.
inline constexpr std::size_t kScopeNameBytesMax = 64;     ///< Of a region or service name.
inline constexpr std::chrono::seconds kPresignedExpiresMax{604800};

inline constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// AWS's text for a signature that does not hold.
inline constexpr std::string_view kSignatureMismatch =
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details.";

struct Scope {
  std::string date;  ///< YYYYMMDD.
  std::string region;
  std::string service;
};

/// What a caller claims, from the Authorization header or the X-Amz-* query; nothing is verified.
struct Claim {
  std::string access_key_id;
  Scope scope;
  std::vector<std::string> signed_headers;  ///< Lower case, in the order given, each once.
  std::string signature;                    ///< 64 hex digits.
  std::string amz_date;                     ///< As sent: YYYYMMDDTHHMMSSZ.
  Timestamp signed_at;
  std::string session_token;  ///< Empty when none.
  bool presigned = false;
  std::chrono::seconds expires{0};  ///< Presigned only.
};

/// The parts of a request that are signed.
struct SignedRequest {
  std::string_view method;
  std::string_view path;   ///< Encoded, as on the wire.
  std::string_view query;  ///< Encoded, as on the wire, without "?".
  /// Name and value as on the wire, any case; repeated names are joined by ",".
  std::vector<std::pair<std::string_view, std::string_view>> headers;
};

using HeaderLookup = std::vector<std::pair<std::string_view, std::string_view>>;

/// Reads the claim. Whatever parses has every part of it filled, the date of the scope agrees with
/// the date of the request, and "host" is among the signed headers. Errors: NotFound when the
/// request carries none ("Missing Authentication Token", reason "MissingAuthenticationToken");
/// InvalidArgument with `reason` = the AWS error name ("IncompleteSignature",
/// "InvalidSignatureException") and AWS's text. The text never repeats what stood in the
/// Authorization header but for its credential: a token of another scheme must not reach a log.
[[nodiscard]] Result<Claim> parse_claim(const SignedRequest& request);

/// Who and where, read alone.
struct ClaimedCredential {
  std::string access_key_id;
  Scope scope;
};
/// The credential of a request whose claim may be broken in another part, so that its record can
/// still name the account and the region. Absent when the credential itself is broken or missing.
[[nodiscard]] std::optional<ClaimedCredential> claimed_credential(const SignedRequest& request);

/// The value of a header, repeated fields joined by ","; absent when the request has none.
[[nodiscard]] std::optional<std::string> header_value(const SignedRequest& request,
                                                      std::string_view name);

/// `payload_hash`: hex SHA-256, "UNSIGNED-PAYLOAD" or "STREAMING-...". `encode_path_twice` for
/// every service but S3: dot segments and empty segments are then removed from the path, too.
[[nodiscard]] std::string canonical_request(const SignedRequest& request, const Claim& claim,
                                            std::string_view payload_hash, bool encode_path_twice);
[[nodiscard]] std::string string_to_sign(const Claim& claim, std::string_view canonical);
/// 32 raw bytes.
[[nodiscard]] std::string signing_key(std::string_view secret, const Scope& scope);
/// Lower-case hex.
[[nodiscard]] std::string signature(std::string_view signing_key, std::string_view string_to_sign);

/// The chunk signatures of STREAMING-AWS4-HMAC-SHA256-PAYLOAD[-TRAILER].
class ChunkVerifier {
 public:
  ChunkVerifier(std::string signing_key, const Claim& claim);
  /// Signature that the chunk with `data_hash` (hex SHA-256 of its data) must carry; moves on.
  [[nodiscard]] std::string next(std::string_view data_hash);
  /// Signature of the trailer block (its canonical "name:value\n" lines).
  [[nodiscard]] std::string trailer(std::string_view trailer_lines);

 private:
  std::string signing_key_;
  std::string amz_date_;
  std::string scope_;
  std::string previous_;
};

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
};

/// For our own clients: the header fields to add to a request (Authorization, X-Amz-Date,
/// X-Amz-Content-Sha256 and, with a session, X-Amz-Security-Token). Signs host, content-type and
/// every x-amz-* and x-opentrail-* header in `request`; the path is encoded once for "s3".
[[nodiscard]] std::vector<std::pair<std::string, std::string>> sign(
    const SignedRequest& request, const Credentials& credentials, std::string_view region,
    std::string_view service, Timestamp now, std::string_view payload_hash);

}  // namespace opentrail::crypto::sigv4
