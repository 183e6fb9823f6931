#pragma once
#include "base/error.h"
#include "net/client.h"
#include "net/http.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

/// The other side of a proxy: requests to one origin, as coroutines on the caller's event loop.
namespace opentrail::net {

namespace asio = boost::asio;

struct UpstreamOptions {
  std::chrono::milliseconds connect_timeout{5000};
  /// From the request's last byte to the answer's head.
  std::chrono::milliseconds answer_timeout{60000};
  /// For each read or write of a body to make progress.
  std::chrono::milliseconds progress_timeout{60000};
  std::string ca_file;         ///< PEM, beside the system's certificates.
  std::size_t idle_max = 256;  ///< Kept connections, each event loop.
  /// A connection that was kept longer is not used again. It is closed when the next one is taken
  /// or kept, so a few may stay open while there are no requests.
  std::chrono::seconds idle_timeout{20};
  std::size_t head_bytes_max = 64 << 10;  ///< Of an answer; at most 64 KiB.
};

/// An answer's head. Set by the upstream and not verified.
struct AnswerHead {
  int status = 0;
  Headers headers;
  std::string raw;  ///< Status line to empty line, as they came.
  Framing framing = Framing::None;
  std::uint64_t length = 0;  ///< With Framing::Length.
  bool keep_alive = false;   ///< The connection may serve another request after this answer.
};

/// One request and its answer. Destroying it before the answer was read to its end closes the
/// connection; after that the connection is kept for another, unless a write failed. A caller that
/// stops in the middle of its request must say so by close_after(): what is missing would be taken
/// from the next request. On one thread.
class UpstreamExchange {
 public:
  virtual ~UpstreamExchange() = default;

  /// True when the connection was used before: it may have been closed by the other side
  /// meanwhile, so a request that broke off before answered() may be sent again elsewhere.
  [[nodiscard]] virtual bool reused() const = 0;
  /// Some byte of an answer came.
  [[nodiscard]] virtual bool answered() const = 0;

  /// Bytes of the request as they go on the wire: head, body, chunk framing.
  virtual asio::awaitable<Result<void>> write(std::string_view bytes) = 0;
  /// After the head of a request with "Expect: 100-continue": true when the upstream wants the body
  /// or `at_most` is over, false when a final answer's head is there for read_head(). Errors: as
  /// read_head().
  virtual asio::awaitable<Result<bool>> wait_continue(std::chrono::milliseconds at_most) = 0;
  /// The final answer's head; interim answers are passed over. Errors: Timeout, Unavailable (reset,
  /// closed), InvalidArgument (not HTTP, ambiguous, larger than head_bytes_max).
  virtual asio::awaitable<Result<AnswerHead>> read_head(bool request_was_head) = 0;
  /// The next bytes of the answer's body without their framing; 0 at its end. Errors: as
  /// read_head(); Unavailable when it was cut short.
  virtual asio::awaitable<Result<std::size_t>> read_some(std::span<char> buffer) = 0;
  /// Fields behind a chunked body, once read_some() gave 0.
  [[nodiscard]] virtual Headers trailers() const = 0;
  /// The connection is not to be kept.
  virtual void close_after() = 0;
};

/// One origin and the connections to it that are kept. Any thread; each event loop has its own
/// connections. close_idle() must be called while the loops still exist.
class Upstream {
 public:
  /// Errors: as Client::make.
  static Result<std::unique_ptr<Upstream>> make(Url origin, UpstreamOptions options);
  virtual ~Upstream() = default;

  [[nodiscard]] virtual const Url& origin() const = 0;
  /// A kept connection or, with `fresh` or when there is none, a new one. Errors: Timeout,
  /// Unavailable (with the reasons of client.h).
  virtual asio::awaitable<Result<std::unique_ptr<UpstreamExchange>>> open(bool fresh) = 0;
  virtual void close_idle() = 0;
};

}  // namespace opentrail::net
