// Goal: key order is kept, commas are right at every nesting, and any byte string stays valid JSON.
#include "base/json_writer.h"

#include "base/json.h"

#include <gtest/gtest.h>

namespace opentrail {
namespace {

TEST(JsonWriter, WritesInOrder) {
  JsonWriter w;
  w.begin_object().field("a", "x").optional_field("skipped", "").key("b").begin_array();
  w.number(1).boolean(true).null().begin_object().end_object().end_array().key("c").raw("{}");
  w.end_object();
  EXPECT_EQ(w.text(), R"({"a":"x","b":[1,true,null,{}],"c":{}})");
}

TEST(JsonWriter, AnyBytesParseBack) {
  std::string all;
  for (int c = 0; c < 256; ++c) {
    all += static_cast<char>(c);
  }
  std::string text;
  append_json_string(text, all);
  const auto parsed = parse_json(text);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->as_string().subview(0, 128), std::string_view(all).substr(0, 128));
}

}  // namespace
}  // namespace opentrail
