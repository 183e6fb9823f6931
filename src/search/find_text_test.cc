// Goal: TextFinder finds what a plain loop finds, at every offset, length and alignment, and reads
// not a byte beyond the text (asan). Method: random texts over few letters, both kernels.
#include "search/find_text.h"

#include "base/text.h"

#include <memory>
#include <random>

#include <gtest/gtest.h>

namespace opentrail::search {
namespace {

using Case = TextFinder::Case;

TEST(TextFinder, FindsTheFirstPlace) {
  const std::string text = std::string(100, '.') + "needle" + std::string(50, '.') + "needle";
  EXPECT_EQ(TextFinder("needle").find(text), 100U);
  EXPECT_EQ(TextFinder("").find(text), 0U);
  EXPECT_EQ(TextFinder("").find(""), 0U);
  EXPECT_EQ(TextFinder("x").find(text), std::string_view::npos);
  EXPECT_EQ(TextFinder("n").find(text), 100U);
  EXPECT_EQ(TextFinder("NeeDle", Case::Ignore).find(text), 100U);
  EXPECT_EQ(TextFinder("NeeDle").find(text), std::string_view::npos);
}

TEST(TextFinder, IgnoresTheCaseOfLettersOnly) {
  const auto filler = std::string(40, '-');
  EXPECT_TRUE(TextFinder("aWs-ClI", Case::Ignore).is_in(filler + "AwS-cLi" + filler));
  EXPECT_FALSE(TextFinder("[x", Case::Ignore).is_in(filler + "{x" + filler));     // 0x5b, 0x7b
  EXPECT_FALSE(TextFinder("@x", Case::Ignore).is_in(filler + "`x" + filler));     // 0x40, 0x60
  EXPECT_FALSE(TextFinder("\xc3\x84", Case::Ignore).is_in(filler + "\xc3\xa4"));  // not ASCII
}

TEST(TextFinder, AgreesWithAPlainSearch) {
  constexpr unsigned kSeed = 4711;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  const auto below = [&random](std::size_t bound) { return random() % bound; };
  const auto text_of = [&](std::size_t length) {
    std::string text(length, ' ');
    for (char& c : text) {
      c = "abAB"[below(4)];
    }
    return text;
  };
  for (int round = 0; round < 20'000; ++round) {
    const std::string text = text_of(below(150));
    // A copy of exactly its size, so that a sanitizer sees a read beyond it.
    const auto copy = std::make_unique<char[]>(text.size());
    text.copy(copy.get(), text.size());
    const std::string_view haystack(copy.get(), text.size());
    const std::string needle = text_of(1 + below(8));
    const TextFinder exact(needle);
    ASSERT_EQ(exact.find(haystack), text.find(needle)) << text << ' ' << needle;
    ASSERT_EQ(exact.find_sse2(haystack), text.find(needle)) << text << ' ' << needle;
    const TextFinder ignoring(needle, Case::Ignore);
    const auto expected = to_lower(text).find(to_lower(needle));
    ASSERT_EQ(ignoring.find(haystack), expected) << text << ' ' << needle;
    ASSERT_EQ(ignoring.find_sse2(haystack), expected) << text << ' ' << needle;
  }
}

}  // namespace
}  // namespace opentrail::search
