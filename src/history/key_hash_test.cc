// Goal: SipHash is the published function, and a term depends on attribute, value and key alike.
#include "history/key_hash.h"

#include <string>

#include <gtest/gtest.h>

namespace opentrail::history {
namespace {

// The vector of the SipHash paper, appendix A, and the first two of its reference code.
TEST(SipHash, GivesThePublishedValues) {
  constexpr SipKey kKey{.k0 = 0x0706050403020100, .k1 = 0x0f0e0d0c0b0a0908};
  std::string input;
  EXPECT_EQ(sip_hash(kKey, input), 0x726fdb47dd0e0e31U);
  for (char byte = 0; byte < 15; ++byte) {
    input += byte;
    if (byte == 0) {
      EXPECT_EQ(sip_hash(kKey, input), 0x74f839c593dc67fdU);
    }
  }
  EXPECT_EQ(sip_hash(kKey, input), 0xa129ca6149be45e5U);
}

TEST(KeyHash, TellsApartAttributesAndValuesAndKeys) {
  io::SeededRandom random(1);
  const KeyHash hash(random);
  const KeyHash other(random);
  EXPECT_EQ(hash.term(LookupKey::Username, "alice"), hash.term(LookupKey::Username, "alice"));
  EXPECT_NE(hash.term(LookupKey::Username, "alice"), hash.term(LookupKey::Username, "Alice"));
  EXPECT_NE(hash.term(LookupKey::Username, "alice"), hash.term(LookupKey::ResourceName, "alice"));
  EXPECT_NE(hash.term(LookupKey::Username, "alice"), other.term(LookupKey::Username, "alice"));
  EXPECT_EQ(hash.id("a"), hash.id("a"));
  EXPECT_NE(hash.id("a"), hash.id("b"));
  EXPECT_NE(hash.id("a"), other.id("a"));
}

}  // namespace
}  // namespace opentrail::history
