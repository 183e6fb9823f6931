// Goal: the first record of an id holds it as long as it is kept, and not a moment longer.
#include "history/id_table.h"

#include <gtest/gtest.h>

namespace opentrail::history {
namespace {

using journal::Offset;
using std::chrono::seconds;

constexpr Timestamp kNow{seconds(1'700'000'000)};
constexpr Kept kAll{.oldest = Timestamp(seconds(0)), .first = Offset{0}};

TEST(IdTable, KeepsTheFirstOfAnId) {
  IdTable ids;
  EXPECT_FALSE(ids.find({.high = 1, .low = 2}, kAll).has_value());
  EXPECT_TRUE(ids.add({.high = 1, .low = 2}, Offset{5}, kNow, kAll));
  EXPECT_FALSE(ids.add({.high = 1, .low = 2}, Offset{6}, kNow + seconds(9), kAll));
  EXPECT_TRUE(ids.add({.high = 1, .low = 3}, Offset{7}, kNow, kAll));
  EXPECT_TRUE(ids.add({.high = 2, .low = 2}, Offset{8}, kNow, kAll));
  EXPECT_EQ(ids.find({.high = 1, .low = 2}, kAll), Offset{5});
  EXPECT_EQ(ids.find({.high = 1, .low = 3}, kAll), Offset{7});
  EXPECT_EQ(ids.find({.high = 2, .low = 2}, kAll), Offset{8});
  EXPECT_EQ(ids.size(), 3U);
}

TEST(IdTable, GivesAnIdFreeWhenItsRecordIsNotKept) {
  const Kept by_time{.oldest = kNow + seconds(1), .first = Offset{0}};
  const Kept by_offset{.oldest = Timestamp(seconds(0)), .first = Offset{6}};
  for (const Kept& kept : {by_time, by_offset}) {
    IdTable ids;
    ASSERT_TRUE(ids.add({.high = 1, .low = 2}, Offset{5}, kNow, kAll));
    EXPECT_FALSE(ids.find({.high = 1, .low = 2}, kept).has_value());
    EXPECT_TRUE(ids.add({.high = 1, .low = 2}, Offset{9}, kNow + seconds(5), kept));
    EXPECT_EQ(ids.find({.high = 1, .low = 2}, kept), Offset{9});
  }
}

TEST(IdTable, ForgetsOneShardAfterTheOther) {
  constexpr std::uint32_t kIds = 1000;
  IdTable ids;
  for (std::uint32_t i = 0; i < kIds; ++i) {
    ASSERT_TRUE(ids.add({.high = i, .low = i}, Offset{i}, kNow + seconds(i), kAll));
  }
  const Kept kept{.oldest = kNow + seconds(kIds / 2), .first = Offset{0}};
  for (std::size_t i = 0; i < IdTable::kShards; ++i) {
    ids.clean_next_shard(kept);
  }
  EXPECT_EQ(ids.size(), kIds / 2);
  EXPECT_TRUE(ids.find({.high = kIds - 1, .low = kIds - 1}, kept).has_value());
}

TEST(IdTable, TakesTimesThatFitNoClock) {
  IdTable ids;
  EXPECT_TRUE(ids.add({.high = 1, .low = 1}, Offset{0}, Timestamp::max(), kAll));
  EXPECT_TRUE(ids.add({.high = 2, .low = 2}, Offset{1}, Timestamp(seconds(-5)), kAll));
  EXPECT_TRUE(ids.find({.high = 1, .low = 1}, kAll).has_value());
  EXPECT_TRUE(ids.find({.high = 2, .low = 2}, kAll).has_value());
}

}  // namespace
}  // namespace opentrail::history
