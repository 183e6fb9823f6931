// Goal: the digests that AWS compares are the ones of the standards. Method: the test vectors of
// FIPS 180, RFC 1321 and RFC 4231, whole and in pieces.
#include "crypto/hash.h"

#include <gtest/gtest.h>

namespace opentrail::crypto {
namespace {

TEST(Hash, MatchesTheStandardsVectors) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha1(as_bytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(to_hex(md5(as_bytes("message digest"))), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST(Hash, StreamsToTheSameDigest) {
  const std::string text = "The quick brown fox jumps over the lazy dog";
  for (const auto& [kind, expected] : {
           std::pair{HashKind::Sha256, to_hex(sha256(as_bytes(text)))},
           std::pair{HashKind::Sha1, to_hex(sha1(as_bytes(text)))},
           std::pair{HashKind::Md5, to_hex(md5(as_bytes(text)))},
       }) {
    Hasher hasher(kind);
    for (std::size_t i = 0; i < text.size(); i += 7) {
      hasher.update(as_bytes(std::string_view(text).substr(i, 7)));
    }
    Hasher moved = std::move(hasher);
    EXPECT_EQ(to_hex(as_bytes(moved.finish())), expected);
  }
}

TEST(Hash, HmacMatchesRfc4231AndTakesAnEmptyKey) {
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  const std::string long_key(131, '\xaa');
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes(long_key),
                               as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hash, ConstantTimeEqualIsEquality) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("abc", "abc"));
  EXPECT_FALSE(constant_time_equal("abc", "abd"));
  EXPECT_FALSE(constant_time_equal("abc", "ab"));
}

}  // namespace
}  // namespace opentrail::crypto
