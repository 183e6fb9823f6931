#include "cli/table.h"

#include "base/error.h"

#include <algorithm>
#include <numeric>

namespace opentrail::cli {

namespace {

constexpr std::string_view kGap = "  ";
constexpr std::string_view kEllipsis = "…";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kPlain = "\x1b[0m";

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// The first `columns` characters.
std::string_view first_columns(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (!continues(text[at]) && columns-- == 0) {
      break;
    }
  }
  return text.substr(0, at);
}

std::string fitted(std::string_view text, std::size_t columns) {
  if (column_count(text) <= columns) {
    return std::string(text);
  }
  return std::string(first_columns(text, columns - 1)) + std::string(kEllipsis);
}

}  // namespace

std::size_t column_count(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return !continues(c); }));
}

Table::Table(std::vector<TableColumn> columns, TableStyle style)
    : columns_(std::move(columns)), style_(style) {}

void Table::choose_widths(const std::vector<Row>& rows) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = column_count(columns_[i].title);
    for (const Row& row : rows) {
      width = std::max(width, column_count(row[i].text));
    }
    widths_.push_back(width);
  }
  if (style_.columns_max == 0) {
    return;
  }
  const std::size_t gaps = kGap.size() * (columns_.size() - 1);
  auto total = [&] { return std::accumulate(widths_.begin(), widths_.end(), gaps); };
  while (total() > style_.columns_max) {
    // One column less for the widest that may give: long texts lose first.
    std::size_t widest = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (widths_[i] > columns_[i].columns_min &&
          (widest == columns_.size() || widths_[i] > widths_[widest])) {
        widest = i;
      }
    }
    if (widest == columns_.size()) {
      return;  // narrower than the table can be: the terminal wraps
    }
    const std::size_t excess = total() - style_.columns_max;
    const std::size_t room = widths_[widest] - columns_[widest].columns_min;
    // Long texts may be megabytes: halve the excess first, go by single columns at the end.
    widths_[widest] -= std::clamp<std::size_t>(excess / (columns_.size() + 1), 1, room);
  }
}

void Table::append_line(std::string& out, const Row& row, bool titles) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string text = fitted(row[i].text, widths_[i]);
    const bool coloured = style_.colour && (titles || row[i].alarming);
    if (coloured) {
      out += titles ? kBold : kRed;
    }
    out += text;
    if (coloured) {
      out += kPlain;
    }
    if (i + 1 < columns_.size()) {
      out.append(widths_[i] - column_count(text), ' ');
      out += kGap;
    }
  }
  while (out.ends_with(' ')) {
    out.pop_back();
  }
  out += '\n';
}

std::string Table::render(const std::vector<Row>& rows) {
  std::string out;
  for (const Row& row : rows) {
    OT_CHECK(row.size() == columns_.size());
  }
  if (widths_.empty()) {
    choose_widths(rows);
    Row titles;
    for (const TableColumn& column : columns_) {
      titles.push_back(TableCell{.text = column.title});
    }
    append_line(out, titles, true);
  }
  for (const Row& row : rows) {
    append_line(out, row, false);
  }
  return out;
}

}  // namespace opentrail::cli
