// Goal: our signature is the one AWS's clients make, at every stage. Method: requests with the
// canonical request, string to sign and signature that botocore made of them
// (testdata/make_sigv4_cases.py), and the streaming examples of the S3 API Reference.
#include "crypto/sigv4.h"

#include "base/json.h"
#include "crypto/hash.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace opentrail::crypto::sigv4 {
namespace {

constexpr std::string_view kS3Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// One case of the data file; the members that a SignedRequest views live here.
struct Case {
  std::string name, method, path, query, payload_hash, secret;
  std::vector<std::pair<std::string, std::string>> headers;
  bool s3 = false;
  std::string canonical_request, string_to_sign, signature;

  [[nodiscard]] SignedRequest request() const {
    SignedRequest request{method, path, query, {}};
    for (const auto& [field, value] : headers) {
      request.headers.emplace_back(field, value);
    }
    return request;
  }
};

Case read_case(const json::object& object) {
  Case one;
  one.name = string_member(object, "name");
  one.method = string_member(object, "method");
  one.path = string_member(object, "path");
  one.query = string_member(object, "query");
  one.payload_hash = string_member(object, "payload_hash");
  one.secret = string_member(object, "secret");
  one.s3 = bool_member(object, "s3", false);
  one.canonical_request = string_member(object, "canonical_request");
  one.string_to_sign = string_member(object, "string_to_sign");
  one.signature = string_member(object, "signature");
  for (const auto& field : object.at("headers").as_array()) {
    one.headers.emplace_back(std::string(field.as_array().at(0).as_string()),
                             std::string(field.as_array().at(1).as_string()));
  }
  return one;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = [] {
    const std::ifstream file("src/crypto/testdata/sigv4_cases.json");
    std::stringstream text;
    text << file.rdbuf();
    std::vector<Case> all;
    const auto document = parse_json(text.str()).value();
    for (const auto& item : document.as_array()) {
      all.push_back(read_case(item.as_object()));
    }
    return all;
  }();
  return kCases;
}

const Case& case_of(std::string_view name) {
  for (const auto& one : cases()) {
    if (one.name == name) {
      return one;
    }
  }
  ADD_FAILURE() << "no case " << name;
  return cases().front();
}

std::string sign_again(const Case& one, const SignedRequest& request) {
  const auto claim = parse_claim(request).value();
  return signature(
      signing_key(one.secret, claim.scope),
      string_to_sign(claim, canonical_request(request, claim, one.payload_hash, !one.s3)));
}

TEST(SigV4, EveryStageIsTheOneOfBotocore) {
  ASSERT_GE(cases().size(), 30U);
  for (const auto& one : cases()) {
    SCOPED_TRACE(one.name);
    const auto request = one.request();
    const auto claim = parse_claim(request);
    ASSERT_TRUE(claim.has_value()) << claim.error().message();
    EXPECT_EQ(claim->signature, one.signature);
    const auto canonical = canonical_request(request, *claim, one.payload_hash, !one.s3);
    EXPECT_EQ(canonical, one.canonical_request);
    const auto text = string_to_sign(*claim, canonical);
    EXPECT_EQ(text, one.string_to_sign);
    EXPECT_EQ(signature(signing_key(one.secret, claim->scope), text), one.signature);
  }
}

// Signatures that AWS published (S3 API Reference; Signature Version 4 test suite): the data file
// cannot have drifted from AWS together with botocore.
TEST(SigV4, TheCasesAreTheOnesAwsPublished) {
  constexpr std::pair<std::string_view, std::string_view> kPublished[] = {
      {"get-vanilla", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-header-key-duplicate",
       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {"s3-get-object", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"s3-put-object", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"s3-get-lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"s3-list-objects", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
      {"s3-presigned", "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"},
      {"s3-streaming-seed", "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"},
  };
  for (const auto& [name, expected] : kPublished) {
    EXPECT_EQ(case_of(name).signature, expected) << name;
  }
}

TEST(SigV4, SpellingOnTheWireDoesNotMatterWhereAwsSaysSo) {
  const auto edited = [](std::string_view name, auto edit) {
    Case one = case_of(name);
    edit(one);
    return sign_again(one, one.request());
  };
  EXPECT_EQ(edited("get-header-value-folded",
                   [](Case& c) { c.headers[1].second = "value1\r\n  value2\r\n\t   value3 "; }),
            case_of("get-header-value-folded").signature);
  EXPECT_EQ(edited("s3-path-not-normalised", [](Case& c) { c.path = "/a//b/../c%20d/./e%2bf"; }),
            case_of("s3-path-not-normalised").signature);
  EXPECT_EQ(edited("s3-put-object", [](Case& c) { c.path = "/test$file.text"; }),
            case_of("s3-put-object").signature);
  EXPECT_EQ(edited("s3-list-objects", [](Case& c) { c.query = "prefix=%4A&max-keys=2"; }),
            case_of("s3-list-objects").signature);
  EXPECT_EQ(edited("s3-get-lifecycle", [](Case& c) { c.query = "lifecycle"; }),
            case_of("s3-get-lifecycle").signature);
  EXPECT_EQ(edited("get-vanilla", [](Case& c) { c.headers[0].first = "HOST"; }),
            case_of("get-vanilla").signature);
}

TEST(SigV4, EveryChangeOfASignedPartChangesTheSignature) {
  const Case& original = case_of("cloudtrail-json");
  const auto edits = std::vector<std::function<void(Case&)>>{
      [](Case& c) { c.method = "PUT"; },
      [](Case& c) { c.path = "/x"; },
      [](Case& c) { c.query = "a=b"; },
      [](Case& c) { c.headers[0].second = "127.0.0.1:4748"; },
      [](Case& c) { c.headers[2].second += "x"; },
      [](Case& c) { c.headers.emplace_back("Host", "other"); },
      [](Case& c) { c.payload_hash = std::string(kEmptySha256); },
      [](Case& c) { c.secret += "x"; },
  };
  for (std::size_t i = 0; i < edits.size(); ++i) {
    Case one = original;
    edits[i](one);
    EXPECT_NE(sign_again(one, one.request()), original.signature) << i;
  }
}

// S3 API Reference, "Signature calculations: transferring a payload in multiple chunks".
TEST(SigV4, ChunksOfTheDocumentedStream) {
  const auto claim = parse_claim(case_of("s3-streaming-seed").request()).value();
  ChunkVerifier chunks(signing_key(kS3Secret, claim.scope), claim);
  EXPECT_EQ(chunks.next(sha256_hex(std::string(65536, 'a'))),
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
  EXPECT_EQ(chunks.next(sha256_hex(std::string(1024, 'a'))),
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
  EXPECT_EQ(chunks.next(kEmptySha256),
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
}

// S3 API Reference, "Signature calculations: including trailing headers".
TEST(SigV4, ChunksAndTrailerOfTheDocumentedStream) {
  const auto claim = parse_claim(case_of("s3-streaming-trailer-seed").request()).value();
  ASSERT_EQ(claim.signature, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
  ChunkVerifier chunks(signing_key(kS3Secret, claim.scope), claim);
  EXPECT_EQ(chunks.next(sha256_hex(std::string(65536, 'a'))),
            "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2");
  EXPECT_EQ(chunks.next(sha256_hex(std::string(1024, 'a'))),
            "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7");
  EXPECT_EQ(chunks.next(kEmptySha256),
            "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992");
  EXPECT_EQ(chunks.trailer("x-amz-checksum-crc32c:sOO8/Q==\n"),
            "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
}

TEST(SigV4, WhatWeSignWeVerify) {
  const auto now = parse_iso_basic("20260105T101112Z").value();
  for (const std::string_view service : {"s3", "cloudtrail"}) {
    SignedRequest request{"PUT", "/bucket/a%20b", "x=1", {}};
    request.headers = {{"Host", "127.0.0.1:4747"},
                       {"content-type", "text/plain"},
                       {"x-opentrail-part", " 1  2 "},
                       {"user-agent", "t"}};
    const auto added =
        sign(request, {"AKIDEXAMPLE", "secret", "token"}, "eu-west-1", service, now, "HASH");
    for (const auto& [name, value] : added) {
      request.headers.emplace_back(name, value);
    }
    const auto claim = parse_claim(request).value();
    EXPECT_EQ(claim.session_token, "token");
    EXPECT_EQ(claim.scope.region, "eu-west-1");
    EXPECT_EQ(claim.signed_at, now);
    EXPECT_EQ(claim.signed_headers,
              (std::vector<std::string>{"content-type", "host", "x-amz-content-sha256",
                                        "x-amz-date", "x-amz-security-token", "x-opentrail-part"}));
    const auto canonical = canonical_request(request, claim, "HASH", service != "s3");
    EXPECT_EQ(signature(signing_key("secret", claim.scope), string_to_sign(claim, canonical)),
              claim.signature);
  }
}

}  // namespace
}  // namespace opentrail::crypto::sigv4
