#include "net/server.h"

#include "base/log.h"
#include "base/mutex.h"
#include "net/connection.h"

#include <algorithm>
#include <optional>
#include <thread>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace opentrail::net {
namespace {

using asio::ip::tcp;

constexpr std::chrono::milliseconds kPause{50};

Result<std::unique_ptr<asio::ssl::context>> make_tls(const ServerOptions& options) {
  if (options.tls_certificate_file.empty() && options.tls_key_file.empty()) {
    return std::unique_ptr<asio::ssl::context>();
  }
  auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
  boost::system::error_code failed;
  tls->use_certificate_chain_file(options.tls_certificate_file, failed);
  if (failed) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("cannot use the TLS certificate '{}': {}; it must be a PEM file",
                            options.tls_certificate_file, failed.message()));
  }
  tls->use_private_key_file(options.tls_key_file, asio::ssl::context::pem, failed);
  if (failed) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("cannot use the TLS key '{}': {}; it must be the PEM key of the "
                            "certificate",
                            options.tls_key_file, failed.message()));
  }
  return tls;
}

class HttpServer final : public Server {
 public:
  HttpServer(ServerOptions options, Handler handler, std::unique_ptr<asio::ssl::context> tls)
      : options_(std::move(options)) {
    environment_.limits = options_.limits;
    environment_.handler = std::move(handler);
    environment_.on_refused = std::move(options_.on_refused);
    environment_.tls = std::move(tls);
    for (int i = 0; i < std::max(options_.threads, 1); ++i) {
      loops_.push_back(std::make_unique<Loop>());
      guards_.push_back(asio::make_work_guard(loops_.back()->context));
    }
  }
  ~HttpServer() override { stop(std::chrono::milliseconds(0)); }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  Result<void> bind() {
    boost::system::error_code failed;
    const auto address = asio::ip::make_address(options_.address, failed);
    if (failed) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("'{}' is not an IP address to listen on", options_.address));
    }
    const tcp::endpoint endpoint(address, options_.port);
    tcp::acceptor& acceptor = acceptor_.emplace(loops_.front()->context);
    acceptor.open(endpoint.protocol(), failed);
    if (!failed) {
      acceptor.set_option(asio::socket_base::reuse_address(true), failed);
    }
    if (!failed) {
      acceptor.bind(endpoint, failed);
    }
    if (!failed) {
      acceptor.listen(asio::socket_base::max_listen_connections, failed);
    }
    if (failed) {
      const bool taken = failed == asio::error::address_in_use;
      return fail(
          ErrorCode::Unavailable,
          fmt::format("cannot listen on {}:{}: {}{}", options_.address, options_.port,
                      failed.message(), taken ? "; choose another port with --listen" : ""));
    }
    port_ = acceptor.local_endpoint().port();
    return {};
  }

  [[nodiscard]] std::uint16_t port() const override { return port_; }

  void start() override {
    asio::co_spawn(loops_.front()->context, accept_all(), asio::detached);
    for (auto& loop : loops_) {
      threads_.emplace_back([&context = loop->context] { context.run(); });
    }
  }

  void stop(std::chrono::milliseconds grace) override {
    if (stopped_) {
      return;
    }
    stopped_ = true;
    environment_.stopping = true;
    asio::post(loops_.front()->context, [this] {
      boost::system::error_code ignored;
      acceptor_->close(ignored);
    });
    interrupt(true);
    const auto deadline = std::chrono::steady_clock::now() + grace;
    if (!threads_.empty() && !wait_until_none(deadline)) {
      interrupt(false);
      constexpr std::chrono::milliseconds kCloseTime{1000};
      if (!wait_until_none(std::chrono::steady_clock::now() + kCloseTime)) {
        log::warn("a connection did not end in time and was dropped");
      }
    }
    guards_.clear();
    for (auto& loop : loops_) {
      loop->context.stop();
    }
    for (auto& thread : threads_) {
      thread.join();
    }
    threads_.clear();
    // Without a connection the loops may have ended before the close that was posted above; what
    // still listens would take clients whom nobody answers.
    if (acceptor_) {
      boost::system::error_code ignored;
      acceptor_->close(ignored);
    }
  }

 private:
  asio::awaitable<void> accept_all() {
    std::size_t next = 0;
    asio::steady_timer timer(loops_.front()->context);
    while (!environment_.stopping.load()) {
      if (connections() >= options_.limits.connections_max) {
        // Those that wait are held by the kernel's queue; nobody is turned away.
        timer.expires_after(kPause);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        continue;
      }
      Loop& loop = *loops_[next++ % loops_.size()];
      auto [failed, socket] =
          co_await acceptor_->async_accept(loop.context, asio::as_tuple(asio::use_awaitable));
      if (failed) {
        if (environment_.stopping.load()) {
          co_return;
        }
        log::warn("cannot accept a connection: {}; trying again", failed.message());
        timer.expires_after(kPause);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        continue;
      }
      count(1);
      asio::co_spawn(loop.context, serve_connection(std::move(socket), loop, environment_),
                     [this](const std::exception_ptr&) { count(-1); });
    }
  }

  /// Closes the connections that wait for a request, or all of them.
  void interrupt(bool idle_only) {
    for (auto& loop : loops_) {
      asio::post(loop->context, [&members = loop->members, idle_only] {
        for (auto& member : members) {
          if (!idle_only || member.idle) {
            member.stream->cancel();
          }
        }
      });
    }
  }

  [[nodiscard]] std::size_t connections() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return connections_;
  }
  void count(int change) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    connections_ += static_cast<std::size_t>(change);
    if (connections_ == 0) {
      none_left_.notify_all();
    }
  }
  bool wait_until_none(std::chrono::steady_clock::time_point deadline) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (connections_ > 0) {
      if (!none_left_.wait_until(mutex_, deadline)) {
        return connections_ == 0;
      }
    }
    return true;
  }

  ServerOptions options_;
  ConnectionEnvironment environment_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards_;
  std::optional<tcp::acceptor> acceptor_;
  std::uint16_t port_ = 0;
  std::vector<std::thread> threads_;
  Mutex mutex_;
  Condition none_left_;
  std::size_t connections_ GUARDED_BY(mutex_) = 0;
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(ServerOptions options, Handler handler) {
  OT_TRY(auto tls, make_tls(options));
  auto server =
      std::make_unique<HttpServer>(std::move(options), std::move(handler), std::move(tls));
  OT_TRY_DO(server->bind());
  return server;
}

}  // namespace opentrail::net
