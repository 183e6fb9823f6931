// Goal: the digests are those that S3 and its clients compute, and those of parts join to that of
// the whole. Method: published vectors; the whole computed twice, in one piece and from parts.
#include "objects/checksums.h"

#include "base/text.h"

#include <gtest/gtest.h>

namespace opentrail::objects {
namespace {

const std::vector<std::string> kAll = {"crc32", "crc32c", "crc64nvme", "sha1", "sha256"};

Digester digest(std::string_view text, const std::vector<std::string>& algorithms = kAll) {
  Digester digester(algorithms);
  digester.update(text);
  digester.finish();
  return digester;
}

std::string base64_of_hex(std::string_view hex) {
  return to_base64(as_bytes(from_hex(hex).value()));
}

TEST(Checksums, KnownVectors) {
  // The check values of the CRC catalogue (https://reveng.sourceforge.io/crc-catalogue/), of
  // RFC 1321 and FIPS 180, over "123456789".
  const Digester digester = digest("123456789");
  EXPECT_EQ(digester.size(), 9U);
  EXPECT_EQ(to_hex(as_bytes(digester.md5())), "25f9e794323b453885f5181f1b624d0b");
  EXPECT_EQ(digester.checksums().at("crc32"), base64_of_hex("cbf43926"));
  EXPECT_EQ(digester.checksums().at("crc32c"), base64_of_hex("e3069283"));
  EXPECT_EQ(digester.checksums().at("crc64nvme"), base64_of_hex("ae8b14860a799888"));
  EXPECT_EQ(digester.checksums().at("sha1"),
            base64_of_hex("f7c3bc1d808e04732adf679965ccc34ca7ae3441"));
  EXPECT_EQ(digester.checksums().at("sha256"),
            base64_of_hex("15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"));
}

TEST(Checksums, PiecesGiveTheSameAsTheWhole) {
  const Digester whole = digest("The quick brown fox");
  Digester pieces(kAll);
  for (const std::string_view piece : {"The ", "", "quick", " brown fox"}) {
    pieces.update(piece);
  }
  pieces.finish();
  EXPECT_EQ(pieces.checksums(), whole.checksums());
  EXPECT_EQ(pieces.md5(), whole.md5());
  EXPECT_EQ(pieces.sha256(), whole.sha256());
}

TEST(Checksums, FullObjectOfCrcsIsThatOfAllTheBytes) {
  const std::vector<std::string> parts = {std::string(5000, 'a'), "x", "", std::string(777, 'b')};
  std::string all;
  for (const std::string& part : parts) {
    all += part;
  }
  for (const std::string algorithm : {"crc32", "crc32c", "crc64nvme"}) {
    std::vector<PartChecksum> values;
    for (const std::string& part : parts) {
      values.push_back({.base64 = digest(part).checksums().at(algorithm), .size = part.size()});
    }
    EXPECT_EQ(combine_checksums(algorithm, kFullObject, values),
              digest(all).checksums().at(algorithm))
        << algorithm;
  }
  EXPECT_FALSE(combine_checksums("sha256", kFullObject,
                                 {{.base64 = digest("a").checksums().at("sha256"), .size = 1}}));
}

TEST(Checksums, CompositeIsThatOfTheRawChecksums) {
  for (const std::string algorithm : {"crc32", "crc32c", "sha1", "sha256"}) {
    const std::string one = digest("one").checksums().at(algorithm);
    const std::string two = digest("two").checksums().at(algorithm);
    const std::string raw = from_base64(one).value() + from_base64(two).value();
    EXPECT_EQ(combine_checksums(algorithm, kComposite,
                                {{.base64 = one, .size = 3}, {.base64 = two, .size = 3}}),
              digest(raw).checksums().at(algorithm) + "-2")
        << algorithm;
  }
  EXPECT_FALSE(combine_checksums("crc64nvme", kComposite,
                                 {{.base64 = digest("a").checksums().at("crc64nvme"), .size = 1}}));
  EXPECT_FALSE(combine_checksums("crc32", kComposite, {{.base64 = "AAA=", .size = 1}}));
  EXPECT_FALSE(combine_checksums("crc32", kFullObject, {{.base64 = "!", .size = 1}}));
}

TEST(Checksums, MultipartEtag) {
  // md5(md5("a") md5("b")), by md5sum.
  const std::string a = "\"0cc175b9c0f1b6a831c399e269772661\"";
  const std::string b = "\"92eb5ffee6ae2fec3ad71c777531578f\"";
  EXPECT_EQ(multipart_etag({a, b}), "\"96e024ba2074fe77e8e965ba43a704be-2\"");
}

TEST(Checksums, WhatTheClientSaidIsChecked) {
  const Digester digester = digest("hello", {"crc32"});
  const auto reason = [&](const ExpectedBytes& expected) -> std::string {
    const auto checked = check_expected(digester, expected);
    return checked ? "" : checked.error().reason();
  };
  const std::string sha256 = to_hex(as_bytes(digester.sha256()));
  const std::string md5 = to_base64(as_bytes(digester.md5()));
  ExpectedBytes right{.md5_base64 = md5,
                      .sha256_hex = sha256,
                      .checksums = {{"crc32", digester.checksums().at("crc32")}},
                      .size = 5,
                      .if_none_match = false};
  EXPECT_EQ(reason({}), "");
  EXPECT_EQ(reason(right), "");
  const auto with = [&](auto edit) {
    ExpectedBytes edited = right;
    edit(edited);
    return reason(edited);
  };
  EXPECT_EQ(with([](auto& e) { e.size = 6; }), "IncompleteBody");
  EXPECT_EQ(with([](auto& e) { e.md5_base64 = "not base64"; }), "InvalidDigest");
  EXPECT_EQ(with([](auto& e) { e.md5_base64 = "AAAA"; }), "InvalidDigest");
  EXPECT_EQ(with([](auto& e) { e.md5_base64 = "AAAAAAAAAAAAAAAAAAAAAA=="; }), "BadDigest");
  EXPECT_EQ(with([](auto& e) { e.sha256_hex[0] = 'z'; }), "XAmzContentSHA256Mismatch");
  EXPECT_EQ(with([](auto& e) { e.checksums["crc32"] = "AAAAAA=="; }), "BadDigest");
  EXPECT_EQ(with([](auto& e) { e.checksums["crc32"] = "AAAA"; }), "InvalidRequest");
  EXPECT_EQ(with([](auto& e) { e.checksums = {{"crc99", "AAAAAA=="}}; }), "InvalidRequest");
  EXPECT_EQ(with([](auto& e) { e.checksums = {{"crc32c", "AAAAAA=="}}; }), "InvalidRequest");
}

TEST(Checksums, Names) {
  EXPECT_TRUE(is_checksum_algorithm("crc64nvme"));
  EXPECT_FALSE(is_checksum_algorithm("CRC32"));
  EXPECT_FALSE(is_checksum_algorithm("md5"));
  EXPECT_EQ(checksum_bytes("sha1"), 20U);
}

}  // namespace
}  // namespace opentrail::objects
