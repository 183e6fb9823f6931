#include "services/cloudtrail/request.h"

#include "aws/json_protocol.h"

namespace opentrail::services::cloudtrail {

std::optional<std::string> text_of(const json::object& input, std::string_view name) {
  const json::value* member = input.if_contains(name);
  return member != nullptr && member->is_string() ? std::optional(std::string(member->get_string()))
                                                  : std::nullopt;
}

std::optional<bool> flag_of(const json::object& input, std::string_view name) {
  const json::value* member = input.if_contains(name);
  return member != nullptr && member->is_bool() ? std::optional(member->get_bool()) : std::nullopt;
}

std::optional<Timestamp> time_of(const json::object& input, std::string_view name) {
  const json::value* member = input.if_contains(name);
  return member == nullptr ? std::nullopt : aws::json_timestamp(*member);
}

const json::array& list_of(const json::object& input, std::string_view name) {
  static const json::array none;
  const json::value* member = input.if_contains(name);
  return member != nullptr && member->is_array() ? member->get_array() : none;
}

}  // namespace opentrail::services::cloudtrail
