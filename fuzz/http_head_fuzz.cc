// Property: a head that passes the check means the same to another parser (Beast): method, target
// and every field; what the two would take apart differently is refused.
#include "net/head_check.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace {

namespace http = boost::beast::http;

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  const auto last = text.find_last_not_of(" \t");
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, last - first + 1);
}

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

void check(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kFieldsMax = 200;
  constexpr std::size_t kHeadBytesMax = 64 << 10;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto end = text.find("\r\n\r\n");
  if (end == std::string_view::npos || end + 4 > kHeadBytesMax) {
    return 0;
  }
  std::string_view raw = text.substr(0, end + 4);
  check(opentrail::net::head_defect(raw, kFieldsMax).has_value() ||
        !opentrail::net::start_defect(raw, 0));
  if (opentrail::net::head_defect(raw, kFieldsMax)) {
    return 0;
  }
  http::request_parser<http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(kHeadBytesMax));
  boost::system::error_code failed;
  const std::size_t used = parser.put(boost::asio::buffer(raw.data(), raw.size()), failed);
  check(!failed && used == raw.size() && parser.is_header_done());
  const std::string_view line = raw.substr(0, raw.find("\r\n"));
  const auto& read = parser.get();
  check(line.starts_with(std::string_view(read.method_string())));
  check(line.find(std::string_view(read.target())) == read.method_string().size() + 1);
  raw.remove_prefix(line.size() + 2);
  Fields own, theirs;
  while (raw != "\r\n") {
    const std::string_view text_line = raw.substr(0, raw.find("\r\n"));
    const auto colon = text_line.find(':');
    check(colon != std::string_view::npos);
    own.emplace_back(lower(text_line.substr(0, colon)), trim(text_line.substr(colon + 1)));
    raw.remove_prefix(text_line.size() + 2);
  }
  for (const auto& field : read) {
    theirs.emplace_back(lower(field.name_string()), field.value());
  }
  // Beast keeps fields of one name together.
  std::ranges::sort(own);
  std::ranges::sort(theirs);
  check(own == theirs);
  return 0;
}
