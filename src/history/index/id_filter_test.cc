// Goal: an id that was added is never held back, and almost all others are. Method: many hashes,
// also ones that share their first bits, written and read.
#include "history/index/id_filter.h"

#include "history/index/id_pages.h"

#include <random>

#include <gtest/gtest.h>

namespace opentrail::history {
namespace {

constexpr std::uint64_t kHashes = std::uint64_t{1} << kIdHashBits;

class IdFilterTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(IdFilterTest, LetsThroughWhatIsThereAndLittleElse) {
  const std::uint64_t ids = GetParam();
  std::mt19937_64 random(ids);
  std::vector<std::uint64_t> hashes;
  for (std::uint64_t i = 0; i < ids; ++i) {
    hashes.push_back(random() % kHashes);
  }
  IdFilter filter(ids);
  for (const std::uint64_t hash : hashes) {
    filter.add(hash);
  }
  std::string bytes;
  filter.encode(bytes);
  EXPECT_LE(bytes.size(), 64 + 4 + ids * 3 / 2);
  ByteReader in(bytes);
  const auto read = IdFilter::decode(in);
  ASSERT_TRUE(read);
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(*read, filter);
  for (const std::uint64_t hash : hashes) {
    ASSERT_TRUE(read->may_have(hash)) << hash;
  }
  constexpr int kTries = 100'000;
  int let_through = 0;
  for (int i = 0; i < kTries; ++i) {
    let_through += read->may_have(random() % kHashes) ? 1 : 0;
  }
  EXPECT_LT(let_through, kTries / 50);
}

INSTANTIATE_TEST_SUITE_P(Sizes, IdFilterTest, testing::Values(0, 1, 43, 5000, 200'000));

TEST(IdFilter, OfNothingLetsEverythingThrough) {
  EXPECT_TRUE(IdFilter().may_have(0));
  EXPECT_TRUE(IdFilter().may_have(kHashes - 1));
}

TEST(IdFilter, TakesTheLargestHash) {
  IdFilter filter(1000);
  filter.add(kHashes - 1);
  EXPECT_TRUE(filter.may_have(kHashes - 1));
  EXPECT_FALSE(filter.may_have(0));
}

TEST(IdFilter, RefusesWhatIsCutShort) {
  std::string bytes;
  IdFilter(1000).encode(bytes);
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, bytes.size() - 1}) {
    ByteReader in(std::string_view(bytes).substr(0, size));
    EXPECT_FALSE(IdFilter::decode(in)) << size;
  }
  std::string huge;
  put(huge, std::uint32_t{0xFFFF'FFFF});
  ByteReader in(huge);
  EXPECT_FALSE(IdFilter::decode(in));
}

}  // namespace
}  // namespace opentrail::history
