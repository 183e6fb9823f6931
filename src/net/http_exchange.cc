#include "net/http_exchange.h"

#include "base/text.h"

#include <algorithm>

#include <boost/beast/core/error.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>

namespace opentrail::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr int kBadRequest = 400;
constexpr int kHeaderTooLarge = 431;

bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain && kOthers.find(c) == std::string_view::npos) {
      return false;
    }
  }
  return !text.empty();
}

Timestamp wall_time() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

/// A body whose end others may see elsewhere: any coding but "chunked" alone, or one in HTTP/1.0,
/// which has none (RFC 9112 §6.1, §6.3).
bool is_ambiguous(const http::request_header<>& header) {
  constexpr unsigned kHttp11 = 11;
  const auto [first, last] = header.equal_range(http::field::transfer_encoding);
  return std::any_of(first, last, [&](const auto& field) {
    return header.version() < kHttp11 || !beast::iequals(field.value(), "chunked");
  });
}

}  // namespace

std::string_view reason_phrase(int status) {
  const auto phrase = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
  return {phrase.data(), phrase.size()};
}

std::string render_head(const ResponseHead& head, bool close,
                        std::optional<std::uint64_t> content_length) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", head.status, reason_phrase(head.status));
  for (const auto& [name, value] : head.headers.fields()) {
    out += name;
    out += ": ";
    for (const char c : value) {
      // A line end in a value would begin a header of the attacker's choice.
      out += (c == '\r' || c == '\n' || c == '\0') ? ' ' : c;
    }
    out += "\r\n";
  }
  if (content_length) {
    out += fmt::format("Content-Length: {}\r\n", *content_length);
  }
  out += fmt::format("Date: {}\r\nServer: OpenTrail\r\n", to_http_date(wall_time()));
  if (close) {
    out += "Connection: close\r\n";
  }
  out += "\r\n";
  return out;
}

std::optional<RequestHead> to_request_head(const http::request_header<>& header, const Peer& peer) {
  RequestHead head;
  const auto method = header.method_string();
  const auto target = header.target();
  head.method.assign(method.data(), method.size());
  head.target.assign(target.data(), target.size());
  if (!is_token(head.method) || !head.target.starts_with('/') || is_ambiguous(header)) {
    return std::nullopt;
  }
  for (const auto& field : header) {
    const auto name = field.name_string();
    const auto value = field.value();
    head.headers.add(std::string(name.data(), name.size()),
                     std::string(value.data(), value.size()));
  }
  head.peer_address = peer.address;
  head.tls = peer.tls;
  head.chunked = header.count(http::field::transfer_encoding) > 0;
  if (const auto length = head.headers.find("content-length"); length && !head.chunked) {
    if (const auto parsed = parse_int(*length); parsed && *parsed >= 0) {
      head.content_length = static_cast<std::uint64_t>(*parsed);
    }
  }
  return head;
}

int refusal_status(const boost::system::error_code& failed) {
  if (failed == http::error::header_limit || failed == http::error::buffer_overflow) {
    return kHeaderTooLarge;
  }
  if (failed == http::error::end_of_stream || failed == http::error::partial_message) {
    return 0;  // the client went away
  }
  const bool protocol =
      failed.category() == http::make_error_code(http::error::bad_method).category();
  return protocol ? kBadRequest : 0;
}

Error read_error(const boost::system::error_code& failed) {
  if (failed == beast::error::timeout) {
    return {ErrorCode::Timeout, "the client made no progress in time"};
  }
  if (failed == http::error::partial_message || failed == asio::error::eof) {
    return {ErrorCode::Unavailable, "the client closed the connection"};
  }
  if (failed.category() == http::make_error_code(http::error::bad_method).category()) {
    return {ErrorCode::InvalidArgument, "the body is malformed: " + failed.message()};
  }
  return {ErrorCode::Unavailable, failed.message()};
}

}  // namespace opentrail::net
