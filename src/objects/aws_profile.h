#pragma once
#include "base/error.h"
#include "crypto/sigv4.h"

#include <string_view>

namespace opentrail::objects {

/// The keys of one profile of a shared credentials file ("[default]", then "name = value" lines;
/// "#" and ";" begin a comment line). A later section or line of the same name wins, as in the
/// SDKs. Other settings are passed over. Errors: NotFound (no such profile), InvalidArgument (a key
/// of the pair is missing); no error repeats what stands in the file. Pure. Internal to objects.
/// Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
[[nodiscard]] Result<crypto::sigv4::Credentials> parse_profile(std::string_view text,
                                                               std::string_view profile);

}  // namespace opentrail::objects
