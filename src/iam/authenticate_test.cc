// Goal: only a request that is signed as it stands, with a key that is active, at about this time,
// is let through; every other is refused in the protocol's own words, and named after whom its key
// belongs to where that is known. Method: sign with crypto::sigv4::sign, which botocore's cases
// have checked, then break one part after another.
#include "iam/authenticate.h"

#include "base/text.h"
#include "crypto/hash.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace opentrail::iam {
namespace {

namespace sigv4 = crypto::sigv4;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kKeyId = "AKIAIOSFODNN7EXAMPLE";
constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kInactiveKeyId = "AKIAINACTIVE7EXAMPLE";
constexpr std::string_view kUnknownKeyId = "AKIANOBODYHASEXAMPLE";
constexpr std::string_view kDecoy = "a secret that no key has";
constexpr std::string_view kBody = R"({"Name":"t"})";

const Timestamp kNow = parse_iso("2026-11-24T08:46:13Z").value();

/// A request that owns its text.
struct Request {
  std::string method = "POST";
  std::string path = "/";
  std::string query;
  std::vector<std::pair<std::string, std::string>> headers = {
      {"Host", "localhost:4580"}, {"X-Amz-Target", "CloudTrail_20131101.CreateTrail"}};

  [[nodiscard]] sigv4::SignedRequest view() const {
    sigv4::SignedRequest request{method, path, query, {}};
    for (const auto& [name, value] : headers) {
      request.headers.emplace_back(name, value);
    }
    return request;
  }
  [[nodiscard]] std::string* header(std::string_view name) {
    for (auto& [field, value] : headers) {
      if (equals_ignore_case(field, name)) {
        return &value;
      }
    }
    return nullptr;
  }
  void replace_in(std::string_view name, std::string_view from, std::string_view to) {
    std::string& value = *header(name);
    const auto at = value.find(from);
    ASSERT_NE(at, std::string::npos) << value;
    value.replace(at, from.size(), to);
  }
  void drop(std::string_view name) {
    std::erase_if(headers, [&](const auto& f) { return equals_ignore_case(f.first, name); });
  }
};

struct SignWith {
  std::string key_id{kKeyId};
  std::string secret{kSecret};
  std::string session_token;
  std::string region = "eu-central-1";
  std::string service = "cloudtrail";
  Timestamp at = kNow;
};

Request signed_request(const SignWith& with = {}, Request request = {}) {
  for (auto& field : sigv4::sign(request.view(), {with.key_id, with.secret, with.session_token},
                                 with.region, with.service, with.at, crypto::sha256_hex(kBody))) {
    request.headers.push_back(std::move(field));
  }
  return request;
}

struct PresignWith {
  std::string key_id{kKeyId};
  std::string service = "s3";
  Timestamp at = kNow;
  int expires = 900;
};

/// A presigned URL; the payload is not signed.
Request presigned_request(const PresignWith& with) {
  Request request{"GET", "/bucket/key", {}, {{"Host", "localhost:4580"}}};
  request.query = fmt::format(
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}%2F{}%2Feu-central-1%2F{}%2Faws4_"
      "request&X-Amz-Date={}&X-Amz-Expires={}&X-Amz-SignedHeaders=host",
      with.key_id, to_iso_basic_date(with.at), with.service, to_iso_basic(with.at), with.expires);
  sigv4::Claim claim;
  claim.scope = {to_iso_basic_date(with.at), "eu-central-1", with.service};
  claim.signed_headers = {"host"};
  claim.amz_date = to_iso_basic(with.at);
  claim.presigned = true;
  const auto canonical = sigv4::canonical_request(request.view(), claim, sigv4::kUnsignedPayload,
                                                  with.service != "s3");
  request.query += "&X-Amz-Signature=" + sigv4::signature(sigv4::signing_key(kSecret, claim.scope),
                                                          sigv4::string_to_sign(claim, canonical));
  return request;
}

std::optional<KnownKey> lookup(std::string_view id) {
  Caller caller;
  caller.account_id = "123456789012";
  caller.access_key_id = id;
  caller.user_name = "alice";
  caller.principal_id = "AIDAALICE";
  caller.arn = "arn:aws:iam::123456789012:user/alice";
  if (id == kKeyId || id == kInactiveKeyId) {
    return KnownKey{std::string(kSecret), id == kKeyId, caller};
  }
  return std::nullopt;
}

Authentication check(const Request& request, ErrorStyle style,
                     std::string expected_service = "cloudtrail", Timestamp now = kNow,
                     std::string payload_hash = crypto::sha256_hex(kBody)) {
  const KeyLookup keys = lookup;
  return check_signature(request.view(),
                         {std::move(payload_hash), style, std::move(expected_service)},
                         {keys, kDecoy, now});
}

Authentication check_presigned(const Request& request, ErrorStyle style = ErrorStyle::S3,
                               Timestamp now = kNow) {
  return check(request, style, style == ErrorStyle::S3 ? "s3" : "sts", now,
               std::string(sigv4::kUnsignedPayload));
}

/// Whom a refused request may be said to come from.
enum class Named : std::uint8_t { Nobody, Claimed };

void expect_refused(const Authentication& out, std::string_view code, std::string_view message,
                    Named named) {
  EXPECT_EQ(out.error_code, code);
  EXPECT_EQ(out.error_message, message);
  EXPECT_TRUE(out.signing_key.empty());
  ASSERT_EQ(out.caller.has_value(), named == Named::Claimed);
  if (out.caller) {
    EXPECT_FALSE(out.caller->verified);
    EXPECT_EQ(out.caller->user_name, "alice");
    EXPECT_TRUE(out.caller->identity().arn.empty());
  }
}

TEST(Authenticate, AGoodSignatureIsVerifiedInEveryStyle) {
  for (const auto style : {ErrorStyle::Json, ErrorStyle::Query, ErrorStyle::S3}) {
    const std::string service = style == ErrorStyle::S3 ? "s3" : "cloudtrail";
    SignWith with;
    with.service = service;
    const auto out = check(signed_request(with), style, service);
    EXPECT_EQ(out.error_code, "");
    ASSERT_TRUE(out.caller.has_value());
    EXPECT_TRUE(out.caller->verified);
    EXPECT_EQ(out.caller->access_key_id, kKeyId);
    EXPECT_EQ(out.caller->identity().arn, "arn:aws:iam::123456789012:user/alice");
    ASSERT_TRUE(out.claim_parsed);
    EXPECT_EQ(out.claim.scope.region, "eu-central-1");
    EXPECT_EQ(out.signing_key, sigv4::signing_key(kSecret, out.claim.scope));
  }
}

TEST(Authenticate, AnyServiceWillDoWhenNoneIsExpected) {
  SignWith with;
  with.service = "ec2";
  EXPECT_EQ(check(signed_request(with), ErrorStyle::Json, "").error_code, "");
}

/// One way to break a request, and how each style tells it.
struct Break {
  std::string_view what;
  std::function<Request()> make;
  std::string_view json_code;
  std::string_view query_code;
  std::string_view message;
  std::string_view s3_code;
  std::string_view s3_message;
  Named named;
};

constexpr std::string_view kInvalid = "InvalidSignatureException";
constexpr std::string_view kNoMatch = "SignatureDoesNotMatch";
constexpr std::string_view kTokenInvalid = "The security token included in the request is invalid.";
constexpr std::string_view kS3NoMatch =
    "The request signature we calculated does not match the signature you provided. Check your key "
    "and signing method.";

Request edited(const std::function<void(Request&)>& edit, const SignWith& with) {
  Request request = signed_request(with);
  edit(request);
  return request;
}

std::vector<Break> mismatches(const SignWith& with) {
  const auto row = [&](std::string_view what, std::function<void(Request&)> edit) {
    return Break{what,
                 [edit = std::move(edit), with] { return edited(edit, with); },
                 kInvalid,
                 kNoMatch,
                 sigv4::kSignatureMismatch,
                 kNoMatch,
                 kS3NoMatch,
                 Named::Claimed};
  };
  SignWith wrong_secret = with;
  wrong_secret.secret = "another";
  SignWith decoy = with;
  decoy.secret = kDecoy;
  const auto resigned = [&](std::string_view what, SignWith other) {
    return Break{what,
                 [other = std::move(other)] { return signed_request(other); },
                 kInvalid,
                 kNoMatch,
                 sigv4::kSignatureMismatch,
                 kNoMatch,
                 kS3NoMatch,
                 Named::Claimed};
  };
  return {
      resigned("wrong secret", wrong_secret),
      resigned("decoy secret", decoy),
      row("method", [](Request& r) { r.method = "PUT"; }),
      row("path", [](Request& r) { r.path = "/other"; }),
      row("query", [](Request& r) { r.query = "a=1"; }),
      row("host", [](Request& r) { *r.header("host") = "evil"; }),
      row("target", [](Request& r) { *r.header("x-amz-target") += "s"; }),
      row("second target", [](Request& r) { r.headers.emplace_back("x-amz-target", "b"); }),
      row("region", [](Request& r) { r.replace_in("authorization", "eu-central-1", "eu-west-1"); }),
      row("time", [](Request& r) { r.replace_in("x-amz-date", "T084613Z", "T084614Z"); }),
      row("a signature that is no hex", [](Request& r) { *r.header("authorization") += "Z"; }),
      row("signed headers",
          [](Request& r) {
            r.headers.emplace_back("accept", "x");
            r.replace_in("authorization", "SignedHeaders=", "SignedHeaders=accept;");
          }),
  };
}

std::vector<Break> bad_keys(const SignWith& with) {
  SignWith unknown = with;
  unknown.key_id = kUnknownKeyId;
  SignWith unknown_with_decoy = unknown;
  unknown_with_decoy.secret = kDecoy;
  SignWith inactive = with;
  inactive.key_id = kInactiveKeyId;
  SignWith token = with;
  token.session_token = "FwoGZXIvYXdzE";
  const auto row = [&](std::string_view what, SignWith other, Named named) {
    return Break{what,
                 [other = std::move(other)] { return signed_request(other); },
                 "UnrecognizedClientException",
                 "InvalidClientTokenId",
                 kTokenInvalid,
                 "InvalidAccessKeyId",
                 "The AWS Access Key Id you provided does not exist in our records.",
                 named};
  };
  auto with_token = row("session token of a long-lived key", token, Named::Claimed);
  with_token.s3_code = "InvalidToken";
  with_token.s3_message = "The provided token is malformed or otherwise invalid.";
  return {row("unknown key", unknown, Named::Nobody),
          row("unknown key, signed with the decoy", unknown_with_decoy, Named::Nobody),
          row("inactive key", inactive, Named::Claimed), with_token};
}

std::vector<Break> bad_scopes(const SignWith& with) {
  constexpr std::string_view kMalformed = "AuthorizationHeaderMalformed";
  const auto row = [&](std::string_view what, std::string_view from, std::string_view to,
                       std::string_view message, std::string_view s3_message, Named named) {
    return Break{
        what,
        [=] { return edited([&](Request& r) { r.replace_in("authorization", from, to); }, with); },
        kInvalid,
        kNoMatch,
        message,
        kMalformed,
        s3_message,
        named};
  };
  return {
      row("date", "/20261124/", "/20261123/",
          "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
          "HTTP: '20261123' != '20261124', from '20261124T084613Z'.",
          "The authorization header is malformed; Date in Credential scope does not match YYYYMMDD "
          "from ISO-8601 version of date from HTTP: '20261123' != '20261124', from "
          "'20261124T084613Z'.",
          Named::Claimed),
      row("terminator", "/aws4_request", "/aws5_request",
          "Credential should be scoped with a valid terminator: 'aws4_request', not "
          "'aws5_request'.",
          "The authorization header is malformed; Credential should be scoped with a valid "
          "terminator: 'aws4_request', not 'aws5_request'.",
          Named::Nobody),
      row("region", "/eu-central-1/", "/EU/",
          "Credential should be scoped to a valid Region, not 'EU'.",
          "The authorization header is malformed; Credential should be scoped to a valid Region, "
          "not 'EU'.",
          Named::Nobody),
      row("service", with.service == "s3" ? "/s3/" : "/cloudtrail/", "/ec2/",
          "Credential should be scoped to correct service: 'cloudtrail'.",
          "The authorization header is malformed; incorrect service. This endpoint belongs to "
          "\"s3\".",
          Named::Claimed),
  };
}

std::vector<Break> missing_parts(const SignWith& with) {
  constexpr std::string_view kMalformed = "AuthorizationHeaderMalformed";
  const auto row = [&](std::string_view what, std::function<void(Request&)> edit,
                       std::string_view message, std::string_view s3_message, Named named) {
    return Break{what,
                 [edit = std::move(edit), with] { return edited(edit, with); },
                 "IncompleteSignatureException",
                 "IncompleteSignature",
                 message,
                 kMalformed,
                 s3_message,
                 named};
  };
  return {
      Break{"no signature", [with] { return Request{}; }, "MissingAuthenticationTokenException",
            "MissingAuthenticationToken", "Missing Authentication Token", "AccessDenied",
            "Access Denied", Named::Nobody},
      row(
          "no Signature", [](Request& r) { r.replace_in("authorization", "Signature=", "Other="); },
          "Authorization header requires 'Signature' parameter.",
          "The authorization header is malformed; Authorization header requires 'Signature' "
          "parameter.",
          Named::Claimed),
      row(
          "no SignedHeaders",
          [](Request& r) { r.replace_in("authorization", "SignedHeaders=", "Other="); },
          "Authorization header requires 'SignedHeaders' parameter.",
          "The authorization header is malformed; Authorization header requires 'SignedHeaders' "
          "parameter.",
          Named::Claimed),
      row(
          "no Credential",
          [](Request& r) { r.replace_in("authorization", "Credential=", "Other="); },
          "Authorization header requires 'Credential' parameter.",
          "The authorization header is malformed; Authorization header requires 'Credential' "
          "parameter.",
          Named::Nobody),
      row(
          "no date", [](Request& r) { r.drop("x-amz-date"); },
          "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
          "The authorization header is malformed; Authorization header requires existence of "
          "either a 'X-Amz-Date' or a 'Date' header.",
          Named::Claimed),
      Break{"a header that is not signed",
            [with] {
              return edited([](Request& r) { r.headers.emplace_back("X-Amz-Acl", "public-read"); },
                            with);
            },
            kInvalid, kNoMatch, "'x-amz-acl' must be a 'SignedHeader' in the AWS Authorization.",
            "AccessDenied", "There were headers present in the request which were not signed",
            Named::Claimed},
  };
}

void expect_each_refused(const std::function<std::vector<Break>(const SignWith&)>& rows) {
  SignWith with;
  for (const Break& row : rows(with)) {
    SCOPED_TRACE(row.what);
    expect_refused(check(row.make(), ErrorStyle::Json), row.json_code, row.message, row.named);
    expect_refused(check(row.make(), ErrorStyle::Query), row.query_code, row.message, row.named);
  }
  with.service = "s3";
  for (const Break& row : rows(with)) {
    SCOPED_TRACE(row.what);
    expect_refused(check(row.make(), ErrorStyle::S3, "s3"), row.s3_code, row.s3_message, row.named);
  }
}

TEST(Authenticate, WhatWasNotSignedIsAMismatch) { expect_each_refused(mismatches); }
TEST(Authenticate, AKeyThatIsNotKnownOrActiveIsRefused) { expect_each_refused(bad_keys); }
TEST(Authenticate, AWrongScopeIsNamed) { expect_each_refused(bad_scopes); }
TEST(Authenticate, AMissingPartIsNamed) { expect_each_refused(missing_parts); }

TEST(Authenticate, AnotherBodyIsAMismatch) {
  const auto out =
      check(signed_request(), ErrorStyle::Json, "cloudtrail", kNow, crypto::sha256_hex("another"));
  expect_refused(out, kInvalid, sigv4::kSignatureMismatch, Named::Claimed);
}

TEST(Authenticate, TheClockMayDifferByFiveMinutesAndByFifteenForS3) {
  const Request request = signed_request();
  SignWith with_s3;
  with_s3.service = "s3";
  const Request s3 = signed_request(with_s3);
  constexpr std::chrono::milliseconds kTick{1};

  for (const auto off : {minutes(5), minutes(-5)}) {
    EXPECT_EQ(check(request, ErrorStyle::Json, "cloudtrail", kNow + off).error_code, "");
  }
  for (const auto off : {minutes(15), minutes(-15)}) {
    EXPECT_EQ(check(s3, ErrorStyle::S3, "s3", kNow + off).error_code, "");
  }
  constexpr std::string_view kOld =
      "Signature expired: 20261124T084613Z is now earlier than 20261124T084613Z (20261124T085113Z "
      "- 5 min.)";
  const auto old = kNow + minutes(5) + kTick;
  expect_refused(check(request, ErrorStyle::Json, "cloudtrail", old), kInvalid, kOld,
                 Named::Claimed);
  expect_refused(check(request, ErrorStyle::Query, "cloudtrail", old), kNoMatch, kOld,
                 Named::Claimed);
  expect_refused(check(request, ErrorStyle::Json, "cloudtrail", kNow - minutes(6)), kInvalid,
                 "Signature not yet current: 20261124T084613Z is still later than "
                 "20261124T084513Z (20261124T084013Z + 5 min.)",
                 Named::Claimed);
  for (const auto now : {kNow + minutes(15) + kTick, kNow - minutes(15) - kTick}) {
    expect_refused(check(s3, ErrorStyle::S3, "s3", now), "RequestTimeTooSkewed",
                   "The difference between the request time and the current time is too large.",
                   Named::Claimed);
  }
}

// The order of spec api §1.3 where two things are wrong at once.
TEST(Authenticate, TheEarlierCheckNamesTheRefusal) {
  SignWith with;
  with.key_id = kUnknownKeyId;
  with.service = "ec2";
  with.at = kNow - minutes(60);
  EXPECT_EQ(check(signed_request(with), ErrorStyle::Json).error_message,
            "Credential should be scoped to correct service: 'cloudtrail'.");
  with.service = "cloudtrail";
  EXPECT_EQ(check(signed_request(with), ErrorStyle::Json).error_code,
            "UnrecognizedClientException");
  with.key_id = kKeyId;
  with.secret = "wrong";
  EXPECT_TRUE(check(signed_request(with), ErrorStyle::Json)
                  .error_message.starts_with("Signature expired: "));
  with.at = kNow;
  EXPECT_EQ(check(signed_request(with), ErrorStyle::Json).error_message, sigv4::kSignatureMismatch);
}

TEST(Authenticate, APresignedUrlHoldsUntilItExpires) {
  const Request request = presigned_request({});
  EXPECT_EQ(check_presigned(request).error_code, "");
  EXPECT_EQ(check_presigned(request, ErrorStyle::S3, kNow + seconds(900)).error_code, "");
  expect_refused(check_presigned(request, ErrorStyle::S3, kNow + seconds(901)), "AccessDenied",
                 "Request has expired", Named::Claimed);
  EXPECT_EQ(check_presigned(request, ErrorStyle::S3, kNow - minutes(15)).error_code, "");
  expect_refused(check_presigned(request, ErrorStyle::S3, kNow - minutes(16)), "AccessDenied",
                 "Request is not yet valid", Named::Claimed);

  Request longer = presigned_request({});
  longer.query.replace(longer.query.find("Expires=900"), 11, "Expires=901");
  expect_refused(check_presigned(longer), kNoMatch, kS3NoMatch, Named::Claimed);
}

TEST(Authenticate, APresignedUrlOfAnotherProtocolIsToldInItsWords) {
  const Request request = presigned_request({.service = "sts", .expires = 90});
  EXPECT_EQ(check_presigned(request, ErrorStyle::Query).error_code, "");
  expect_refused(check_presigned(request, ErrorStyle::Query, kNow + seconds(91)), kNoMatch,
                 "Signature expired: 20261124T084613Z is now earlier than 20261124T084614Z "
                 "(20261124T084744Z - 90 sec.)",
                 Named::Claimed);
}

TEST(Authenticate, AFaultOfThePresignedQueryIsNamedAsOne) {
  Request request = presigned_request({});
  request.query.replace(request.query.find("X-Amz-Expires=900"), 17, "X-Amz-Expires=0");
  expect_refused(check_presigned(request), "AuthorizationQueryParametersError",
                 "X-Amz-Expires must be positive", Named::Claimed);
  expect_refused(check_presigned(presigned_request({.service = "ec2"})),
                 "AuthorizationQueryParametersError",
                 "incorrect service. This endpoint belongs to \"s3\".", Named::Claimed);
}

TEST(Authenticate, NoRefusalShowsTheSecretOrTheSignatureThatWouldHold) {
  const Request good = signed_request();
  const std::string authorization = *Request(good).header("authorization");
  const std::string proof = authorization.substr(authorization.rfind('=') + 1);
  Request bad = good;
  bad.replace_in("authorization", proof, std::string(proof.size(), '0'));
  const auto out = check(bad, ErrorStyle::Json);
  EXPECT_EQ(out.error_message.find(proof), std::string::npos);
  EXPECT_EQ(out.error_message.find(kSecret), std::string::npos);
}

}  // namespace
}  // namespace opentrail::iam
