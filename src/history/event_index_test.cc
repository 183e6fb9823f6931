// Goal: the index lists what a plain sorted list would, whatever the order of arrival, filter,
// bounds and page size, and while records arrive and age out. Method: random operations against
// that list, with a printed seed; then the orders that could degrade the chunks.
#include "history/event_index.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace opentrail::history {
namespace {

using journal::Offset;
using std::chrono::milliseconds;

struct ModelEntry {
  EntryKey key;
  std::vector<Term> terms;
};

EntryKey key_at(std::int64_t time, std::uint64_t offset) {
  return {.time = Timestamp(milliseconds(time)), .offset = Offset{offset}};
}

ScanBounds everything() {
  return {.oldest = Timestamp::min(),
          .newest = Timestamp::max(),
          .first = Offset{0},
          .end = kNewestKey.offset,
          .term = std::nullopt};
}

std::vector<EntryKey> expected(const std::vector<ModelEntry>& model, const ScanBounds& bounds) {
  std::vector<EntryKey> keys;
  for (const auto& [key, terms] : model) {
    const bool has_term = !bounds.term || std::ranges::find(terms, *bounds.term) != terms.end();
    if (has_term && key.time >= bounds.oldest && key.time <= bounds.newest &&
        key.offset >= bounds.first && key.offset < bounds.end) {
      keys.push_back(key);
    }
  }
  std::ranges::sort(keys, std::greater());
  return keys;
}

/// All pages of `page_size`; `between` runs after each page.
template <typename Between>
std::vector<EntryKey> list_all(const EventList& list, const ScanBounds& bounds,
                               std::size_t page_size, Between between) {
  std::vector<EntryKey> keys;
  EntryKey before = kNewestKey;
  while (true) {
    const ScanResult step = list.scan(before, bounds, page_size);
    EXPECT_LE(step.found.size(), page_size);
    keys.insert(keys.end(), step.found.begin(), step.found.end());
    if (step.finished) {
      return keys;
    }
    EXPECT_LT(step.reached, before) << "no step forward";
    before = step.reached;
    between();
  }
}
std::vector<EntryKey> list_all(const EventList& list, const ScanBounds& bounds,
                               std::size_t page_size) {
  return list_all(list, bounds, page_size, [] {});
}

/// Random additions to a list and to its model.
class RandomList {
 public:
  explicit RandomList(unsigned seed) : random_(seed) {}

  std::int64_t number(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  void add() {
    // In order, nearly in order, or from anywhere in the past; many equal times.
    const std::int64_t kind = number(0, 9);
    now_ += number(0, 1);
    const std::int64_t time = kind < 6 ? now_ : now_ - number(0, kind < 9 ? 20 : now_);
    ModelEntry entry{.key = key_at(time, next_offset_++), .terms = {}};
    for (std::int64_t i = number(0, 4); i > 0; --i) {
      entry.terms.push_back(static_cast<Term>(number(0, kind < 9 ? 3 : 40)));
    }
    list.add(entry.key, entry.terms);
    model.push_back(std::move(entry));
  }
  ScanBounds bounds() {
    ScanBounds bounds = everything();
    if (number(0, 1) == 0) {
      bounds.oldest = Timestamp(milliseconds(number(0, now_)));
      bounds.newest = bounds.oldest + milliseconds(number(-2, now_ / 2));
    }
    if (number(0, 2) == 0) {
      bounds.first = Offset{static_cast<std::uint64_t>(number(0, end() / 4))};
    }
    bounds.end = Offset{static_cast<std::uint64_t>(end())};
    if (number(0, 3) != 0) {
      bounds.term = static_cast<Term>(number(0, 41));
    }
    return bounds;
  }
  void prune() {
    const Kept kept{.oldest = Timestamp(milliseconds(number(0, now_ / 4))),
                    .first = Offset{static_cast<std::uint64_t>(number(0, end() / 8))}};
    list.prune(kept);
    std::erase_if(model, [&](const ModelEntry& entry) {
      return entry.key.time < kept.oldest || entry.key.offset < kept.first;
    });
  }
  [[nodiscard]] std::int64_t end() const { return static_cast<std::int64_t>(next_offset_); }

  EventList list;
  std::vector<ModelEntry> model;

 private:
  std::mt19937 random_;
  std::int64_t now_ = 1000;
  std::uint64_t next_offset_ = 0;
};

TEST(EventList, ListsWhatAPlainListWould) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    RandomList random(seed);
    for (int round = 0; round < 12; ++round) {
      for (std::int64_t i = random.number(0, 900); i > 0; --i) {
        random.add();
      }
      if (random.number(0, 4) == 0) {
        random.prune();
      }
      ASSERT_EQ(random.list.size(), random.model.size());
      const ScanBounds bounds = random.bounds();
      const std::vector<EntryKey> wanted = expected(random.model, bounds);
      const auto page_size = static_cast<std::size_t>(random.number(1, 60));
      ASSERT_EQ(list_all(random.list, bounds, page_size), wanted);
      // Records that arrive between the pages are behind the bounds' end and change nothing.
      ASSERT_EQ(list_all(random.list, bounds, page_size, [&] { random.add(); }), wanted);
    }
  }
}

TEST(EventList, TellsTheLowestOffset) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    RandomList random(seed);
    EXPECT_FALSE(random.list.lowest_offset().has_value());
    for (int i = 0; i < 5000; ++i) {
      random.add();
    }
    random.prune();
    const auto lowest = std::ranges::min_element(
        random.model, {}, [](const ModelEntry& entry) { return entry.key.offset; });
    ASSERT_NE(lowest, random.model.end());
    EXPECT_EQ(random.list.lowest_offset(), lowest->key.offset);
  }
}

// A quarter of a million in each order: were an addition linear in the list, this would not end.
TEST(EventList, TakesEveryOrderOfArrival) {
  constexpr std::int64_t kCount = 250'000;
  const auto rising = [](std::int64_t i) { return i; };
  const auto falling = [](std::int64_t i) { return kCount - i; };
  const auto from_the_middle = [](std::int64_t i) { return i % 2 == 0 ? i : -i; };
  const auto scattered = [](std::int64_t i) { return i * 7919 % kCount; };
  for (const auto& time_of : std::initializer_list<std::int64_t (*)(std::int64_t)>{
           rising, falling, from_the_middle, scattered}) {
    EventList list;
    for (std::int64_t i = 0; i < kCount; ++i) {
      const Term term = i % 1000 == 0 ? 7 : 8;
      list.add(key_at(time_of(i), static_cast<std::uint64_t>(i)), {&term, 1});
    }
    ASSERT_EQ(list.size(), static_cast<std::size_t>(kCount));
    ScanBounds bounds = everything();
    bounds.term = 7;
    const auto keys = list_all(list, bounds, 50);
    EXPECT_EQ(keys.size(), static_cast<std::size_t>(kCount / 1000));
    EXPECT_TRUE(std::ranges::is_sorted(keys, std::greater()));
  }
}

TEST(EventList, ScansInBoundedSteps) {
  EventList list;
  constexpr std::size_t kCount = EventList::kEntriesPerChunk * (EventList::kChunksPerScan + 2);
  for (std::size_t i = 0; i < kCount; ++i) {
    list.add(key_at(static_cast<std::int64_t>(i), i), {});
  }
  ScanBounds bounds = everything();
  bounds.term = 1;
  const ScanResult step = list.scan(kNewestKey, bounds, 50);
  EXPECT_TRUE(step.found.empty());
  EXPECT_FALSE(step.finished);
  EXPECT_TRUE(list.scan(step.reached, bounds, 50).finished);
}

TEST(EventIndex, KeepsAccountsAndRegionsApart) {
  EventIndex index;
  index.add("2", "eu-west-1", key_at(10, 0), {});
  index.add("1", "us-east-1", key_at(20, 1), {});
  index.add("1", "eu-west-1", key_at(30, 2), {});
  index.add("", "us-east-1", key_at(40, 3), {});
  EXPECT_EQ(index.accounts(), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(index.size(), 4U);
  EXPECT_EQ(index.lowest_offset(), Offset{0});
  const ScanResult found = index.scan("1", "us-east-1", kNewestKey, everything(), 50);
  EXPECT_EQ(found.found, (std::vector<EntryKey>{key_at(20, 1)}));
  EXPECT_TRUE(found.finished);
  EXPECT_TRUE(index.scan("3", "us-east-1", kNewestKey, everything(), 50).finished);

  index.prune({.oldest = Timestamp(milliseconds(25)), .first = Offset{0}});
  EXPECT_EQ(index.accounts(), (std::vector<std::string>{"1"}));
  EXPECT_EQ(index.size(), 2U);
  EXPECT_EQ(index.lowest_offset(), Offset{2});
  index.prune({.oldest = Timestamp(milliseconds(25)), .first = Offset{9}});
  EXPECT_EQ(index.size(), 0U);
  EXPECT_FALSE(index.lowest_offset().has_value());
}

}  // namespace
}  // namespace opentrail::history
