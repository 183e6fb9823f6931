// The canonical request, the string to sign, and the signatures over them.
#include "crypto/sigv4.h"

#include "base/text.h"
#include "crypto/hash.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::crypto::sigv4 {
namespace {

std::string scope_text(const Scope& scope) {
  return fmt::format("{}/{}/{}/aws4_request", scope.date, scope.region, scope.service);
}

std::string hmac(std::string_view key, std::string_view message) {
  return std::string(as_text(hmac_sha256(as_bytes(key), as_bytes(message))));
}

/// Decodes and encodes again: one spelling, however the client escaped it on the wire.
std::string normal_escapes(std::string_view text, bool plus_is_space) {
  const auto decoded = uri_decode(text, plus_is_space);
  return uri_encode(decoded ? std::string_view(*decoded) : text);
}

/// S3: every segment encoded once, nothing removed; "a//b" and "a/../b" are keys of their own.
std::string path_encoded_once(std::string_view path) {
  std::string out;
  for (const auto segment : split(path, '/')) {
    if (!out.empty() || segment.data() != path.data()) {
      out += '/';
    }
    out += normal_escapes(segment, false);
  }
  return out.empty() ? "/" : out;
}

/// All others: dot and empty segments removed (RFC 3986 §5.2.4), then what is on the wire encoded
/// once more.
std::string path_encoded_twice(std::string_view path) {
  std::vector<std::string_view> kept;
  const auto segments = split(path, '/');
  for (const auto segment : segments) {
    if (segment == "..") {
      if (!kept.empty()) {
        kept.pop_back();
      }
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string out = "/";
  for (const auto segment : kept) {
    out += uri_encode(segment);
    out += '/';
  }
  // Only a path that ends in a slash keeps it.
  if (!kept.empty() && !path.ends_with('/')) {
    out.pop_back();
  }
  return out;
}

std::string canonical_query(std::string_view query, bool presigned) {
  std::vector<std::pair<std::string, std::string>> fields;
  if (!query.empty()) {
    for (const auto field : split(query, '&')) {
      const auto equals = field.find('=');
      const auto value =
          equals == std::string_view::npos ? std::string_view() : field.substr(equals + 1);
      auto name = normal_escapes(field.substr(0, equals), true);
      if ((presigned && name == "X-Amz-Signature") || field.empty()) {
        continue;
      }
      fields.emplace_back(std::move(name), normal_escapes(value, true));
    }
  }
  std::ranges::sort(fields);
  std::string out;
  for (const auto& [name, value] : fields) {
    out += out.empty() ? "" : "&";
    out += name;
    out += '=';
    out += value;
  }
  return out;
}

/// Trimmed, every inner run of white space (folded lines too) one space.
void append_collapsed(std::string& out, std::string_view value) {
  bool gap = false;
  for (const char c : trim(value)) {
    const bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!space) {
      out += gap ? " " : "";
      out += c;
    }
    gap = space;
  }
}

std::string canonical_header(const SignedRequest& request, std::string_view name) {
  std::string line(name);
  line += ':';
  bool first = true;
  for (const auto& [field, value] : request.headers) {
    if (equals_ignore_case(field, name)) {
      line += first ? "" : ",";
      append_collapsed(line, value);
      first = false;
    }
  }
  return line += '\n';
}

/// What every signature covers in front of its own hashes.
std::string signed_prefix(std::string_view algorithm, std::string_view amz_date,
                          std::string_view scope) {
  return fmt::format("{}\n{}\n{}\n", algorithm, amz_date, scope);
}

bool is_signed_by_us(std::string_view lower_name) {
  return lower_name == "host" || lower_name == "content-type" || lower_name.starts_with("x-amz-") ||
         lower_name.starts_with("x-opentrail-");
}

}  // namespace

std::string canonical_request(const SignedRequest& request, const Claim& claim,
                              std::string_view payload_hash, bool encode_path_twice) {
  auto names = claim.signed_headers;
  std::ranges::sort(names);
  std::string headers;
  std::string list;
  for (const auto& name : names) {
    headers += canonical_header(request, name);
    list += list.empty() ? "" : ";";
    list += name;
  }
  return fmt::format(
      "{}\n{}\n{}\n{}\n{}\n{}", request.method,
      encode_path_twice ? path_encoded_twice(request.path) : path_encoded_once(request.path),
      canonical_query(request.query, claim.presigned), headers, list, payload_hash);
}

std::string string_to_sign(const Claim& claim, std::string_view canonical) {
  return signed_prefix(kAlgorithm, claim.amz_date, scope_text(claim.scope)) + sha256_hex(canonical);
}

std::string signing_key(std::string_view secret, const Scope& scope) {
  std::string key = hmac("AWS4" + std::string(secret), scope.date);
  key = hmac(key, scope.region);
  key = hmac(key, scope.service);
  return hmac(key, "aws4_request");
}

std::string signature(std::string_view signing_key, std::string_view string_to_sign) {
  return to_hex(as_bytes(hmac(signing_key, string_to_sign)));
}

ChunkVerifier::ChunkVerifier(std::string signing_key, const Claim& claim)
    : signing_key_(std::move(signing_key)),
      amz_date_(claim.amz_date),
      scope_(scope_text(claim.scope)),
      previous_(claim.signature) {}

std::string ChunkVerifier::next(std::string_view data_hash) {
  previous_ = signature(
      signing_key_,
      fmt::format("{}{}\n{}\n{}", signed_prefix("AWS4-HMAC-SHA256-PAYLOAD", amz_date_, scope_),
                  previous_, kEmptySha256, data_hash));
  return previous_;
}

std::string ChunkVerifier::trailer(std::string_view trailer_lines) {
  previous_ = signature(
      signing_key_,
      fmt::format("{}{}\n{}", signed_prefix("AWS4-HMAC-SHA256-TRAILER", amz_date_, scope_),
                  previous_, sha256_hex(trailer_lines)));
  return previous_;
}

std::vector<std::pair<std::string, std::string>> sign(const SignedRequest& request,
                                                      const Credentials& credentials,
                                                      std::string_view region,
                                                      std::string_view service, Timestamp now,
                                                      std::string_view payload_hash) {
  std::vector<std::pair<std::string, std::string>> added = {
      {"X-Amz-Date", to_iso_basic(now)},
      {"X-Amz-Content-Sha256", std::string(payload_hash)},
  };
  if (!credentials.session_token.empty()) {
    added.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }
  SignedRequest complete = request;
  for (const auto& [name, value] : added) {
    complete.headers.emplace_back(name, value);
  }
  Claim claim;
  claim.scope = {to_iso_basic_date(now), std::string(region), std::string(service)};
  claim.amz_date = added.front().second;
  for (const auto& [name, value] : complete.headers) {
    auto lower = to_lower(name);
    if (is_signed_by_us(lower)) {
      claim.signed_headers.push_back(std::move(lower));
    }
  }
  std::ranges::sort(claim.signed_headers);
  const auto repeated = std::ranges::unique(claim.signed_headers);
  claim.signed_headers.erase(repeated.begin(), repeated.end());

  const auto canonical = canonical_request(complete, claim, payload_hash, service != "s3");
  const auto proof = signature(signing_key(credentials.secret_access_key, claim.scope),
                               string_to_sign(claim, canonical));
  added.emplace_back("Authorization",
                     fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                                 credentials.access_key_id, scope_text(claim.scope),
                                 fmt::join(claim.signed_headers, ";"), proof));
  return added;
}

}  // namespace opentrail::crypto::sigv4
