// Goal: a token says what was put into it, to its own query only; anything else is refused by name.
#include "history/lookup_token.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace opentrail::history {
namespace {

using std::chrono::seconds;

LookupQuery example() {
  LookupQuery query;
  query.account_id = "111122223333";
  query.region = "us-east-1";
  query.filter = LookupFilter{.key = LookupKey::Username, .value = "alice"};
  query.start_time = Timestamp(seconds(100));
  query.end_time = Timestamp(seconds(200));
  return query;
}

constexpr LookupToken kToken{
    .end = journal::Offset{1'000'000},
    .last = {.time = Timestamp(seconds(1'795'510'000)), .offset = journal::Offset{999'999}}};

void expect_refused(std::string_view text, const LookupQuery& query) {
  const auto token = decode(text, digest_of(query));
  ASSERT_FALSE(token.has_value());
  EXPECT_EQ(token.error().code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(token.error().reason(), "InvalidNextToken");
}

TEST(LookupToken, ComesBackAsItWas) {
  const QueryDigest query = digest_of(example());
  for (const std::int64_t time : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 62}) {
    LookupToken token = kToken;
    token.last.time = Timestamp(std::chrono::milliseconds(time));
    const std::string text = encode(token, query);
    EXPECT_EQ(text.size(), kLookupTokenCharacters);
    EXPECT_EQ(text.find_first_of("+/="), text.npos);
    EXPECT_EQ(decode(text, query).value(), token);
  }
}

// Tokens outlive a restart, so their form is a promise. Made by this code, version 1.
TEST(LookupToken, KeepsItsForm) {
  EXPECT_EQ(encode(kToken, digest_of(example())),
            "Ae6XgTk-45MATHMZNZl_4q5AQg8AAAAAAIBZvAyiAQAAP0IPAAAAAADFBrda");
}

TEST(LookupToken, BelongsToOneQuery) {
  const std::string text = encode(kToken, digest_of(example()));
  std::vector<LookupQuery> others(9, example());
  others[0].account_id = "111122223334";
  others[1].region = "us-east-2";
  others[2].filter.reset();
  others[3].filter->key = LookupKey::ResourceName;
  others[4].filter->value = "alice2";
  others[5].start_time.reset();
  others[6].end_time = Timestamp(seconds(201));
  others[7].end_time.reset();
  // The same letters, divided differently.
  others[8].account_id = "111122223333u";
  others[8].region = "s-east-1";
  for (const LookupQuery& other : others) {
    expect_refused(text, other);
  }
  LookupQuery smaller_page = example();
  smaller_page.results_max = 3;
  EXPECT_TRUE(decode(text, digest_of(smaller_page)).has_value());
}

TEST(LookupToken, RefusesEveryOtherText) {
  const LookupQuery query = example();
  const std::string text = encode(kToken, digest_of(query));
  for (std::size_t i = 0; i < text.size(); ++i) {
    SCOPED_TRACE(i);
    std::string other = text;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    expect_refused(other, query);
    expect_refused(text.substr(0, i), query);
  }
  for (const std::string& other :
       {text + "A", text + "=", " " + text, std::string(kLookupTokenCharacters, '='),
        std::string(kLookupTokenCharacters, '\0'), std::string(1 << 20, 'A')}) {
    expect_refused(other, query);
  }
}

TEST(LookupToken, RefusesAPlaceThatCannotBe) {
  LookupToken token = kToken;
  token.last.offset = token.end;
  expect_refused(encode(token, digest_of(example())), example());
}

}  // namespace
}  // namespace opentrail::history
