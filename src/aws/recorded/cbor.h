#pragma once
#include "base/error.h"
#include "base/json.h"

#include <string_view>

namespace opentrail::aws::recorded {

/// A CBOR item (RFC 8949) as the JSON value that records show: byte strings in base64, times (tag
/// 1) as numbers, keys that are no text left out. Errors: InvalidArgument for what is no CBOR, is
/// nested deeper than 64 or has bytes left over. Pure.
[[nodiscard]] Result<json::value> json_from_cbor(std::string_view bytes);

}  // namespace opentrail::aws::recorded
