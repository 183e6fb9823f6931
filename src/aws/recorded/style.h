#pragma once
#include "aws/model/service_table.h"
#include "base/json.h"
#include "base/time.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// How CloudTrail writes what stood in a request or an answer (spec records §1.5). Pure.
namespace opentrail::aws::recorded {

inline constexpr std::size_t kDepthMax = 64;
/// Names of members that the model does not know, of one call.
inline constexpr std::size_t kUnknownMax = 32;

/// What differs from service to service.
struct Style {
  bool ec2 = false;         ///< Lists stand as {"items":[...]}.
  bool raw_names = false;   ///< Members are spelt as on the wire.
  bool iso_times = false;   ///< "2026-09-13T17:13:09Z" instead of "Sep 13, 2026, 5:13:09 PM".
  std::string_view hidden;  ///< Stands in for what must not be kept.
};
[[nodiscard]] Style style_of(const model::Service& service);

/// One value that is being written: its style, and what could not be understood on the way.
struct Writing {
  Style style;
  /// Names, as they were sent, of members that the model does not know. Their values are left out:
  /// nobody can say whether they are secrets.
  std::vector<std::string> unknown;

  void note_unknown(std::string_view name);
};

/// How a member is spelt: with its first letter lower-cased, or as on the wire.
[[nodiscard]] std::string member_key(const model::Member& member, const Style& style);
/// A time as this style writes it.
[[nodiscard]] std::string time_text(Timestamp time, const Style& style);
/// A scalar that came as text (form, XML, header): typed as its shape says.
[[nodiscard]] json::value scalar(std::string_view text, const model::Shape& shape,
                                 const Style& style);
/// A list as this style writes it.
[[nodiscard]] json::value list_value(json::array items, const Style& style);

/// A JSON value (or a decoded CBOR one) of that shape; null for what is not to be written.
[[nodiscard]] json::value from_json(const json::value& value, const model::Shape& shape,
                                    Writing& writing, std::size_t depth = 0);

}  // namespace opentrail::aws::recorded
