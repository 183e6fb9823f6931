// Goal: what was decoded last is found by any of its records, and memory is bounded. Method: blocks
// of known records, and room for a few of them.
#include "history/store/block_cache.h"

#include "history/history_fixture.h"

#include <cstdint>
#include <memory>

#include <gtest/gtest.h>

namespace opentrail::history {
namespace {

using journal::Offset;

std::shared_ptr<const ReadBlock> block_of(std::uint64_t first, std::uint64_t records) {
  journal::BlockBuilder builder;
  for (std::uint64_t i = 0; i < records; ++i) {
    builder.add(make({.id = std::to_string(first + i)}));
  }
  const journal::EncodedBlock encoded = builder.finish(nullptr);
  journal::RawBlock raw;
  raw.codec = encoded.codec;
  raw.plain_bytes = encoded.plain_bytes;
  raw.record_count = encoded.record_count;
  raw.payload = encoded.payload;
  auto block = std::make_shared<ReadBlock>();
  block->first = Offset{first};
  block->end = Offset{first + records};
  block->records = raw.decode().value();
  return block;
}

TEST(BlockCacheTest, FindsABlockByAnyOfItsRecords) {
  BlockCache cache(1 << 20);
  EXPECT_EQ(cache.find(Offset{0}), nullptr);
  const auto block = block_of(10, 5);
  cache.keep(block);
  cache.keep(block_of(20, 5));
  EXPECT_EQ(cache.find(Offset{9}), nullptr);
  EXPECT_EQ(cache.find(Offset{10}), block);
  EXPECT_EQ(cache.find(Offset{14}), block);
  EXPECT_EQ(cache.find(Offset{15}), nullptr);
  EXPECT_EQ(cache.find(Offset{25}), nullptr);
}

TEST(BlockCacheTest, KeepsNeighboursAndReplacesWhatIsFarAway) {
  constexpr std::size_t kPlaces = 16;
  BlockCache cache(kPlaces * (4 << 10));
  for (std::uint64_t first = 0; first < 64; first += 4) {
    cache.keep(block_of(first, 4));
  }
  for (std::uint64_t i = 0; i < 64; ++i) {
    EXPECT_NE(cache.find(Offset{i}), nullptr) << i;
  }
  cache.keep(block_of(64, 4));
  EXPECT_NE(cache.find(Offset{64}), nullptr);
  EXPECT_EQ(cache.find(Offset{0}), nullptr);
  EXPECT_NE(cache.find(Offset{4}), nullptr);
}

TEST(BlockCacheTest, TakesTheBlockThatWasReadLast) {
  BlockCache cache(1 << 20);
  cache.keep(block_of(0, 6));
  // What is merged is cut into other blocks.
  const auto other = block_of(3, 3);
  cache.keep(other);
  EXPECT_EQ(cache.find(Offset{5}), other);
  EXPECT_EQ(cache.find(Offset{6}), nullptr);
}

TEST(BlockCacheTest, DoesNotKeepWhatIsLarge) {
  BlockCache cache(1 << 20);
  cache.keep(block_of(0, 200));
  EXPECT_EQ(cache.find(Offset{0}), nullptr);
}

TEST(BlockCacheTest, HasOnePlaceAtLeast) {
  BlockCache cache(0);
  const auto block = block_of(0, 6);
  cache.keep(block);
  EXPECT_EQ(cache.find(Offset{5}), block);
}

}  // namespace
}  // namespace opentrail::history
