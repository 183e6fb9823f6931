// Goal: what was decoded last is found by any of its records, and the rest is let go of.
// Method: blocks of known records, and room for a few of them.
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

TEST(BlockCacheTest, LetsGoOfWhatWasNotAskedForTheLongest) {
  const std::size_t each = block_of(0, 5)->records.memory_bytes();
  BlockCache cache(2 * each + each / 2);
  cache.keep(block_of(0, 5));
  cache.keep(block_of(10, 5));
  EXPECT_NE(cache.find(Offset{0}), nullptr);
  cache.keep(block_of(20, 5));
  EXPECT_NE(cache.find(Offset{0}), nullptr);
  EXPECT_EQ(cache.find(Offset{10}), nullptr);
  EXPECT_NE(cache.find(Offset{20}), nullptr);
  EXPECT_LE(cache.bytes(), 2 * each + each / 2);
}

TEST(BlockCacheTest, KeepsTheSameBlockOnce) {
  BlockCache cache(1 << 20);
  const auto block = block_of(0, 5);
  cache.keep(block);
  cache.keep(block_of(0, 5));
  EXPECT_EQ(cache.find(Offset{0}), block);
  EXPECT_EQ(cache.bytes(), block->records.memory_bytes());
}

TEST(BlockCacheTest, KeepsTheLastOneHoweverLargeItIs) {
  BlockCache cache(1);
  cache.keep(block_of(0, 50));
  cache.keep(block_of(50, 50));
  EXPECT_EQ(cache.find(Offset{0}), nullptr);
  EXPECT_NE(cache.find(Offset{50}), nullptr);
}

}  // namespace
}  // namespace opentrail::history
