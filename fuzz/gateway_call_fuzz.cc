// Property: whatever a request and its answer hold, their record's parts are made, are JSON that
// reads back, and do not show a value that the model calls a secret. The input is a request line's
// target, an X-Amz-Target, a signing name and a body, on a line each.
#include "aws/recorded/call.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using opentrail::aws::model::recognise;
namespace recorded = opentrail::aws::recorded;
namespace net = opentrail::net;

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

void check_json(const opentrail::json::value& value) {
  // Numbers beyond what JSON text keeps may print otherwise the second time, but they read.
  if (!opentrail::parse_json(opentrail::to_text(value), {.depth_max = 256})) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<const char*, 4> kMethods = {"POST", "GET", "PUT", "DELETE"};
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.empty()) {
    return 0;
  }
  net::RequestHead head;
  head.method = kMethods[static_cast<unsigned char>(text.front()) % kMethods.size()];
  text.remove_prefix(1);
  head.target = "/" + std::string(take_line(text));
  const std::string_view target = take_line(text);
  if (target == "form") {
    head.headers.add("Content-Type", "application/x-www-form-urlencoded");
  } else if (!target.empty()) {
    head.headers.add("X-Amz-Target", std::string(target));
  }
  head.headers.add("Host", "localhost");
  const std::string signing_name(take_line(text));
  const auto call = recognise(head, text, {signing_name, ""});
  const net::Headers none;
  static_cast<void>(recorded::answer_error(call ? &*call : nullptr, 400, none, text));
  static_cast<void>(recorded::request_id(none, text));
  static_cast<void>(opentrail::aws::model::read_host(target));
  if (!call) {
    return 0;
  }
  check_json(recorded::request_parameters(*call, head, text).value);
  check_json(recorded::response_elements(*call, none, text));
  return 0;
}
