#include "net/connection.h"

#include "base/log.h"
#include "net/http_exchange.h"

#include <algorithm>
#include <exception>

#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/ssl.hpp>

namespace opentrail::net {
namespace {

namespace beast = boost::beast;

/// Bytes that are read before they are understood: a header, or what stands between two chunks of a
/// body, which the parser itself does not bound. No more than this, since a field of 64 KiB makes
/// it throw out of the event loop.
constexpr std::size_t kBufferBytesMax = 64 << 10;

TlsDetails describe_tls(const SSL* ssl) {
  TlsDetails details;
  details.version = SSL_get_version(ssl);
  if (const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl); cipher != nullptr) {
    details.cipher_suite = SSL_CIPHER_standard_name(cipher);
  }
  return details;
}

std::string peer_address(const asio::ip::tcp::socket& socket) {
  boost::system::error_code failed;
  const auto endpoint = socket.remote_endpoint(failed);
  return failed ? std::string() : endpoint.address().to_string();
}

/// Takes the loop's note of the connection away however it ends.
class Membership {
 public:
  Membership(Loop& loop, beast::tcp_stream& stream) : loop_(loop) {
    loop_.members.push_front({&stream, true});
    self_ = loop_.members.begin();
  }
  ~Membership() { loop_.members.erase(self_); }
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  void set_idle(bool idle) { self_->idle = idle; }

 private:
  Loop& loop_;
  std::list<Loop::Member>::iterator self_;
};

template <typename Stream>
asio::awaitable<void> serve_requests(Stream& stream, Membership& membership,
                                     ConnectionEnvironment& environment, const Peer& peer) {
  beast::flat_buffer buffer(std::min(environment.limits.header_bytes_max, kBufferBytesMax));
  Deadline deadline(beast::get_lowest_layer(stream));
  bool go_on = true;
  while (go_on && !environment.stopping.load()) {
    HttpExchange<Stream> exchange(stream, buffer, environment.limits, peer, deadline,
                                  environment.on_refused);
    membership.set_idle(true);
    const bool readable = co_await exchange.read_head();
    membership.set_idle(false);
    if (!readable) {
      co_return;
    }
    co_await environment.handler(exchange);
    go_on = co_await exchange.finish(environment.stopping.load());
  }
}

asio::awaitable<void> serve_plain(asio::ip::tcp::socket socket, Loop& loop,
                                  ConnectionEnvironment& environment) {
  const Peer peer{peer_address(socket), std::nullopt};
  beast::tcp_stream stream(std::move(socket));
  Membership membership(loop, stream);
  co_await serve_requests(stream, membership, environment, peer);
  boost::system::error_code ignored;
  stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> serve_tls(asio::ip::tcp::socket socket, Loop& loop,
                                ConnectionEnvironment& environment) {
  Peer peer{peer_address(socket), std::nullopt};
  beast::ssl_stream<beast::tcp_stream> stream(beast::tcp_stream(std::move(socket)),
                                              *environment.tls);
  Membership membership(loop, beast::get_lowest_layer(stream));
  beast::get_lowest_layer(stream).expires_after(environment.limits.header_timeout);
  const auto [failed] = co_await stream.async_handshake(asio::ssl::stream_base::server,
                                                        asio::as_tuple(asio::use_awaitable));
  if (failed) {
    log::debug("TLS handshake with {} failed: {}", peer.address, failed.message());
    co_return;
  }
  beast::get_lowest_layer(stream).expires_never();
  peer.tls = describe_tls(stream.native_handle());
  co_await serve_requests(stream, membership, environment, peer);
  beast::get_lowest_layer(stream).expires_after(environment.limits.body_timeout);
  co_await stream.async_shutdown(asio::as_tuple(asio::use_awaitable));
}

}  // namespace

asio::awaitable<void> serve_connection(asio::ip::tcp::socket socket, Loop& loop,
                                       ConnectionEnvironment& environment) {
  // Handlers must not throw; should one do so all the same, only its connection ends.
  try {
    boost::system::error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    if (environment.tls) {
      co_await serve_tls(std::move(socket), loop, environment);
    } else {
      co_await serve_plain(std::move(socket), loop, environment);
    }
  } catch (const std::exception& defect) {
    log::error("a connection ended by an exception, which is a defect: {}", defect.what());
  }
}

}  // namespace opentrail::net
