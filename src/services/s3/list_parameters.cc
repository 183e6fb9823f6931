#include "services/s3/list_parameters.h"

#include "base/text.h"
#include "services/s3/s3_status.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace opentrail::services::s3 {
namespace {

constexpr std::string_view kTokenVersion = "1:";

}  // namespace

Result<std::size_t> parse_page_size(const S3Request& request, std::string_view name) {
  const std::string_view text = request.get(name);
  if (text.empty()) {
    return kPageMax;
  }
  const auto number = parse_int(text);
  if (!number || *number < 0 || *number > std::numeric_limits<std::int32_t>::max()) {
    return refuse("InvalidArgument",
                  fmt::format("Provided {} not an integer or within integer range", name));
  }
  return std::min(static_cast<std::size_t>(*number), kPageMax);
}

Result<NameEncoding> NameEncoding::parse(const S3Request& request) {
  const std::string_view type = request.get("encoding-type");
  if (!type.empty() && type != "url") {
    return refuse("InvalidArgument", "Invalid Encoding Method specified in Request");
  }
  NameEncoding encoding;
  encoding.url_ = type == "url";
  return encoding;
}

std::string NameEncoding::operator()(std::string_view name) const {
  return url_ ? uri_encode(name, /*keep_slash=*/true) : std::string(name);
}

std::string make_continuation_token(std::string_view key) {
  return to_base64(as_bytes(std::string(kTokenVersion) + std::string(key)));
}

Result<std::string> parse_continuation_token(std::string_view token) {
  const auto decoded = from_base64(token);
  if (!decoded || !decoded->starts_with(kTokenVersion)) {
    return refuse("InvalidArgument", "The continuation token provided is incorrect");
  }
  return decoded->substr(kTokenVersion.size());
}

}  // namespace opentrail::services::s3
