#pragma once
#include "base/error.h"

#include <string>
#include <string_view>

/// Gzip all at once; collect/unpack.h reads it as a stream. (Log files that are delivered are
/// packed by `delivery`, which wants speed.)
namespace opentrail::collect {

/// True when `bytes` begins as gzip data does (RFC 1952: 1f 8b).
[[nodiscard]] bool is_gzip(std::string_view bytes);

/// Unpacks all of `bytes`. Errors: InvalidArgument as Unpacker's; ResourceExhausted as soon as the
/// result is larger than `bytes_max`.
[[nodiscard]] Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max);

/// Packs `bytes` into one member, without a name or a time: equal input makes equal output.
[[nodiscard]] std::string gzip(std::string_view bytes);

}  // namespace opentrail::collect
