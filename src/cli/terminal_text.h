#pragma once
#include <string>
#include <string_view>

/// Foreign text on a terminal. Control characters steer it: the ones below 0x20, DEL, and C1
/// (U+0080 to U+009F), which 8-bit terminals obey.
namespace opentrail::cli {

/// As one line: control characters become '?', ill-formed UTF-8 becomes U+FFFD.
[[nodiscard]] std::string one_line(std::string_view text);
/// JSON that says the same: DEL and C1 become \u escapes, ill-formed UTF-8 becomes U+FFFD. Below
/// 0x20 JSON itself has nothing but white space, of which a carriage return becomes a space.
[[nodiscard]] std::string terminal_json(std::string_view json);

}  // namespace opentrail::cli
