#include "base/text.h"
#include "net/client.h"

#include <charconv>

#include <fmt/format.h>

namespace opentrail::net {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

std::uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? kHttpsPort : kHttpPort;
}

std::unexpected<Error> bad_url(std::string_view text, std::string_view why) {
  return fail(ErrorCode::InvalidArgument,
              fmt::format("'{}' is not a URL like http://host:port: {}", text, why));
}

bool is_host(std::string_view host) {
  for (const char c : host) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain && std::string_view("-._:").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return !host.empty();
}

}  // namespace

std::string Url::authority() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  const std::string name = ipv6 ? fmt::format("[{}]", host) : host;
  return port == default_port(scheme) ? name : fmt::format("{}:{}", name, port);
}

Result<Url> parse_url(std::string_view text) {
  Url url;
  const auto mark = text.find("://");
  if (mark == std::string_view::npos) {
    return bad_url(text, "it does not begin with http:// or https://");
  }
  url.scheme = to_lower(text.substr(0, mark));
  if (url.scheme != "http" && url.scheme != "https") {
    return bad_url(text, "the scheme must be http or https");
  }
  std::string_view rest = text.substr(mark + 3);
  const auto slash = rest.find('/');
  if (slash != std::string_view::npos) {
    url.path = rest.substr(slash);
    rest = rest.substr(0, slash);
  }
  while (url.path.ends_with('/')) {
    url.path.pop_back();
  }
  if (url.path.find_first_of("?# ") != std::string::npos) {
    return bad_url(text, "it must not have a query");
  }
  std::string_view port;
  bool has_port = false;
  if (rest.starts_with('[')) {
    const auto end = rest.find(']');
    if (end == std::string_view::npos) {
      return bad_url(text, "the ']' of its address is missing");
    }
    url.host = rest.substr(1, end - 1);
    has_port = rest.substr(end + 1).starts_with(':');
    port = has_port ? rest.substr(end + 2) : std::string_view{};
  } else {
    const auto colon = rest.find(':');
    url.host = rest.substr(0, colon);
    has_port = colon != std::string_view::npos;
    port = has_port ? rest.substr(colon + 1) : std::string_view{};
  }
  if (!is_host(url.host)) {
    return bad_url(text, "the host name is missing or has characters that none has");
  }
  url.port = default_port(url.scheme);
  if (has_port) {
    const auto parsed = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size() || url.port == 0) {
      return bad_url(text, "the port must be a number from 1 to 65535");
    }
  }
  return url;
}

}  // namespace opentrail::net
