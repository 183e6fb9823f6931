#include "cli/csv.h"

#include "cli/terminal_text.h"

namespace opentrail::cli {

namespace {

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) {
    return field;
  }
  std::string text = "\"";
  for (const char c : field) {
    text += c;
    if (c == '"') {
      text += '"';
    }
  }
  return text + "\"";
}

}  // namespace

std::string csv_line(const std::vector<std::string>& fields, CsvFor whom) {
  std::string text;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string& field = fields[i];
    text += (i == 0 ? "" : ",") + quoted(whom == CsvFor::Terminal ? one_line(field) : field);
  }
  return text + "\r\n";
}

}  // namespace opentrail::cli
