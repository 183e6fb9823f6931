#pragma once
#include "base/mutex.h"
#include "net/server.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace opentrail::collect {

/// An HTTP server for tests: remembers every request, and answers each with what the test says.
class FakeServer {
 public:
  struct Request {
    net::RequestHead head;
    std::string body;
  };
  struct Answer {
    int status = 200;
    std::string body;
    net::Headers headers;
  };
  /// Called on the server's thread, for one request at a time; `number` counts from 0.
  using Answering = std::function<Answer(const Request& request, std::size_t number)>;

  explicit FakeServer(Answering answering) : answering_(std::move(answering)) {
    net::ServerOptions options;
    options.threads = 1;
    auto server = net::Server::listen(std::move(options),
                                      [this](net::Exchange& exchange) { return answer(exchange); });
    OT_CHECK(server.has_value());
    server_ = *std::move(server);
    server_->start();
  }
  ~FakeServer() { server_->stop(std::chrono::milliseconds(0)); }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  [[nodiscard]] std::string endpoint() const {
    return fmt::format("http://127.0.0.1:{}", server_->port());
  }
  [[nodiscard]] std::vector<Request> requests() const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return requests_;
  }

 private:
  net::asio::awaitable<void> answer(net::Exchange& exchange) {
    constexpr std::size_t kBytesMax = 64 << 20;
    auto body = co_await exchange.read_all(kBytesMax);
    const Request request{.head = exchange.request(), .body = body.value_or("")};
    const std::size_t number = remember(request);
    Answer given = answering_(request, number);
    net::ResponseHead head{.status = given.status, .headers = std::move(given.headers)};
    static_cast<void>(co_await exchange.respond(std::move(head), std::move(given.body)));
  }

  std::size_t remember(const Request& request) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    requests_.push_back(request);
    return requests_.size() - 1;
  }

  const Answering answering_;
  mutable Mutex mutex_;
  std::vector<Request> requests_ GUARDED_BY(mutex_);
  std::unique_ptr<net::Server> server_;
};

}  // namespace opentrail::collect
