#pragma once
#include "base/error.h"
#include "net/http.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include <boost/asio/awaitable.hpp>

namespace opentrail::net {

namespace asio = boost::asio;

/// Bounds on what one client can make us hold or wait for.
struct ServerLimits {
  /// At most 64 KiB. Bounds what stands between the chunks of a body, too.
  std::size_t header_bytes_max = 64 << 10;
  std::size_t connections_max = 1024;
  /// Fields of one request's header.
  std::size_t fields_max = 200;
  /// Until a request's header is whole; also the idle time between requests.
  std::chrono::seconds header_timeout{60};
  /// For each read or write of a body to make progress.
  std::chrono::seconds body_timeout{60};
};

/// A request that was answered here, before any handler saw it.
struct RefusedRequest {
  std::string peer_address;
  std::optional<TlsDetails> tls;
  int status = 400;
  std::string reason;  ///< "more than one Content-Length".
  std::string raw;     ///< What came of its head, at most kRefusedBytesMax.
};
inline constexpr std::size_t kRefusedBytesMax = 4 << 10;

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;            ///< 0 takes a free one; see Server::port().
  int threads = 2;                   ///< One io_context each; a connection lives and dies on one.
  std::string tls_certificate_file;  ///< PEM; empty: plain HTTP.
  std::string tls_key_file;
  ServerLimits limits;
  /// Told of each request that is refused here, before its answer goes out, so that it can be put
  /// on the record; may be empty. Runs on the connection's thread.
  std::function<asio::awaitable<void>(const RefusedRequest&)> on_refused;
};

/// One request being answered. Lives on its connection's thread; every call is made from there.
/// The handler must send a head, and either a whole body or write() until done + finish().
class Exchange {
 public:
  virtual ~Exchange() = default;

  [[nodiscard]] virtual const RequestHead& request() const = 0;

  /// Reads the next body bytes into `buffer`; 0 at the end. Sends "100 Continue" first if the
  /// client waits for it. Errors: Timeout, Unavailable (the client went away), InvalidArgument
  /// (broken chunk encoding).
  virtual asio::awaitable<Result<std::size_t>> read_some(std::span<char> buffer) = 0;
  /// The whole rest of the body. InvalidArgument when it is larger than `bytes_max`: the excess is
  /// not read and the connection will be closed after the answer.
  virtual asio::awaitable<Result<std::string>> read_all(std::size_t bytes_max) = 0;

  /// Sends head and body. Content-Length, Date, Server and Connection are added; for HEAD requests
  /// and 204/304 the body is left out (a Content-Length set by the caller is kept).
  virtual asio::awaitable<Result<void>> respond(ResponseHead head, std::string body) = 0;
  /// Begins a streamed answer of exactly `content_length` bytes.
  virtual asio::awaitable<Result<void>> begin_response(ResponseHead head,
                                                       std::uint64_t content_length) = 0;
  virtual asio::awaitable<Result<void>> write(std::string_view bytes) = 0;

  /// Begins an answer whose head goes out as it is given, with nothing added. `length` counts for
  /// Framing::Length. With Framing::Chunked each write() is a chunk and end_chunks() ends the
  /// answer. A body that is not written to its end is broken off by resetting the connection, so
  /// that nobody takes it for whole.
  virtual asio::awaitable<Result<void>> begin_forwarded(std::string_view /*raw_head*/,
                                                        Framing /*framing*/,
                                                        std::uint64_t /*length*/) {
    co_return fail(ErrorCode::Internal, "this exchange does not forward");
  }
  /// `trailer_lines`: fields, each with its line end; may be empty.
  virtual asio::awaitable<Result<void>> end_chunks(std::string_view /*trailer_lines*/) {
    co_return fail(ErrorCode::Internal, "this exchange does not forward");
  }
  /// Fields behind a chunked body, once read_some() gave 0.
  [[nodiscard]] virtual Headers trailers() const { return {}; }
  /// The client waits for "100 Continue" before it sends its body: the first read sends it.
  [[nodiscard]] virtual bool expects_continue() const { return false; }
  /// Sends it before any read; nothing when the client does not wait for it.
  virtual asio::awaitable<Result<void>> send_continue() { co_return Result<void>{}; }

  /// True once a head was sent: an error can then only close the connection.
  [[nodiscard]] virtual bool responded() const = 0;
  /// Close the connection after this exchange.
  virtual void close_after() = 0;
  /// The answer that was begun cannot be ended: the connection is reset when the handler returns.
  /// For Framing::UntilClose, of which nobody could see otherwise that it is not whole.
  virtual void break_off() { close_after(); }
};

/// Called once a request; must not throw. What it leaves unread of the body is drained (up to a
/// bound) or the connection is closed.
using Handler = std::function<asio::awaitable<void>(Exchange&)>;

/// HTTP/1.1 over TCP or TLS, keep-alive, Expect: 100-continue, chunked requests. Broken requests
/// (bad syntax, conflicting Content-Length and Transfer-Encoding, codings other than chunked,
/// absolute form, oversized header; head_check.h has the rules) are answered 400, 408 or 431 and
/// the connection is closed; the handler does not see them, on_refused does.
class Server {
 public:
  /// Binds and listens; serving begins with run(). Errors name the address and what to do.
  static Result<std::unique_ptr<Server>> listen(ServerOptions options, Handler handler);
  virtual ~Server() = default;

  [[nodiscard]] virtual std::uint16_t port() const = 0;
  /// Starts the threads and returns.
  virtual void start() = 0;
  /// Stops accepting, lets running exchanges end (at most `grace`), closes, joins. Idempotent.
  virtual void stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace opentrail::net
