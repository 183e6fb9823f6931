#include "cli/terminal_text.h"

#include "base/text.h"

#include <fmt/format.h>

namespace opentrail::cli {

namespace {

constexpr unsigned char kDelete = 0x7f;

/// The code point of a C1 control that begins at `at` of well-formed UTF-8; 0 when there is none.
unsigned c1_at(std::string_view text, std::size_t at) {
  constexpr unsigned char kLead = 0xc2;
  if (static_cast<unsigned char>(text[at]) != kLead || at + 1 == text.size()) {
    return 0;
  }
  const auto next = static_cast<unsigned char>(text[at + 1]);
  return next >= 0x80 && next <= 0x9f ? next : 0U;
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string out;
  const std::string valid = to_valid_utf8(text);
  for (std::size_t i = 0; i < valid.size(); ++i) {
    const auto byte = static_cast<unsigned char>(valid[i]);
    const bool c1 = c1_at(valid, i) != 0;
    out += byte < 0x20 || byte == kDelete || c1 ? '?' : valid[i];
    i += c1 ? 1 : 0;
  }
  return out;
}

std::string terminal_json(std::string_view json) {
  std::string out;
  const std::string valid = to_valid_utf8(json);
  for (std::size_t i = 0; i < valid.size(); ++i) {
    const auto byte = static_cast<unsigned char>(valid[i]);
    if (const unsigned c1 = c1_at(valid, i); c1 != 0) {
      out += fmt::format("\\u{:04x}", c1);
      ++i;
    } else if (byte == kDelete) {
      out += "\\u007f";
    } else if (byte == '\r') {
      out += ' ';  // white space in JSON; on a terminal the rest of the line would overwrite it
    } else {
      // Of a record that is no JSON at all.
      const bool steers = byte < 0x20 && byte != '\n' && byte != '\t';
      out += steers ? '?' : valid[i];
    }
  }
  return out;
}

}  // namespace opentrail::cli
