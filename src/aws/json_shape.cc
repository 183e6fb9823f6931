#include "aws/json_protocol.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace opentrail::aws {

/// What is found on the way through an input.
struct JsonShape::Reading {
  std::string wrong_type;  ///< Empty: none so far.
  std::vector<std::string> missing;
};

namespace {

/// A body can name many places; the message need not.
constexpr std::size_t kMissingMax = 10;

/// A value's kind in the words of AWS's own deserialiser.
std::string_view kind_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::string:
      return "STRING_VALUE";
    case json::kind::bool_:
      return value.get_bool() ? "TRUE_VALUE" : "FALSE_VALUE";
    case json::kind::int64:
    case json::kind::uint64:
      return "NUMBER_VALUE";
    case json::kind::double_:
      return "DECIMAL_VALUE";
    default:
      return "NULL_VALUE";
  }
}

std::string wrong_type(const json::value& value, std::string_view wanted) {
  if (value.is_object()) {
    return "Start of structure or map found where not expected.";
  }
  if (value.is_array()) {
    return "Start of list found where not expected";
  }
  return fmt::format("{} cannot be converted to {}", kind_name(value), wanted);
}

std::optional<std::int64_t> whole_number(const json::value& value) {
  if (value.is_int64()) {
    return value.get_int64();
  }
  constexpr double kExactMax = 9'007'199'254'740'992.0;  // 2^53
  if (value.is_double() && std::abs(value.get_double()) <= kExactMax &&
      std::trunc(value.get_double()) == value.get_double()) {
    return static_cast<std::int64_t>(value.get_double());
  }
  return std::nullopt;
}

std::string missing_message(const std::vector<std::string>& missing) {
  return fmt::format("{} validation error{} detected: {}", missing.size(),
                     missing.size() == 1 ? "" : "s", fmt::join(missing, "; "));
}

bool is_map_of_strings(const json::value& value) {
  if (!value.is_object()) {
    return false;
  }
  for (const auto& [name, member] : value.get_object()) {
    if (!member.is_string()) {
      return false;
    }
  }
  return true;
}

}  // namespace

JsonShape JsonShape::parse(std::string_view text) {
  JsonShape shape = parse_at(text);
  OT_CHECK(text.empty() && shape.kind_ == '{');
  return shape;
}

JsonShape JsonShape::parse_at(std::string_view& text) {
  OT_CHECK(!text.empty());
  JsonShape shape;
  shape.kind_ = text.front();
  text.remove_prefix(1);
  if (shape.kind_ == '[') {
    shape.members_.push_back({"", false, parse_at(text)});
    OT_CHECK(text.starts_with(']'));
    text.remove_prefix(1);
    return shape;
  }
  if (shape.kind_ != '{') {
    OT_CHECK(std::string_view("sbitm").find(shape.kind_) != std::string_view::npos);
    return shape;
  }
  while (!text.starts_with('}')) {
    const auto colon = text.find(':');
    OT_CHECK(colon != std::string_view::npos && colon > 0);
    std::string_view name = text.substr(0, colon);
    text.remove_prefix(colon + 1);
    const bool required = name.ends_with('!');
    if (required) {
      name.remove_suffix(1);
    }
    shape.members_.push_back({std::string(name), required, parse_at(text)});
    if (text.starts_with(',')) {
      text.remove_prefix(1);
    }
  }
  text.remove_prefix(1);
  return shape;
}

ShapedInput JsonShape::read(const json::object& input) const {
  Reading reading;
  json::value out;
  json::value recorded;
  read_structure(input, "", reading, out, recorded);
  ShapedInput shaped;
  if (!reading.wrong_type.empty()) {
    shaped.error = Error(ErrorCode::InvalidArgument, reading.wrong_type, "SerializationException");
    return shaped;
  }
  shaped.input = std::move(out.get_object());
  if (!recorded.get_object().empty()) {
    shaped.recorded = std::move(recorded);
  }
  if (!reading.missing.empty()) {
    shaped.error =
        Error(ErrorCode::InvalidArgument, missing_message(reading.missing), "ValidationException");
  }
  return shaped;
}

void JsonShape::read_value(const json::value& value, const std::string& path, Reading& reading,
                           json::value& out, json::value& recorded) const {
  if (kind_ == '{') {
    if (!value.is_object()) {
      reading.wrong_type = wrong_type(value, "a structure");
      return;
    }
    read_structure(value.get_object(), path, reading, out, recorded);
    return;
  }
  if (kind_ != '[') {
    read_scalar(value, reading, out, recorded);
    return;
  }
  if (!value.is_array()) {
    reading.wrong_type = wrong_type(value, "a list");
    return;
  }
  json::array& out_items = out.emplace_array();
  json::array& recorded_items = recorded.emplace_array();
  for (const json::value& item : value.get_array()) {
    json::value& out_item = out_items.emplace_back(nullptr);
    json::value& recorded_item = recorded_items.emplace_back(nullptr);
    members_.front().shape.read_value(item, fmt::format("{}.{}.member", path, out_items.size()),
                                      reading, out_item, recorded_item);
    if (!reading.wrong_type.empty()) {
      return;
    }
  }
}

void JsonShape::read_structure(const json::object& object, const std::string& path,
                               Reading& reading, json::value& out, json::value& recorded) const {
  json::object& out_members = out.emplace_object();
  json::object& recorded_members = recorded.emplace_object();
  for (const Member& member : members_) {
    const std::string name = record_member_name(member.name);
    const std::string member_path = path.empty() ? name : fmt::format("{}.{}", path, name);
    const json::value* value = object.if_contains(member.name);
    if (value == nullptr || value->is_null()) {
      if (member.required && reading.missing.size() < kMissingMax) {
        reading.missing.push_back(
            fmt::format("Value null at '{}' failed to satisfy constraint: "
                        "Member must not be null",
                        member_path));
      }
      continue;
    }
    member.shape.read_value(*value, member_path, reading, out_members[member.name],
                            recorded_members[name]);
    if (!reading.wrong_type.empty()) {
      return;
    }
  }
}

void JsonShape::read_scalar(const json::value& value, Reading& reading, json::value& out,
                            json::value& recorded) const {
  out = value;
  recorded = value;
  switch (kind_) {
    case 's':
      if (!value.is_string()) {
        reading.wrong_type = wrong_type(value, "String");
      }
      return;
    case 'b':
      if (!value.is_bool()) {
        reading.wrong_type = wrong_type(value, "Boolean");
      }
      return;
    case 'i':
      if (const auto number = whole_number(value)) {
        out = *number;
        recorded = *number;
      } else {
        reading.wrong_type = wrong_type(value, "Integer");
      }
      return;
    case 't':
      if (const auto time = json_timestamp(value)) {
        recorded = json::value(to_iso_seconds(*time));
      } else {
        reading.wrong_type = wrong_type(value, "Timestamp");
      }
      return;
    default:  // a map: its keys are the user's own and stay as they are
      if (!is_map_of_strings(value)) {
        reading.wrong_type = wrong_type(value, "a map of strings");
      }
  }
}

}  // namespace opentrail::aws
