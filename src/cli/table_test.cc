// Goal: a table fits the terminal, lines up, and cannot be made to steer it.
#include "cli/table.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

Table two_columns(TableStyle style) {
  return Table({{.title = "NAME", .columns_min = 4}, {.title = "ERROR", .columns_min = 5}}, style);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  EXPECT_EQ(begin, text.size()) << "the last line ends too";
  return lines;
}

TEST(Table, LinesUpAndPrintsTitlesOnce) {
  Table table = two_columns({});
  EXPECT_EQ(table.render({{{.text = "longer name"}, {.text = "x"}}, {{.text = "ä"}, {}}}),
            "NAME         ERROR\nlonger name  x\nä\n");
  EXPECT_EQ(table.render({{{.text = "next page, wider"}, {.text = "y"}}}), "next page,…  y\n")
      << "the widths of the first page stay";
}

TEST(Table, FitsTheTerminalByCuttingWhatIsLong) {
  for (const std::size_t columns : {12U, 20U, 40U, 79U}) {
    Table table = two_columns({.columns_max = columns, .colour = false});
    const auto text = table.render({{{.text = std::string(100'000, 'n')}, {.text = "AccessDenied"}},
                                    {{.text = "short"}, {.text = std::string(50, 'e')}}});
    for (const std::string& line : lines_of(text)) {
      EXPECT_LE(column_count(line), columns) << line;
    }
  }
}

TEST(Table, IsNotCutBelowItsLeastWidth) {
  Table table = two_columns({.columns_max = 3, .colour = false});
  EXPECT_EQ(lines_of(table.render({{{.text = "nnnnnnnn"}, {.text = "eeeeeeee"}}})).back(),
            "nnn…  eeee…");
}

TEST(Table, ColoursWhatAlarmsAndOnlyWhenAsked) {
  const std::vector<Table::Row> rows = {{{.text = "a"}, {.text = "bad", .alarming = true}}};
  EXPECT_THAT(two_columns({}).render(rows), Not(HasSubstr("\x1b")));
  const std::string coloured = two_columns({.columns_max = 0, .colour = true}).render(rows);
  EXPECT_THAT(coloured, HasSubstr("\x1b[31mbad\x1b[0m"));
  EXPECT_THAT(coloured, HasSubstr("\x1b[1mNAME\x1b[0m"));
  EXPECT_THAT(coloured, Not(HasSubstr("\x1b[31ma")));
}

TEST(OneLine, TakesAwayWhatSteersTerminals) {
  EXPECT_EQ(one_line("a\x1b[2Jb\nc\x7f"), "a?[2Jb?c?");
  EXPECT_EQ(one_line("c1 \xc2\x9b"
                     "0m"),
            "c1 ?0m");
  EXPECT_EQ(one_line("bad \xff utf8"), "bad \xef\xbf\xbd utf8");
  EXPECT_EQ(one_line("grün é"), "grün é");
  EXPECT_EQ(column_count("grün é"), 6U);
}

}  // namespace
}  // namespace opentrail::cli
