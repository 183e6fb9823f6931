#include "objects/aws_profile.h"

#include "base/text.h"

#include <optional>
#include <string>

#include <fmt/format.h>

namespace opentrail::objects {
namespace {

using Credentials = crypto::sigv4::Credentials;

/// The name of a "[profile]" line, or nothing.
std::optional<std::string_view> section_of(std::string_view line) {
  const std::size_t end = line.find(']');
  if (!line.starts_with('[') || end == std::string_view::npos) {
    return std::nullopt;
  }
  return trim(line.substr(1, end - 1));
}

void set(Credentials& credentials, std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) {
    return;
  }
  const std::string name = to_lower(trim(line.substr(0, equals)));
  const std::string_view value = trim(line.substr(equals + 1));
  if (name == "aws_access_key_id") {
    credentials.access_key_id = value;
  } else if (name == "aws_secret_access_key") {
    credentials.secret_access_key = value;
  } else if (name == "aws_session_token") {
    credentials.session_token = value;
  }
}

}  // namespace

Result<Credentials> parse_profile(std::string_view text, std::string_view profile) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  Credentials credentials;
  bool inside = false;
  bool found = false;
  for (const std::string_view raw : split(text, '\n')) {
    const std::string_view line = trim(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') {
      continue;
    }
    if (const auto section = section_of(line)) {
      inside = *section == profile;
      found = found || inside;
    } else if (inside) {
      set(credentials, line);
    }
  }
  if (!found) {
    return fail(ErrorCode::NotFound, fmt::format("there is no profile \"{}\"", profile));
  }
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("profile \"{}\" lacks aws_access_key_id or aws_secret_access_key", profile));
  }
  return credentials;
}

}  // namespace opentrail::objects
