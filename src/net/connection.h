#pragma once
#include "net/server.h"

#include <atomic>
#include <list>
#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/tcp_stream.hpp>

/// One client's connection. Internal to net.
namespace opentrail::net {

/// One thread's event loop and the connections that live on it. Touched from its own thread only,
/// but for the counters.
struct Loop {
  /// How to interrupt each connection that lives here.
  struct Member {
    boost::beast::tcp_stream* stream = nullptr;
    bool idle = true;  ///< Waits for a request: may be closed at once.
  };
  std::list<Member> members;
  asio::io_context context{1};  ///< Last: its coroutines leave `members` when it is destroyed.
};

/// What connections share. Outlives them all.
struct ConnectionEnvironment {
  ServerLimits limits;
  Handler handler;
  std::function<asio::awaitable<void>(const RefusedRequest&)> on_refused;
  std::unique_ptr<asio::ssl::context> tls;  ///< Absent: plain HTTP.
  std::atomic<bool> stopping = false;
};

/// Serves requests until the connection ends. Runs on the loop of `socket`.
asio::awaitable<void> serve_connection(asio::ip::tcp::socket socket, Loop& loop,
                                       ConnectionEnvironment& environment);

}  // namespace opentrail::net
