#pragma once
#include "base/text.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace opentrail::services {

inline constexpr std::size_t kNameBytesMax = 128;

/// An operation's or a version's name as the caller sent it, fit for answers and records: cut, and
/// valid UTF-8.
[[nodiscard]] inline std::string bounded_name(std::string_view name) {
  return to_valid_utf8(cut_utf8(name, kNameBytesMax));
}

}  // namespace opentrail::services
