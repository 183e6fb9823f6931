#include "aws/recorded/cbor.h"

#include "aws/recorded/style.h"
#include "base/text.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>

namespace opentrail::aws::recorded {
namespace {

/// Major types (RFC 8949 §3.1).
enum class Major : std::uint8_t { Unsigned, Negative, Bytes, Text, Array, Map, Tag, Simple };

constexpr std::uint8_t kIndefinite = 31;
constexpr std::uint8_t kBreak = 0xFF;

struct Head {
  Major major;
  std::uint8_t info;
  std::uint64_t argument;
};

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : left_(bytes) {}

  [[nodiscard]] bool at_end() const { return left_.empty(); }

  std::optional<json::value> item(std::size_t depth) {
    const auto head = read_head();
    if (!head || depth > kDepthMax) {
      return std::nullopt;
    }
    switch (head->major) {
      case Major::Unsigned:
        return json::value(head->argument);
      case Major::Negative:
        return negative(head->argument);
      case Major::Bytes:
      case Major::Text:
        return string(*head);
      case Major::Array:
        return array(*head, depth);
      case Major::Map:
        return map(*head, depth);
      case Major::Tag:
        return item(depth + 1);
      case Major::Simple:
        return simple(*head);
    }
    return std::nullopt;
  }

 private:
  std::optional<Head> read_head() {
    if (left_.empty()) {
      return std::nullopt;
    }
    const auto first = static_cast<std::uint8_t>(left_[0]);
    left_.remove_prefix(1);
    Head head{static_cast<Major>(first >> 5), static_cast<std::uint8_t>(first & 31),
              static_cast<std::uint64_t>(first & 31)};
    constexpr std::uint8_t kOneByte = 24;
    constexpr std::uint8_t kEightBytes = 27;
    if (head.info < kOneByte || head.info == kIndefinite) {
      return head;
    }
    if (head.info > kEightBytes) {
      return std::nullopt;
    }
    const std::size_t width = std::size_t{1} << (head.info - kOneByte);
    if (left_.size() < width) {
      return std::nullopt;
    }
    head.argument = 0;
    for (std::size_t i = 0; i < width; ++i) {
      head.argument = head.argument << 8 | static_cast<std::uint8_t>(left_[i]);
    }
    left_.remove_prefix(width);
    return head;
  }

  static json::value negative(std::uint64_t argument) {
    constexpr std::uint64_t kMost = INT64_MAX;
    return argument > kMost ? json::value(-1.0 - static_cast<double>(argument))
                            : json::value(-1 - static_cast<std::int64_t>(argument));
  }

  bool take_break() {
    if (left_.empty() || static_cast<std::uint8_t>(left_[0]) != kBreak) {
      return false;
    }
    left_.remove_prefix(1);
    return true;
  }

  std::optional<json::value> string(const Head& head) {
    std::string bytes;
    if (head.info != kIndefinite) {
      if (!take(head.argument, bytes)) {
        return std::nullopt;
      }
    } else {
      while (!take_break()) {
        const auto part = read_head();
        if (!part || part->major != head.major || part->info == kIndefinite ||
            !take(part->argument, bytes)) {
          return std::nullopt;
        }
      }
    }
    return json::value(json::string(head.major == Major::Bytes ? to_base64(as_bytes(bytes))
                                                               : to_valid_utf8(bytes)));
  }

  bool take(std::uint64_t count, std::string& into) {
    if (count > left_.size()) {
      return false;
    }
    into += left_.substr(0, count);
    left_.remove_prefix(count);
    return true;
  }

  /// True when the container goes on: its count is not used up, or no break came.
  bool goes_on(const Head& head, std::uint64_t done) {
    return head.info == kIndefinite ? !take_break() : done < head.argument;
  }

  std::optional<json::value> array(const Head& head, std::size_t depth) {
    json::array items;
    for (std::uint64_t i = 0; goes_on(head, i); ++i) {
      auto value = item(depth + 1);
      if (!value) {
        return std::nullopt;
      }
      items.push_back(std::move(*value));
    }
    return items;
  }

  std::optional<json::value> map(const Head& head, std::size_t depth) {
    json::object members;
    for (std::uint64_t i = 0; goes_on(head, i); ++i) {
      const auto key = item(depth + 1);
      auto value = key ? item(depth + 1) : std::nullopt;
      if (!value) {
        return std::nullopt;
      }
      if (key->is_string()) {
        members[key->get_string()] = std::move(*value);
      }
    }
    return members;
  }

  static std::optional<json::value> simple(const Head& head) {
    constexpr std::uint8_t kFalse = 20, kTrue = 21, kNull = 22, kUndefined = 23;
    constexpr std::uint8_t kHalf = 25, kFloat = 26, kDouble = 27;
    switch (head.info) {
      case kFalse:
      case kTrue:
        return json::value(head.info == kTrue);
      case kNull:
      case kUndefined:
        return json::value(nullptr);
      case kHalf:
        return number(half(static_cast<std::uint16_t>(head.argument)));
      case kFloat:
        return number(std::bit_cast<float>(static_cast<std::uint32_t>(head.argument)));
      case kDouble:
        return number(std::bit_cast<double>(head.argument));
      default:
        return std::nullopt;
    }
  }

  /// JSON has no infinities; records write them as text.
  static json::value number(double value) {
    if (std::isfinite(value)) {
      return value;
    }
    return json::string(std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
  }

  static double half(std::uint16_t bits) {
    constexpr int kFraction = 0x3FF, kExponent = 0x1F;
    const int exponent = bits >> 10 & kExponent;
    const double fraction = bits & kFraction;
    double value = 0;
    if (exponent == 0) {
      value = std::ldexp(fraction, -24);
    } else if (exponent != kExponent) {
      value = std::ldexp(fraction + kFraction + 1, exponent - 25);
    } else {
      value = fraction == 0 ? INFINITY : NAN;
    }
    return (bits & 0x8000) != 0 ? -value : value;
  }

  std::string_view left_;
};

}  // namespace

Result<json::value> json_from_cbor(std::string_view bytes) {
  Decoder decoder(bytes);
  auto value = decoder.item(0);
  if (!value || !decoder.at_end()) {
    return fail(ErrorCode::InvalidArgument, "the body is not CBOR");
  }
  return *std::move(value);
}

}  // namespace opentrail::aws::recorded
