// Goal: text out of records cannot steer a terminal, and JSON keeps its meaning. Method: tables.
#include "cli/terminal_text.h"

#include "base/json.h"

#include <gtest/gtest.h>

namespace opentrail::cli {
namespace {

TEST(TerminalText, ALineHasNoControlCharacters) {
  EXPECT_EQ(one_line("a\x1b[2Jb\nc\x7f\xc2\x9b"
                     "d\xc2"),
            "a?[2Jb?c??d\xef\xbf\xbd");
  EXPECT_EQ(one_line("\xc2\xa0\xc3\xa9"), "\xc2\xa0\xc3\xa9");
}

TEST(TerminalText, JsonSaysTheSame) {
  const std::string_view json =
      "{\"a\":\"\xc2\x9b"
      "2J\x7f\xc3\xa9\",\n\t\"b\":\"\\u001b\"}";
  const std::string shown = terminal_json(json);
  EXPECT_EQ(shown, "{\"a\":\"\\u009b2J\\u007f\xc3\xa9\",\n\t\"b\":\"\\u001b\"}");
  EXPECT_EQ(parse_json(shown).value(), parse_json(json).value());
  EXPECT_EQ(terminal_json("{\"a\":1,\r   \"b\":2}\r\n"), "{\"a\":1,    \"b\":2} \n");
  EXPECT_EQ(terminal_json("no json \x1b[2J\xc2"), "no json ?[2J\xef\xbf\xbd");
}

}  // namespace
}  // namespace opentrail::cli
