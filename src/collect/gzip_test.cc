// Goal: equal input makes equal gzip, and unpacking at once is bounded. unpack_test.cc has the
// rest.
#include "collect/gzip.h"

#include <gtest/gtest.h>

namespace opentrail::collect {
namespace {

TEST(Gzip, SameInputSameOutput) { EXPECT_EQ(gzip("abc"), gzip("abc")); }

TEST(Gzip, StopsAtTheBound) {
  const std::string bomb = gzip(std::string(10 << 20, ' '));
  ASSERT_LT(bomb.size(), 100'000U);
  const auto refused = gunzip(bomb, 1 << 20);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::ResourceExhausted);
  EXPECT_EQ(gunzip(bomb, 10 << 20).value().size(), std::size_t{10} << 20);
}

}  // namespace
}  // namespace opentrail::collect
