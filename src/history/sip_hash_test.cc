// Goal: SipHash is the published function.
#include "history/sip_hash.h"

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

}  // namespace
}  // namespace opentrail::history
