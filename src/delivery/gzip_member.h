#pragma once
#include <string>
#include <string_view>

namespace opentrail::delivery {

/// `bytes` as one gzip member, level 1. The same bytes give the same member: no time or name is
/// stored. Readers hash what one member holds, so there is never a second one (spec records §3.1).
[[nodiscard]] std::string gzip_member(std::string_view bytes);

}  // namespace opentrail::delivery
