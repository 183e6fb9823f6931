#include "aws/recorded/style.h"

#include "aws/json_protocol.h"
#include "base/text.h"
#include "record/builder.h"

#include <charconv>

namespace opentrail::aws::recorded {
namespace {

using model::Kind;
using model::Shape;

constexpr std::size_t kUnknownNameBytesMax = 128;

json::value number_or_text(std::string_view text) {
  if (const auto whole = parse_int(text)) {
    return *whole;
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) {
    return number;
  }
  return json::string(text);
}

json::value json_scalar(const json::value& value, const Shape& shape, const Style& style) {
  if (shape.kind() == Kind::Timestamp) {
    if (const auto time = json_timestamp(value)) {
      return json::string(time_text(*time, style));
    }
  }
  return value;
}

json::value structure_from_json(const json::object& object, const Shape& shape, Writing& writing,
                                std::size_t depth) {
  json::object out;
  for (const auto& [name, value] : object) {
    const auto member = shape.find(name);
    if (!member) {
      writing.note_unknown(name);
      continue;
    }
    json::value written = from_json(value, member->shape, writing, depth + 1);
    if (!written.is_null()) {
      out[member_key(*member, writing.style)] = std::move(written);
    }
  }
  return out;
}

json::value map_from_json(const json::object& object, const Shape& shape, Writing& writing,
                          std::size_t depth) {
  json::object out;
  for (const auto& [name, value] : object) {
    json::value written = from_json(value, shape.value(), writing, depth + 1);
    if (!written.is_null()) {
      out[name] = std::move(written);
    }
  }
  return out;
}

}  // namespace

Style style_of(const model::Service& service) {
  const bool ec2 = service.speaks(model::Protocol::Ec2);
  return {ec2, service.raw_names, service.id == "cloudtrail",
          ec2 ? record::kSensitiveDataRemoved : record::kHiddenForSecurity};
}

void Writing::note_unknown(std::string_view name) {
  if (unknown.size() < kUnknownMax) {
    unknown.emplace_back(cut_utf8(name, kUnknownNameBytesMax));
  }
}

std::string member_key(const model::Member& member, const Style& style) {
  return style.raw_names ? std::string(member.wire_name) : record_member_name(member.name);
}

std::string time_text(Timestamp time, const Style& style) {
  return style.iso_times ? to_iso_seconds(time) : to_record_style(time);
}

json::value scalar(std::string_view text, const Shape& shape, const Style& style) {
  if (shape.sensitive()) {
    return json::string(style.hidden);
  }
  switch (shape.kind()) {
    case Kind::Boolean:
      return text == "true" || text == "false" ? json::value(text == "true")
                                               : json::value(json::string(text));
    case Kind::Integer:
    case Kind::Double:
      return number_or_text(text);
    case Kind::Timestamp: {
      const auto time = json_timestamp(number_or_text(text));
      return json::string(time ? time_text(*time, style) : std::string(text));
    }
    default:
      return json::string(text);
  }
}

json::value list_value(json::array items, const Style& style) {
  if (!style.ec2) {
    return items;
  }
  json::object wrapped;
  if (!items.empty()) {
    wrapped["items"] = std::move(items);
  }
  return wrapped;
}

json::value from_json(const json::value& value, const Shape& shape, Writing& writing,
                      std::size_t depth) {
  if (value.is_null() || !shape || shape.streaming() || depth > kDepthMax) {
    return nullptr;
  }
  if (shape.sensitive()) {
    return json::string(writing.style.hidden);
  }
  if (shape.document()) {
    return value;
  }
  if (shape.kind() == Kind::Structure && value.is_object()) {
    return structure_from_json(value.get_object(), shape, writing, depth);
  }
  if (shape.kind() == Kind::Map && value.is_object()) {
    return map_from_json(value.get_object(), shape, writing, depth);
  }
  if (shape.kind() == Kind::List && value.is_array()) {
    json::array items;
    for (const json::value& item : value.get_array()) {
      items.push_back(from_json(item, shape.item(), writing, depth + 1));
    }
    return items;
  }
  // A value of another type than the model's says what was tried, unless it could hold members
  // that nobody knows.
  return value.is_object() || value.is_array() ? json::value(nullptr)
                                               : json_scalar(value, shape, writing.style);
}

}  // namespace opentrail::aws::recorded
