#pragma once
#include <string>
#include <vector>

namespace opentrail::cli {

/// Where a line goes: a file keeps every byte, on a terminal a field is one_line().
enum class CsvFor : unsigned char { File, Terminal };

/// One line of CSV as RFC 4180 has it, line end included.
[[nodiscard]] std::string csv_line(const std::vector<std::string>& fields, CsvFor whom);

}  // namespace opentrail::cli
