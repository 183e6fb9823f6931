#pragma once
#include "base/error.h"

#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace opentrail {

namespace json = boost::json;

struct JsonLimits {
  std::size_t depth_max = 64;
  std::size_t bytes_max = 16 << 20;
};

/// Parses one strict JSON document. Errors: InvalidArgument, with the byte where it went wrong.
[[nodiscard]] Result<json::value> parse_json(std::string_view text, JsonLimits limits = {});
/// Compact text of `value`, members in insertion order.
[[nodiscard]] std::string to_text(const json::value& value);

/// The member `name` as a string, or `otherwise` when it is absent or of another type.
[[nodiscard]] std::string string_member(const json::object& object, std::string_view name,
                                        std::string_view otherwise = {});
[[nodiscard]] bool bool_member(const json::object& object, std::string_view name, bool otherwise);

}  // namespace opentrail
