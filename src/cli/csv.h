#pragma once
#include <string>
#include <vector>

namespace opentrail::cli {

/// One line of CSV as RFC 4180 has it, line end included.
[[nodiscard]] std::string csv_line(const std::vector<std::string>& fields);

}  // namespace opentrail::cli
