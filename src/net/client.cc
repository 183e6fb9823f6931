#include "net/client.h"

#include "net/tls_client.h"

#include <memory>
#include <optional>
#include <variant>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl.hpp>
#include <fmt/format.h>

namespace opentrail::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
/// What one read may take at most, and what a parser keeps.
constexpr std::size_t kReadBytes = 64 << 10;

/// What one try came to.
struct Attempt {
  boost::system::error_code failed;
  std::string stage;      ///< "connect", "TLS handshake", "send", "receive".
  std::string detail;     ///< More than the error's message says; may be empty.
  std::string reason;     ///< Of the Error, see client.h; may be empty.
  bool answered = false;  ///< Some byte of the answer came.
  std::optional<ClientResponse> response;
};

class HttpClient final : public Client {
 public:
  HttpClient(Url origin, ClientOptions options)
      : origin_(std::move(origin)), options_(std::move(options)) {
    buffer_.reserve(kReadBytes);  // else it reads in small pieces
  }

  Result<void> prepare() {
    if (origin_.scheme != "https") {
      return {};
    }
    OT_TRY(tls_, make_client_tls(origin_.host, options_.ca_file));
    return {};
  }

  [[nodiscard]] const Url& origin() const override { return origin_; }

  Result<ClientResponse> send(const ClientRequest& request) override {
    const bool kept = connected_;
    Attempt attempt = run(request);
    if (attempt.failed && kept && !attempt.answered && attempt.failed != beast::error::timeout) {
      // The server closed the kept connection while it was idle: that is no answer.
      attempt = run(request);
    }
    if (!attempt.failed) {
      return *std::move(attempt.response);
    }
    if (attempt.failed == beast::error::timeout) {
      return fail(ErrorCode::Timeout, fmt::format("{} {}: no answer in time ({})", request.method,
                                                  origin_.authority(), attempt.stage));
    }
    if (attempt.failed == http::error::body_limit) {
      return fail(ErrorCode::ResourceExhausted,
                  fmt::format("{} {}: the answer is larger than {} bytes", request.method,
                              origin_.authority(), options_.response_bytes_max));
    }
    const std::string what = attempt.detail.empty() ? attempt.failed.message() : attempt.detail;
    return fail(
        ErrorCode::Unavailable,
        fmt::format("{} {}: {}: {}", request.method, origin_.authority(), attempt.stage, what),
        std::move(attempt.reason));
  }

 private:
  Attempt run(const ClientRequest& request) {
    Attempt attempt;
    context_.restart();
    asio::co_spawn(context_, exchange(request, attempt), asio::detached);
    context_.run();
    if (attempt.failed) {
      disconnect();
    }
    return attempt;
  }

  beast::tcp_stream& lowest() { return plain_ ? *plain_ : beast::get_lowest_layer(*tls_stream_); }

  void disconnect() {
    connected_ = false;
    plain_.reset();
    tls_stream_.reset();
    buffer_.clear();
  }

  asio::awaitable<void> connect(Attempt& attempt) {
    attempt.stage = "connect";
    asio::ip::tcp::resolver resolver(context_);
    auto [unresolved, endpoints] =
        co_await resolver.async_resolve(origin_.host, std::to_string(origin_.port), kTuple);
    if (unresolved) {
      attempt.failed = unresolved;
      co_return;
    }
    if (tls_) {
      tls_stream_.emplace(context_, *tls_);
      name_server(tls_stream_->native_handle(), origin_.host);
    } else {
      plain_.emplace(context_);
    }
    lowest().expires_after(options_.connect_timeout);
    const auto [refused, endpoint] = co_await lowest().async_connect(endpoints, kTuple);
    attempt.failed = refused;
    if (!attempt.failed && tls_) {
      attempt.stage = "TLS handshake";
      const auto [unsafe] =
          co_await tls_stream_->async_handshake(asio::ssl::stream_base::client, kTuple);
      attempt.failed = unsafe;
      if (unsafe && unsafe != beast::error::timeout) {
        auto failure = explain_handshake(unsafe, tls_stream_->native_handle(), origin_.host);
        attempt.detail = std::move(failure.detail);
        attempt.reason = std::move(failure.reason);
      }
    }
    connected_ = !attempt.failed;
    if (connected_) {
      boost::system::error_code ignored;
      lowest().socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    }
  }

  asio::awaitable<void> exchange(const ClientRequest& request, Attempt& attempt) {
    if (!connected_) {
      co_await connect(attempt);
    }
    if (attempt.failed) {
      co_return;
    }
    lowest().expires_after(options_.request_timeout);
    if (plain_) {
      co_await exchange_over(*plain_, request, attempt);
    } else {
      co_await exchange_over(*tls_stream_, request, attempt);
    }
    if (connected_) {
      lowest().expires_never();
    }
  }

  [[nodiscard]] http::request<http::string_body> to_beast(const ClientRequest& request) const {
    http::request<http::string_body> message;
    message.version(11);
    message.method_string(request.method);
    message.target(origin_.path + request.target);
    for (const auto& [name, value] : request.headers.fields()) {
      message.insert(name, value);
    }
    if (!request.headers.find("host")) {
      message.set(http::field::host, origin_.authority());
    }
    message.body() = request.body;
    const bool has_body =
        !request.body.empty() || request.method == "POST" || request.method == "PUT";
    if (has_body) {
      message.content_length(request.body.size());
    }
    return message;
  }

  template <typename Stream>
  asio::awaitable<void> exchange_over(Stream& stream, const ClientRequest& request,
                                      Attempt& attempt) {
    attempt.stage = "send";
    const auto message = to_beast(request);
    const auto [unsent, sent] = co_await http::async_write(stream, message, kTuple);
    if (unsent == beast::error::timeout) {
      attempt.failed = unsent;
      co_return;
    }
    if (!unsent) {
      attempt.stage = "receive";
    }
    // A server that does not want the rest of the body answers and closes: the answer says why.
    http::response_parser<http::string_body> parser;
    parser.body_limit(options_.response_bytes_max);
    parser.skip(request.method == "HEAD");
    do {
      const auto [failed, bytes] = co_await http::async_read_some(stream, buffer_, parser, kTuple);
      attempt.answered = attempt.answered || bytes > 0;
      if (failed) {
        attempt.failed = unsent && !attempt.answered ? unsent : failed;
        co_return;
      }
    } while (!parser.is_done());
    keep(attempt, parser);
    if (unsent) {
      disconnect();
    }
  }

  void keep(Attempt& attempt, http::response_parser<http::string_body>& parser) {
    if (!parser.keep_alive()) {
      disconnect();
    }
    auto message = parser.release();
    ClientResponse response;
    response.status = static_cast<int>(message.result_int());
    for (const auto& field : message) {
      const auto name = field.name_string();
      const auto value = field.value();
      response.headers.add(std::string(name.data(), name.size()),
                           std::string(value.data(), value.size()));
    }
    response.body = std::move(message.body());
    attempt.response = std::move(response);
  }

  Url origin_;
  ClientOptions options_;
  asio::io_context context_{1};
  std::unique_ptr<asio::ssl::context> tls_;
  std::optional<PlainStream> plain_;
  std::optional<TlsStream> tls_stream_;
  // Bounds what stands between the chunks of an answer; the parser throws at a field of 64 KiB.
  beast::flat_buffer buffer_{kReadBytes};
  bool connected_ = false;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::make(Url origin, ClientOptions options) {
  auto client = std::make_unique<HttpClient>(std::move(origin), std::move(options));
  OT_TRY_DO(client->prepare());
  return client;
}

}  // namespace opentrail::net
