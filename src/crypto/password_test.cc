// Goal: only the right password verifies, and the stored form says how it was made. Method: hash,
// verify, then wrong passwords and broken stored forms.
#include "crypto/password.h"

#include <gtest/gtest.h>

namespace opentrail::crypto {
namespace {

TEST(Password, VerifiesOnlyTheRightOne) {
  io::SeededRandom random(7);
  const auto encoded = hash_password("correct horse", random);
  EXPECT_TRUE(encoded.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << encoded;
  EXPECT_TRUE(verify_password(encoded, "correct horse"));
  EXPECT_FALSE(verify_password(encoded, "correct horsf"));
  EXPECT_FALSE(verify_password(encoded, ""));
  EXPECT_NE(encoded, hash_password("correct horse", random));  // a salt of its own
}

TEST(Password, TakesAnyBytes) {
  io::SeededRandom random(8);
  const std::string odd("\0p\xffw", 4);
  EXPECT_TRUE(verify_password(hash_password(odd, random), odd));
}

TEST(Password, RefusesBrokenStoredForms) {
  io::SeededRandom random(9);
  const auto encoded = hash_password("p", random);
  for (const auto& broken : {std::string(), std::string("plain"), encoded.substr(0, 40),
                             encoded + std::string(300, 'A')}) {
    EXPECT_FALSE(verify_password(broken, "p")) << broken;
  }
}

}  // namespace
}  // namespace opentrail::crypto
