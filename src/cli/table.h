#pragma once
#include "cli/terminal_text.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::cli {

/// Characters of UTF-8 text; every one counts as one column.
[[nodiscard]] std::size_t column_count(std::string_view text);

struct TableColumn {
  std::string title;
  /// It is not cut below this many columns to make the table fit.
  std::size_t columns_min = 8;
};

struct TableCell {
  std::string text;
  bool alarming = false;  ///< Red where there is colour.
};

struct TableStyle {
  /// 0: as wide as the text is (a file, a pipe).
  std::size_t columns_max = 0;
  bool colour = false;
};

/// Prints rows in columns. The widths are those of the first page of rows and stay for the rest, so
/// a listing of any length is printed as it comes.
class Table {
 public:
  using Row = std::vector<TableCell>;

  Table(std::vector<TableColumn> columns, TableStyle style);

  /// The text of these rows, with the titles in front the first time. Each row has one cell a
  /// column.
  [[nodiscard]] std::string render(const std::vector<Row>& rows);

 private:
  void choose_widths(const std::vector<Row>& rows);
  void append_line(std::string& out, const Row& row, bool titles) const;

  std::vector<TableColumn> columns_;
  TableStyle style_;
  std::vector<std::size_t> widths_;
};

}  // namespace opentrail::cli
