#pragma once
#include <string>
#include <string_view>

namespace opentrail {

/// Appends `text`, which is UTF-8, as it stands inside a JSON string: '"', '\' and what is below
/// U+0020 escaped, without the quotes around it. Fast for text full of quotes, as JSON inside JSON
/// is.
void append_json_escaped(std::string& out, std::string_view text);

}  // namespace opentrail
