#include "aws/json_protocol.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace opentrail::aws {
namespace {

constexpr std::string_view kSerialization = "SerializationException";
constexpr double kMillisInSecond = 1000.0;
/// Year 9999: later than that is no time but a mistake of units.
constexpr double kEpochSecondsMax = 253'402'300'799.0;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kOperationNameBytesMax &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
         });
}

bool is_front_end_error(std::string_view code) {
  static constexpr std::array<std::string_view, 21> kCodes = {
      "AccessDeniedException",
      "ExpiredTokenException",
      "IncompleteBody",
      "IncompleteSignature",
      "IncompleteSignatureException",
      "InternalFailure",
      "InvalidClientTokenId",
      "InvalidSignatureException",
      "MalformedHttpRequest",
      "MissingAuthenticationToken",
      "MissingAuthenticationTokenException",
      "RequestEntityTooLarge",
      "RequestExpired",
      "RequestTimeout",
      "SerializationException",
      "ServiceUnavailable",
      "SignatureDoesNotMatch",
      "ThrottlingException",
      "UnknownOperationException",
      "UnrecognizedClientException",
      "ValidationException",
  };
  return std::ranges::find(kCodes, code) != kCodes.end();
}

std::optional<Timestamp> from_epoch(double seconds) {
  if (!std::isfinite(seconds) || std::abs(seconds) > kEpochSecondsMax) {
    return std::nullopt;
  }
  const auto millis = static_cast<std::int64_t>(std::llround(seconds * kMillisInSecond));
  return Timestamp(std::chrono::milliseconds(millis));
}

}  // namespace

std::optional<std::string> json_operation(const net::RequestHead& head) {
  const std::string_view target = head.headers.get("x-amz-target");
  const auto dot = target.rfind('.');
  const std::string_view name = dot == std::string_view::npos ? "" : target.substr(dot + 1);
  return is_name(name) ? std::optional(std::string(name)) : std::nullopt;
}

Result<json::object> parse_json_body(std::string_view body) {
  if (trim(body).empty()) {
    return json::object();
  }
  auto parsed = parse_json(body, {.depth_max = kJsonBodyDepthMax, .bytes_max = kJsonBodyBytesMax});
  if (!parsed) {
    return fail(ErrorCode::InvalidArgument, parsed.error().message(), std::string(kSerialization));
  }
  if (!parsed->is_object()) {
    return fail(ErrorCode::InvalidArgument, "The request body must be a JSON object",
                std::string(kSerialization));
  }
  return std::move(parsed->get_object());
}

std::string json_error(std::string_view code, std::string_view message) {
  const std::string_view member = is_front_end_error(code) ? "message" : "Message";
  return to_text(json::object{{"__type", code}, {member, to_valid_utf8(message)}});
}

std::optional<Timestamp> json_timestamp(const json::value& value) {
  switch (value.kind()) {
    case json::kind::int64:
      return from_epoch(static_cast<double>(value.get_int64()));
    case json::kind::uint64:
      return from_epoch(static_cast<double>(value.get_uint64()));
    case json::kind::double_:
      return from_epoch(value.get_double());
    case json::kind::string: {
      const std::string_view text = value.get_string();
      if (const auto seconds = parse_int(text)) {
        return from_epoch(static_cast<double>(*seconds));
      }
      return parse_iso(text);
    }
    default:
      return std::nullopt;
  }
}

std::string record_member_name(std::string_view name) {
  std::string lowered(name);
  if (!lowered.empty()) {
    lowered[0] = to_lower(name.substr(0, 1))[0];
  }
  return lowered;
}

json::value with_record_member_names(const json::value& value) {
  if (value.is_array()) {
    json::array out;
    for (const json::value& item : value.get_array()) {
      out.push_back(with_record_member_names(item));
    }
    return out;
  }
  if (!value.is_object()) {
    return value;
  }
  json::object out;
  for (const auto& [name, member] : value.get_object()) {
    out[record_member_name(name)] = with_record_member_names(member);
  }
  return out;
}

}  // namespace opentrail::aws
