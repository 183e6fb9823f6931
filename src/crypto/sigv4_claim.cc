// Reading a claim out of a request: the Authorization header or the X-Amz-* query.
#include "base/text.h"
#include "crypto/sigv4.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace opentrail::crypto::sigv4 {
namespace {

constexpr std::string_view kIncomplete = "IncompleteSignature";
constexpr std::string_view kInvalid = "InvalidSignatureException";
constexpr std::string_view kTerminator = "aws4_request";
constexpr std::size_t kSignatureDigits = 64;
constexpr std::size_t kHeaderNameBytesMax = 256;
constexpr std::size_t kShownBytesMax = 128;  // of the caller's own text, in an error

std::unexpected<Error> refuse(std::string_view reason, std::string message) {
  return fail(ErrorCode::InvalidArgument, std::move(message), std::string(reason));
}

std::string shown(std::string_view text) { return to_valid_utf8(cut_utf8(text, kShownBytesMax)); }

/// The parts as they were sent, before any of them is read.
struct RawParts {
  std::optional<std::string> credential;
  std::optional<std::string> signed_headers;
  std::optional<std::string> signature;
};

// --- The parts both forms share ---------------------------------------------------------------

bool is_scope_name(std::string_view text) {
  return !text.empty() && text.size() <= kScopeNameBytesMax &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

bool is_access_key_id(std::string_view text) {
  return !text.empty() && text.size() <= kAccessKeyIdBytesMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

Result<ClaimedCredential> parse_credential(std::string_view text) {
  if (text.size() > kCredentialBytesMax) {
    return refuse(kIncomplete,
                  fmt::format("Credential is longer than {} bytes.", kCredentialBytesMax));
  }
  const auto parts = split(text, '/');
  if (parts.size() != 5 || !is_access_key_id(parts[0])) {
    return refuse(kIncomplete,
                  fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                              "keyid/date/region/service/term, got '{}'",
                              shown(text)));
  }
  if (!is_digits(parts[1]) || parts[1].size() != 8) {
    return refuse(kInvalid,
                  fmt::format("Date in Credential scope must have the form YYYYMMDD, got '{}'.",
                              shown(parts[1])));
  }
  if (!is_scope_name(parts[2])) {
    return refuse(kInvalid, fmt::format("Credential should be scoped to a valid Region, not '{}'.",
                                        shown(parts[2])));
  }
  if (!is_scope_name(parts[3])) {
    return refuse(kInvalid, fmt::format("Credential should be scoped to a valid service, not '{}'.",
                                        shown(parts[3])));
  }
  if (parts[4] != kTerminator) {
    return refuse(kInvalid, fmt::format("Credential should be scoped with a valid terminator: "
                                        "'aws4_request', not '{}'.",
                                        shown(parts[4])));
  }
  return ClaimedCredential{std::string(parts[0]),
                           {std::string(parts[1]), std::string(parts[2]), std::string(parts[3])}};
}

bool is_header_name(std::string_view text) {
  return !text.empty() && text.size() <= kHeaderNameBytesMax &&
         std::ranges::all_of(text, [](char c) {
           return c > ' ' && c < '\x7f' &&
                  std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
         });
}

Result<std::vector<std::string>> parse_signed_headers(std::string_view text) {
  const auto names = split(text, ';');
  if (names.size() > kSignedHeadersMax) {
    return refuse(kIncomplete, fmt::format("At most {} headers can be signed, got {}.",
                                           kSignedHeadersMax, names.size()));
  }
  std::vector<std::string> lower;
  for (const auto name : names) {
    if (!is_header_name(name)) {
      return refuse(kIncomplete, fmt::format("'SignedHeaders' holds a name that no header can have:"
                                             " '{}'.",
                                             shown(name)));
    }
    lower.push_back(to_lower(name));
    if (std::count(lower.begin(), lower.end(), lower.back()) > 1) {
      return refuse(kIncomplete,
                    fmt::format("'SignedHeaders' names '{}' twice.", shown(lower.back())));
    }
  }
  if (std::ranges::find(lower, "host") == lower.end()) {
    return refuse(kInvalid,
                  "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  return lower;
}

Result<std::string> parse_signature(std::string_view text) {
  if (text.size() != kSignatureDigits ||
      text.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
    return refuse(kInvalid, std::string(kSignatureMismatch));
  }
  return std::string(text);
}

/// Sets the date of the claim from ISO basic text, or from an HTTP Date header.
Result<void> read_date(Claim& claim, std::string_view text) {
  auto time = parse_iso_basic(text);
  if (!time) {
    time = parse_http_date(text);
  }
  if (!time) {
    return refuse(kIncomplete, fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'. See "
                                           "http://en.wikipedia.org/wiki/ISO_8601",
                                           shown(text)));
  }
  claim.signed_at = *time;
  claim.amz_date = to_iso_basic(*time);
  return {};
}

Result<void> check_scope_date(const Claim& claim) {
  const auto day = std::string_view(claim.amz_date).substr(0, 8);
  if (claim.scope.date != day) {
    return refuse(kInvalid,
                  fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 "
                              "version of date from HTTP: '{}' != '{}', from '{}'.",
                              claim.scope.date, day, claim.amz_date));
  }
  return {};
}

Result<Claim> assemble(const RawParts& parts, std::string_view date, std::string session_token) {
  Claim claim;
  OT_TRY(auto credential, parse_credential(*parts.credential));
  claim.access_key_id = std::move(credential.access_key_id);
  claim.scope = std::move(credential.scope);
  OT_TRY(claim.signed_headers, parse_signed_headers(*parts.signed_headers));
  OT_TRY_DO(read_date(claim, date));
  OT_TRY_DO(check_scope_date(claim));
  OT_TRY(claim.signature, parse_signature(*parts.signature));
  if (session_token.size() > kSessionTokenBytesMax) {
    return refuse(kIncomplete,
                  fmt::format("The session token is longer than {} bytes.", kSessionTokenBytesMax));
  }
  claim.session_token = std::move(session_token);
  return claim;
}

// --- Authorization: AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=... -----------

Result<RawParts> split_authorization(std::string_view text) {
  RawParts parts;
  if (text.size() > kAuthorizationBytesMax) {
    return refuse(kIncomplete, fmt::format("Authorization header is longer than {} bytes.",
                                           kAuthorizationBytesMax));
  }
  text = trim(text);
  const auto space = text.find_first_of(" \t");
  if (text.substr(0, space) != kAlgorithm || space == std::string_view::npos) {
    return parts;  // another scheme: every part of ours is missing
  }
  for (auto field : split(text.substr(space), ',')) {
    field = trim(field);
    const auto equals = field.find('=');
    if (equals == std::string_view::npos) {
      return refuse(kIncomplete,
                    "Authorization header has a part that is not a valid key=value pair (missing "
                    "equal-sign).");
    }
    const auto name = field.substr(0, equals);
    auto* target = name == "Credential"      ? &parts.credential
                   : name == "SignedHeaders" ? &parts.signed_headers
                   : name == "Signature"     ? &parts.signature
                                             : nullptr;
    if (target != nullptr && target->has_value()) {
      return refuse(kIncomplete, fmt::format("Authorization header has '{}' twice.", name));
    }
    if (target != nullptr) {
      *target = std::string(field.substr(equals + 1));
    }
  }
  return parts;
}

bool is_missing(const std::optional<std::string>& part) { return !part || part->empty(); }

Result<Claim> parse_header_claim(const SignedRequest& request, std::string_view authorization) {
  OT_TRY(const auto parts, split_authorization(authorization));
  auto date = header_value(request, "x-amz-date");
  if (!date) {
    date = header_value(request, "date");
  }
  std::string missing;
  const auto require = [&missing](bool absent, std::string_view name) {
    if (absent) {
      missing += fmt::format("Authorization header requires '{}' parameter. ", name);
    }
  };
  require(is_missing(parts.credential), "Credential");
  require(is_missing(parts.signature), "Signature");
  require(is_missing(parts.signed_headers), "SignedHeaders");
  if (!date) {
    missing +=
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  }
  if (!missing.empty()) {
    return refuse(kIncomplete, std::string(trim(missing)));
  }
  return assemble(parts, trim(*date),
                  header_value(request, "x-amz-security-token").value_or(std::string()));
}

// --- The query of a presigned URL ---------------------------------------------------------------

struct QueryParts {
  RawParts parts;
  std::optional<std::string> algorithm, date, expires, session_token;
  std::string repeated;  // name of a parameter that came twice
};

/// Nothing when the query has no part of a signature.
std::optional<QueryParts> split_query(std::string_view query) {
  QueryParts found;
  const std::array<std::pair<std::string_view, std::optional<std::string>*>, 7> targets = {{
      {"X-Amz-Algorithm", &found.algorithm},
      {"X-Amz-Credential", &found.parts.credential},
      {"X-Amz-Signature", &found.parts.signature},
      {"X-Amz-Date", &found.date},
      {"X-Amz-SignedHeaders", &found.parts.signed_headers},
      {"X-Amz-Expires", &found.expires},
      {"X-Amz-Security-Token", &found.session_token},
  }};
  for (const auto field : split(query, '&')) {
    const auto equals = field.find('=');
    const auto name = uri_decode(field.substr(0, equals), true);
    for (const auto& [wanted, target] : targets) {
      if (name != wanted) {
        continue;
      }
      if (target->has_value()) {
        found.repeated = wanted;
      }
      const auto value = equals == std::string_view::npos ? "" : field.substr(equals + 1);
      // A broken escape leaves the text as it is; the part's own check then refuses it.
      *target = uri_decode(value, true).value_or(std::string(value));
    }
  }
  const bool any = found.algorithm || found.parts.credential || found.parts.signature;
  return any ? std::optional(std::move(found)) : std::nullopt;
}

Result<std::chrono::seconds> parse_expires(std::string_view text) {
  const auto seconds = parse_int(text);
  if (!seconds) {
    return refuse(kIncomplete, "X-Amz-Expires should be a number");
  }
  if (*seconds < 1) {
    return refuse(kIncomplete, "X-Amz-Expires must be positive");
  }
  if (*seconds > kPresignedExpiresMax.count()) {
    return refuse(kIncomplete,
                  fmt::format("X-Amz-Expires must be less than a week (in seconds); that is, the "
                              "given X-Amz-Expires must be less than {} seconds",
                              kPresignedExpiresMax.count()));
  }
  return std::chrono::seconds(*seconds);
}

Result<Claim> parse_presigned_claim(QueryParts query) {
  if (!query.repeated.empty()) {
    return refuse(kIncomplete,
                  fmt::format("AWS query-string parameters must include '{}' once. Re-examine the "
                              "query-string parameters.",
                              query.repeated));
  }
  const std::array<std::pair<std::string_view, const std::optional<std::string>*>, 6> required = {{
      {"X-Amz-Algorithm", &query.algorithm},
      {"X-Amz-Credential", &query.parts.credential},
      {"X-Amz-Signature", &query.parts.signature},
      {"X-Amz-SignedHeaders", &query.parts.signed_headers},
      {"X-Amz-Date", &query.date},
      {"X-Amz-Expires", &query.expires},
  }};
  std::string missing;
  for (const auto& [name, value] : required) {
    if (is_missing(*value)) {
      missing += fmt::format("AWS query-string parameters must include '{}'. ", name);
    }
  }
  if (!missing.empty()) {
    return refuse(kIncomplete, missing + "Re-examine the query-string parameters.");
  }
  if (*query.algorithm != kAlgorithm) {
    return refuse(kIncomplete, fmt::format("Unsupported X-Amz-Algorithm '{}': use '{}'.",
                                           shown(*query.algorithm), kAlgorithm));
  }
  OT_TRY(auto claim, assemble(query.parts, *query.date,
                              std::move(query.session_token).value_or(std::string())));
  claim.presigned = true;
  OT_TRY(claim.expires, parse_expires(*query.expires));
  return claim;
}

}  // namespace

std::optional<std::string> header_value(const SignedRequest& request, std::string_view name) {
  std::optional<std::string> joined;
  for (const auto& [field, value] : request.headers) {
    if (equals_ignore_case(field, name)) {
      joined = joined ? *joined + "," + std::string(value) : std::string(value);
    }
  }
  return joined;
}

Result<Claim> parse_claim(const SignedRequest& request) {
  const auto authorization = header_value(request, "authorization");
  auto query = split_query(request.query);
  if (authorization && query) {
    return refuse(kIncomplete,
                  "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                  "Signature query string parameter or the Authorization header should be "
                  "specified");
  }
  if (authorization) {
    return parse_header_claim(request, *authorization);
  }
  if (query) {
    return parse_presigned_claim(*std::move(query));
  }
  return fail(ErrorCode::NotFound, "Missing Authentication Token", "MissingAuthenticationToken");
}

std::optional<ClaimedCredential> claimed_credential(const SignedRequest& request) {
  std::optional<std::string> text;
  if (const auto authorization = header_value(request, "authorization")) {
    if (auto parts = split_authorization(*authorization)) {
      text = std::move(parts->credential);
    }
  } else if (auto query = split_query(request.query)) {
    text = std::move(query->parts.credential);
  }
  if (!text) {
    return std::nullopt;
  }
  auto credential = parse_credential(*text);
  return credential ? std::optional(*std::move(credential)) : std::nullopt;
}

}  // namespace opentrail::crypto::sigv4
