// Property: an answer's head that passes the check means the same to another parser (Beast): its
// status, every field, and how the end of its body is told.
#include "net/head_check.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace {

namespace http = boost::beast::http;
using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kLineEnd = "\r\n";

void check(bool holds) {
  if (!holds) {
    std::abort();
  }
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  const auto last = text.find_last_not_of(" \t");
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, last - first + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// `lines`: what stands behind the status line.
Fields split_fields(std::string_view lines) {
  Fields fields;
  while (lines != kLineEnd) {
    const std::string_view line = lines.substr(0, lines.find(kLineEnd));
    const auto colon = line.find(':');
    check(colon != std::string_view::npos);
    fields.emplace_back(lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
    lines.remove_prefix(line.size() + kLineEnd.size());
  }
  std::ranges::sort(fields);  // Beast keeps fields of one name together
  return fields;
}

bool has(const Fields& fields, std::string_view name) {
  return std::ranges::any_of(fields, [&](const auto& field) { return field.first == name; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kFieldsMax = 500;
  constexpr std::size_t kHeadBytesMax = 64 << 10;
  constexpr std::size_t kStatusAt = 9;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto end = text.find("\r\n\r\n");
  if (end == std::string_view::npos || end + 4 > kHeadBytesMax) {
    return 0;
  }
  const std::string_view raw = text.substr(0, end + 4);
  if (opentrail::net::answer_defect(raw, kFieldsMax)) {
    return 0;
  }
  // What passes as a whole was not refused on its way.
  check(!opentrail::net::answer_start_defect(raw, 0));
  http::response_parser<http::buffer_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(kHeadBytesMax));
  parser.body_limit(boost::none);
  boost::system::error_code failed;
  const std::size_t used = parser.put(boost::asio::buffer(raw.data(), raw.size()), failed);
  check(!failed && used == raw.size() && parser.is_header_done());
  const auto& read = parser.get();
  check(std::to_string(read.result_int()) == raw.substr(kStatusAt, 3));
  const Fields own = split_fields(raw.substr(raw.find(kLineEnd) + kLineEnd.size()));
  Fields theirs;
  for (const auto& field : read) {
    theirs.emplace_back(lower(field.name_string()), field.value());
  }
  std::ranges::sort(theirs);
  check(own == theirs);
  check(parser.chunked() == has(own, "transfer-encoding"));
  check(parser.content_length().has_value() == has(own, "content-length"));
  return 0;
}
