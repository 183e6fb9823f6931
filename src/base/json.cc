#include "base/json.h"

#include <fmt/format.h>

namespace opentrail {

Result<json::value> parse_json(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.bytes_max) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("JSON document of {} bytes: at most {} are accepted", text.size(),
                            limits.bytes_max));
  }
  json::parse_options options;
  options.max_depth = limits.depth_max;
  json::stream_parser parser(json::storage_ptr(), options);
  boost::system::error_code error;
  const std::size_t consumed = parser.write_some(text.data(), text.size(), error);
  if (!error && consumed == text.size()) {
    parser.finish(error);
  }
  if (error || consumed != text.size()) {
    return fail(ErrorCode::InvalidArgument, fmt::format("invalid JSON at byte {}: {}", consumed,
                                                        error ? error.message() : "extra data"));
  }
  return parser.release();
}

std::string to_text(const json::value& value) { return json::serialize(value); }

std::string string_member(const json::object& object, std::string_view name,
                          std::string_view otherwise) {
  const json::value* member = object.if_contains(name);
  return member != nullptr && member->is_string() ? std::string(member->get_string())
                                                  : std::string(otherwise);
}

bool bool_member(const json::object& object, std::string_view name, bool otherwise) {
  const json::value* member = object.if_contains(name);
  return member != nullptr && member->is_bool() ? member->get_bool() : otherwise;
}

}  // namespace opentrail
