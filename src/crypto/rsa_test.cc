// Goal: keys and signatures are those that `aws cloudtrail validate-logs` accepts. Method: shapes
// from spec records §4.4, a round trip of the stored form, and every kind of wrong signature.
#include "crypto/rsa.h"

#include "base/text.h"
#include "crypto/hash.h"

#include <gtest/gtest.h>

namespace opentrail::crypto {
namespace {

TEST(Rsa, HasTheShapesThatListPublicKeysShows) {
  const auto key = RsaKey::generate().value();
  const auto der = key.public_der();
  EXPECT_EQ(der.size(), 270U);
  // SEQUENCE { INTEGER of 257 bytes, INTEGER 65537 }: PKCS#1, not SubjectPublicKeyInfo.
  EXPECT_EQ(to_hex(as_bytes(der.substr(0, 9))), "3082010a0282010100");
  EXPECT_EQ(to_hex(as_bytes(der.substr(der.size() - 5))), "0203010001");
  EXPECT_EQ(key.fingerprint(), to_hex(md5(as_bytes(der))));
}

TEST(Rsa, SignsTheSameAfterAReload) {
  const auto key = RsaKey::generate().value();
  const auto again = RsaKey::from_private_der(key.private_der()).value();
  const auto signature = key.sign("digest").value();
  EXPECT_EQ(signature.size(), 256U);
  EXPECT_EQ(again.sign("digest").value(), signature);
  EXPECT_EQ(again.fingerprint(), key.fingerprint());
  EXPECT_TRUE(rsa_verify(again.public_der(), "digest", signature));
}

TEST(Rsa, RefusesWhatWasNotSigned) {
  const auto key = RsaKey::generate().value();
  const auto other = RsaKey::generate().value();
  const auto signature = key.sign("digest").value();
  std::string changed = signature;
  changed[100] = static_cast<char>(changed[100] ^ 1);
  EXPECT_FALSE(rsa_verify(key.public_der(), "digesu", signature));
  EXPECT_FALSE(rsa_verify(key.public_der(), "digest", changed));
  EXPECT_FALSE(rsa_verify(key.public_der(), "digest", ""));
  EXPECT_FALSE(rsa_verify(other.public_der(), "digest", signature));
  EXPECT_FALSE(rsa_verify("", "digest", signature));
  EXPECT_FALSE(rsa_verify(key.public_der() + "x", "digest", signature));
}

TEST(Rsa, RefusesBrokenPrivateKeys) {
  const auto der = RsaKey::generate().value().private_der();
  for (const auto& broken : {std::string(), std::string("junk"), der.substr(0, der.size() - 1),
                             der + "x", std::string(20000, '\x30')}) {
    const auto key = RsaKey::from_private_der(broken);
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().code(), ErrorCode::InvalidArgument);
  }
}

}  // namespace
}  // namespace opentrail::crypto
