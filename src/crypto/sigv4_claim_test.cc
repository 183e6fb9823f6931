// Goal: a claim is either whole, or refused with AWS's name and a text that says which part is
// wrong. Method: one good request of each form, and edits of one part at a time.
#include "base/text.h"
#include "crypto/sigv4.h"

#include <functional>

#include <gtest/gtest.h>

namespace opentrail::crypto::sigv4 {
namespace {

const std::string kSignature(64, 'a');
const std::string kCredential = "AKIDEXAMPLE/20150830/us-east-1/cloudtrail/aws4_request";

struct Parts {
  std::string authorization = "AWS4-HMAC-SHA256 Credential=" + kCredential +
                              ", SignedHeaders=host;x-amz-date, Signature=" + kSignature;
  std::string date = "20150830T123600Z";
  std::string date_name = "X-Amz-Date";
  std::string query;
  std::string token;

  [[nodiscard]] SignedRequest request() const {
    SignedRequest request{"POST", "/", query, {{"Host", "h"}}};
    if (!authorization.empty()) {
      request.headers.emplace_back("authorization", authorization);
    }
    if (!date.empty()) {
      request.headers.emplace_back(date_name, date);
    }
    if (!token.empty()) {
      request.headers.emplace_back("X-Amz-Security-Token", token);
    }
    return request;
  }
};

Parts presigned() {
  Parts parts;
  parts.authorization.clear();
  parts.date.clear();
  parts.query =
      "Action=X&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-"
      "1%2Fcloudtrail%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-"
      "SignedHeaders=host&X-Amz-Signature=" +
      kSignature;
  return parts;
}

void replace(std::string& text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
}

struct Refusal {
  std::string_view from, to;  ///< The edit.
  std::string_view reason, message;
};

void expect_refused(const Parts& parts, std::string_view reason, std::string_view message) {
  const auto claim = parse_claim(parts.request());
  ASSERT_FALSE(claim.has_value());
  EXPECT_EQ(claim.error().code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(claim.error().reason(), reason);
  EXPECT_EQ(claim.error().message(), message);
}

TEST(SigV4Claim, ReadsTheHeader) {
  Parts parts;
  parts.token = "tok";
  const auto claim = parse_claim(parts.request()).value();
  EXPECT_EQ(claim.access_key_id, "AKIDEXAMPLE");
  EXPECT_EQ(claim.scope.date, "20150830");
  EXPECT_EQ(claim.scope.region, "us-east-1");
  EXPECT_EQ(claim.scope.service, "cloudtrail");
  EXPECT_EQ(claim.signed_headers, (std::vector<std::string>{"host", "x-amz-date"}));
  EXPECT_EQ(claim.signature, kSignature);
  EXPECT_EQ(claim.amz_date, "20150830T123600Z");
  EXPECT_EQ(claim.session_token, "tok");
  EXPECT_FALSE(claim.presigned);
}

TEST(SigV4Claim, TakesTheSpacesAndCasesThatClientsSend) {
  for (const auto& [from, to] : {std::pair{", ", ","}, std::pair{" Credential", "   Credential"},
                                 std::pair{"host;x-amz-date", "Host;X-Amz-Date"}}) {
    Parts parts;
    replace(parts.authorization, from, to);
    EXPECT_TRUE(parse_claim(parts.request()).has_value()) << to;
  }
}

TEST(SigV4Claim, TakesADateHeaderInstead) {
  Parts parts;
  parts.date_name = "Date";
  parts.date = "Sun, 30 Aug 2015 12:36:00 GMT";
  EXPECT_EQ(parse_claim(parts.request()).value().amz_date, "20150830T123600Z");
}

TEST(SigV4Claim, NothingSignedIsNotFound) {
  Parts parts;
  parts.authorization.clear();
  parts.query = "X-Amz-Date=20150830T123600Z&Action=ListUsers";
  const auto claim = parse_claim(parts.request());
  ASSERT_FALSE(claim.has_value());
  EXPECT_EQ(claim.error().code(), ErrorCode::NotFound);
  EXPECT_EQ(claim.error().reason(), "MissingAuthenticationToken");
  EXPECT_EQ(claim.error().message(), "Missing Authentication Token");
}

TEST(SigV4Claim, NamesEachMissingPartOfTheHeader) {
  const std::string credential = "Authorization header requires 'Credential' parameter.";
  const std::string signature = "Authorization header requires 'Signature' parameter.";
  const std::string headers = "Authorization header requires 'SignedHeaders' parameter.";
  const std::string date =
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
  Parts parts;
  replace(parts.authorization, "Credential=", "Other=");
  expect_refused(parts, "IncompleteSignature", credential);
  parts = {};
  replace(parts.authorization, ", Signature=" + kSignature, "");
  expect_refused(parts, "IncompleteSignature", signature);
  parts = {};
  replace(parts.authorization, "host;x-amz-date", "");
  expect_refused(parts, "IncompleteSignature", headers);
  parts = {};
  parts.date.clear();
  expect_refused(parts, "IncompleteSignature", date);
  for (const auto* other : {"Bearer secret-of-another-scheme", "AWS4-HMAC-SHA256", "Basic eDp5"}) {
    parts = {};
    parts.authorization = other;
    parts.date.clear();
    expect_refused(parts, "IncompleteSignature",
                   credential + " " + signature + " " + headers + " " + date);
  }
}

TEST(SigV4Claim, RefusesBrokenPartsOfTheHeader) {
  const std::string_view mismatch = kSignatureMismatch;
  const Refusal refusals[] = {
      {"SignedHeaders=", "SignedHeaders", "IncompleteSignature",
       "Authorization header has a part that is not a valid key=value pair (missing equal-sign)."},
      {"SignedHeaders=host;x-amz-date", "Signature=x", "IncompleteSignature",
       "Authorization header has 'Signature' twice."},
      {"AKIDEXAMPLE/", "", "IncompleteSignature",
       "Credential must have exactly 5 slash-delimited elements, e.g. "
       "keyid/date/region/service/term, got '20150830/us-east-1/cloudtrail/aws4_request'"},
      {"AKIDEXAMPLE", "", "IncompleteSignature",
       "Credential must have exactly 5 slash-delimited elements, e.g. "
       "keyid/date/region/service/term, got '/20150830/us-east-1/cloudtrail/aws4_request'"},
      {"20150830", "2015083", "InvalidSignatureException",
       "Date in Credential scope must have the form YYYYMMDD, got '2015083'."},
      {"20150830", "20150831", "InvalidSignatureException",
       "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
       "'20150831' != '20150830', from '20150830T123600Z'."},
      {"us-east-1", "../etc", "IncompleteSignature",
       "Credential must have exactly 5 slash-delimited elements, e.g. "
       "keyid/date/region/service/term, got "
       "'AKIDEXAMPLE/20150830/../etc/cloudtrail/aws4_request'"},
      {"us-east-1", "..", "InvalidSignatureException",
       "Credential should be scoped to a valid Region, not '..'."},
      {"us-east-1", "", "InvalidSignatureException",
       "Credential should be scoped to a valid Region, not ''."},
      {"cloudtrail", "CloudTrail", "InvalidSignatureException",
       "Credential should be scoped to a valid service, not 'CloudTrail'."},
      {"aws4_request", "aws5_request", "InvalidSignatureException",
       "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."},
      {"host;x-amz-date", "x-amz-date", "InvalidSignatureException",
       "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
      {"host;x-amz-date", "host;HOST", "IncompleteSignature",
       "'SignedHeaders' names 'host' twice."},
      {"host;x-amz-date", "host;", "IncompleteSignature",
       "'SignedHeaders' holds a name that no header can have: ''."},
      {"Signature=a", "Signature=", "InvalidSignatureException", mismatch},
      {"Signature=a", "Signature=A", "InvalidSignatureException", mismatch},
      {"Signature=a", "Signature=g", "InvalidSignatureException", mismatch},
  };
  for (const auto& refusal : refusals) {
    SCOPED_TRACE(refusal.to);
    Parts parts;
    replace(parts.authorization, refusal.from, refusal.to);
    expect_refused(parts, refusal.reason, refusal.message);
  }
}

TEST(SigV4Claim, RefusesBrokenDates) {
  for (const auto* date : {"2015-08-30T12:36:00Z", "20150830T126000Z", "20150230T120000Z", "x"}) {
    Parts parts;
    parts.date = date;
    expect_refused(parts, "IncompleteSignature",
                   std::string("Date must be in ISO-8601 'basic format'. Got '") + date +
                       "'. See http://en.wikipedia.org/wiki/ISO_8601");
  }
}

TEST(SigV4Claim, HoldsItsBounds) {
  Parts parts;
  parts.authorization += ", Other=" + std::string(kAuthorizationBytesMax, 'x');
  expect_refused(parts, "IncompleteSignature", "Authorization header is longer than 8192 bytes.");
  parts = {};
  replace(parts.authorization, "AKIDEXAMPLE", std::string(kCredentialBytesMax, 'A'));
  expect_refused(parts, "IncompleteSignature", "Credential is longer than 1024 bytes.");
  parts = {};
  std::string many = "host";
  for (std::size_t i = 1; i < kSignedHeadersMax; ++i) {
    many += ";h" + std::to_string(i);
  }
  replace(parts.authorization, "host;x-amz-date", many);
  EXPECT_TRUE(parse_claim(parts.request()).has_value());
  replace(parts.authorization, many, many + ";one-more");
  expect_refused(parts, "IncompleteSignature", "At most 64 headers can be signed, got 65.");
  parts = {};
  parts.token.assign(kSessionTokenBytesMax + 1, 't');
  expect_refused(parts, "IncompleteSignature", "The session token is longer than 8192 bytes.");
}

TEST(SigV4Claim, ReadsAPresignedQuery) {
  auto parts = presigned();
  parts.query += "&X-Amz-Security-Token=a%2Bb%3D";
  const auto claim = parse_claim(parts.request()).value();
  EXPECT_TRUE(claim.presigned);
  EXPECT_EQ(claim.expires, std::chrono::seconds(60));
  EXPECT_EQ(claim.access_key_id, "AKIDEXAMPLE");
  EXPECT_EQ(claim.session_token, "a+b=");
}

TEST(SigV4Claim, NamesEachMissingPartOfTheQuery) {
  for (const std::string name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature",
                                 "X-Amz-SignedHeaders", "X-Amz-Date", "X-Amz-Expires"}) {
    auto parts = presigned();
    replace(parts.query, name + "=", "Other=");
    expect_refused(parts, "IncompleteSignature",
                   "AWS query-string parameters must include '" + name +
                       "'. Re-examine the query-string parameters.");
  }
}

TEST(SigV4Claim, RefusesBrokenPartsOfTheQuery) {
  const Refusal refusals[] = {
      {"Expires=60", "Expires=soon", "IncompleteSignature", "X-Amz-Expires should be a number"},
      {"Expires=60", "Expires=0", "IncompleteSignature", "X-Amz-Expires must be positive"},
      {"Expires=60", "Expires=-1", "IncompleteSignature", "X-Amz-Expires must be positive"},
      {"Expires=60", "Expires=604801", "IncompleteSignature",
       "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must "
       "be less than 604800 seconds"},
      {"Expires=60", "Expires=99999999999999999999", "IncompleteSignature",
       "X-Amz-Expires should be a number"},
      {"HMAC-SHA256", "HMAC-SHA1", "IncompleteSignature",
       "Unsupported X-Amz-Algorithm 'AWS4-HMAC-SHA1': use 'AWS4-HMAC-SHA256'."},
      {"Action=X", "X-Amz-Date=20150830T123600Z", "IncompleteSignature",
       "AWS query-string parameters must include 'X-Amz-Date' once. Re-examine the query-string "
       "parameters."},
  };
  for (const auto& refusal : refusals) {
    SCOPED_TRACE(refusal.to);
    auto parts = presigned();
    replace(parts.query, refusal.from, refusal.to);
    expect_refused(parts, refusal.reason, refusal.message);
  }
  auto week = presigned();
  replace(week.query, "Expires=60", "Expires=604800");
  EXPECT_TRUE(parse_claim(week.request()).has_value());
}

TEST(SigV4Claim, RefusesTwoWaysAtOnce) {
  auto parts = presigned();
  parts.authorization = Parts().authorization;
  parts.date = Parts().date;
  const auto claim = parse_claim(parts.request());
  ASSERT_FALSE(claim.has_value());
  EXPECT_TRUE(claim.error().message().starts_with("Only one auth mechanism allowed"));
}

TEST(SigV4Claim, NamesWhoClaimsEvenWhenAnotherPartIsBroken) {
  Parts parts;
  parts.date.clear();
  replace(parts.authorization, "Signature=", "Sig=");
  auto credential = claimed_credential(parts.request());
  ASSERT_TRUE(credential.has_value());
  EXPECT_EQ(credential->access_key_id, "AKIDEXAMPLE");
  EXPECT_EQ(credential->scope.region, "us-east-1");
  auto query = presigned();
  replace(query.query, "X-Amz-Expires=60", "");
  EXPECT_TRUE(claimed_credential(query.request()).has_value());
  parts.authorization = "Bearer x";
  EXPECT_FALSE(claimed_credential(parts.request()).has_value());
}

}  // namespace
}  // namespace opentrail::crypto::sigv4
