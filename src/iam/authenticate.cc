#include "iam/authenticate.h"

#include "base/text.h"
#include "crypto/hash.h"
#include "iam/refusals.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace opentrail::iam {
namespace {

namespace sigv4 = crypto::sigv4;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr minutes kSkewMax{5};
constexpr minutes kSkewMaxS3{15};

/// Fields whose value the signature covers though the list of signed headers does not name them:
/// the date stands in the string to sign, the payload's hash ends the canonical request.
constexpr std::array<std::string_view, 2> kCoveredAnyway = {"x-amz-date", "x-amz-content-sha256"};

minutes skew_max(ErrorStyle style) { return style == ErrorStyle::S3 ? kSkewMaxS3 : kSkewMax; }

struct Finding {
  RefusalKind kind;
  std::string detail;
};

/// What parse_claim refused: its reasons are those of the JSON protocol.
Finding finding_of(const Error& error) {
  if (error.code() == ErrorCode::NotFound) {
    return {RefusalKind::NoSignature, {}};
  }
  if (error.message() == sigv4::kSignatureMismatch) {
    return {RefusalKind::Mismatch, {}};
  }
  const bool incomplete = error.reason() == "IncompleteSignature";
  return {incomplete ? RefusalKind::Malformed : RefusalKind::BadScope, error.message()};
}

/// The first x-amz-* field that the signature does not cover: whoever sits between could change it,
/// and with it what is asked for (x-amz-target, x-amz-copy-source). AWS insists on them, too.
std::optional<std::string> unsigned_header(const sigv4::SignedRequest& request,
                                           const sigv4::Claim& claim) {
  for (const auto& [name, value] : request.headers) {
    const std::string lower = to_lower(name);
    if (lower.starts_with("x-amz-") &&
        std::ranges::find(kCoveredAnyway, lower) == kCoveredAnyway.end() &&
        std::ranges::find(claim.signed_headers, lower) == claim.signed_headers.end()) {
      return to_valid_utf8(lower);
    }
  }
  return std::nullopt;
}

std::string show_span(seconds span) {
  return span % minutes(1) == seconds(0) ? fmt::format("{} min.", span / minutes(1))
                                         : fmt::format("{} sec.", span.count());
}

std::string expired_text(const sigv4::Claim& claim, Timestamp now, seconds allowed) {
  return fmt::format("Signature expired: {} is now earlier than {} ({} - {})", claim.amz_date,
                     to_iso_basic(now - allowed), to_iso_basic(now), show_span(allowed));
}

std::string early_text(const sigv4::Claim& claim, Timestamp now, seconds allowed) {
  return fmt::format("Signature not yet current: {} is still later than {} ({} + {})",
                     claim.amz_date, to_iso_basic(now + allowed), to_iso_basic(now),
                     show_span(allowed));
}

std::optional<Finding> check_time(const sigv4::Claim& claim, ErrorStyle style, Timestamp now) {
  const seconds skew = skew_max(style);
  const seconds age_max = claim.presigned ? claim.expires : skew;
  if (now - claim.signed_at > age_max) {
    return Finding{claim.presigned ? RefusalKind::PresignedExpired : RefusalKind::Skewed,
                   expired_text(claim, now, age_max)};
  }
  if (claim.signed_at - now > skew) {
    return Finding{claim.presigned ? RefusalKind::PresignedEarly : RefusalKind::Skewed,
                   early_text(claim, now, skew)};
  }
  return std::nullopt;
}

/// What can be said without a key.
std::optional<Finding> check_shape(const sigv4::SignedRequest& request, const sigv4::Claim& claim,
                                   const AuthenticateOptions& options) {
  if (!options.expected_service.empty() && claim.scope.service != options.expected_service) {
    return Finding{RefusalKind::WrongService, options.expected_service};
  }
  if (auto header = unsigned_header(request, claim)) {
    return Finding{RefusalKind::HeaderNotSigned, *std::move(header)};
  }
  return std::nullopt;
}

/// What the key says, once the signature was computed. The first that fails names the refusal.
std::optional<Finding> check_key(const sigv4::Claim& claim, const std::optional<KnownKey>& key,
                                 bool holds, ErrorStyle style, Timestamp now) {
  if (!key || !key->active) {
    return Finding{RefusalKind::UnknownKey, {}};
  }
  if (!claim.session_token.empty()) {
    return Finding{RefusalKind::InvalidToken, {}};  // every key here is a long-lived one
  }
  if (auto finding = check_time(claim, style, now)) {
    return finding;
  }
  if (!holds) {
    return Finding{RefusalKind::Mismatch, {}};
  }
  return std::nullopt;
}

Caller claimed_caller(const KnownKey& key) {
  Caller caller = key.caller;
  caller.verified = false;
  return caller;
}

void refuse(Authentication& out, const Finding& finding, ErrorStyle style, bool presigned) {
  auto [code, message] = refusal(finding.kind, style, presigned, finding.detail);
  out.error_code = std::move(code);
  out.error_message = std::move(message);
}

/// A claim that cannot be read may still name a key, and so an account.
Authentication refuse_unread(const sigv4::SignedRequest& request, const Error& error,
                             const AuthenticateOptions& options,
                             const AuthenticateContext& context) {
  Authentication out;
  if (const auto credential = sigv4::claimed_credential(request)) {
    if (const auto key = context.lookup(credential->access_key_id)) {
      out.caller = claimed_caller(*key);
    }
  }
  const bool presigned = !sigv4::header_value(request, "authorization").has_value();
  refuse(out, finding_of(error), options.style, presigned);
  return out;
}

}  // namespace

Authentication check_signature(const sigv4::SignedRequest& request,
                               const AuthenticateOptions& options,
                               const AuthenticateContext& context) {
  auto claim = sigv4::parse_claim(request);
  if (!claim) {
    return refuse_unread(request, claim.error(), options, context);
  }
  Authentication out;
  out.claim = *std::move(claim);
  out.claim_parsed = true;
  const auto key = context.lookup(out.claim.access_key_id);
  if (key) {
    out.caller = claimed_caller(*key);
  }
  // Computed for every key, known or not: see AuthenticateContext::decoy_secret.
  std::string signing_key = sigv4::signing_key(
      key ? std::string_view(key->secret) : context.decoy_secret, out.claim.scope);
  const std::string canonical = sigv4::canonical_request(request, out.claim, options.payload_hash,
                                                         options.style != ErrorStyle::S3);
  const std::string expected =
      sigv4::signature(signing_key, sigv4::string_to_sign(out.claim, canonical));
  const bool holds = crypto::constant_time_equal(expected, out.claim.signature) && key.has_value();

  auto finding = check_shape(request, out.claim, options);
  if (!finding) {
    finding = check_key(out.claim, key, holds, options.style, context.now);
  }
  if (finding) {
    refuse(out, *finding, options.style, out.claim.presigned);
    return out;
  }
  out.caller->verified = true;
  out.signing_key = std::move(signing_key);
  return out;
}

}  // namespace opentrail::iam
