// Goal: a batch keeps the bytes of its records and can say for each line of its body which record
// of which file that was. Method: records with and without line breaks, asked line by line.
#include "collect/batch.h"

#include "base/json.h"

#include <gtest/gtest.h>

namespace opentrail::collect {
namespace {

TEST(Batch, FramesTheBytesUnchanged) {
  Batch batch;
  batch.add(R"({"a": 1})", "id", "a.json", 1);
  batch.add("{\n  \"b\": 2\n}", "id", "b.json", 5);
  EXPECT_EQ(batch.close(), "{\"Records\":[\n{\"a\": 1},\n{\n  \"b\": 2\n}\n]}");
  EXPECT_TRUE(parse_json(batch.close()).has_value());
  EXPECT_EQ(Batch().close(), "{\"Records\":[\n]}");
}

TEST(Batch, MapsLinesOfTheBodyBackToFiles) {
  Batch batch;
  batch.add("{}", "id", "a.json", 1);
  batch.add("{\n  \"b\": 2\n}", "id", "a.json", 7);
  batch.add("{}", "id", "b.json", 3);
  struct Case {
    std::uint64_t body_line;
    std::string_view file;
    std::uint64_t line;
  };
  for (const Case& c :
       {Case{2, "a.json", 1}, Case{3, "a.json", 7}, Case{5, "a.json", 9}, Case{6, "b.json", 3}}) {
    const SourcePlace place = batch.place_of(c.body_line);
    EXPECT_EQ(place.file, c.file) << c.body_line;
    EXPECT_EQ(place.line, c.line) << c.body_line;
  }
  EXPECT_EQ(batch.place_of(1).file, "a.json");
  EXPECT_EQ(Batch().place_of(3).file, "");
}

TEST(Batch, IsBoundedInRecordsAndBytesButTakesOneOfAnySize) {
  Batch few(Batch::Limits{.bytes_max = 1 << 20, .records_max = 2});
  few.add("{}", "id", "a", 1);
  EXPECT_TRUE(few.has_room(2));
  few.add("{}", "id", "a", 2);
  EXPECT_FALSE(few.has_room(2));
  EXPECT_EQ(few.records(), 2U);

  Batch small(Batch::Limits{.bytes_max = 64, .records_max = 100});
  EXPECT_TRUE(small.has_room(1000));
  small.add("{\"k\":\"0123456789\"}", "id", "a", 1);
  EXPECT_FALSE(small.has_room(40));
  while (small.has_room(2)) {
    small.add("{}", "id", "a", 2);
  }
  EXPECT_LE(small.close().size(), 64U);
}

TEST(Batch, KnowsItsIds) {
  Batch one;
  Batch other;
  EXPECT_FALSE(one.may_share_ids(other));
  one.add("{}", "a", "f", 1);
  one.add("{}", "b", "f", 1);
  other.add("{}", "c", "f", 1);
  EXPECT_FALSE(one.may_share_ids(other));
  other.add("{}", "b", "f", 1);
  EXPECT_TRUE(one.may_share_ids(other));
  EXPECT_TRUE(other.may_share_ids(one));
}

}  // namespace
}  // namespace opentrail::collect
