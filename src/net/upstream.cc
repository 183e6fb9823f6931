#include "net/upstream.h"

#include "base/mutex.h"
#include "base/text.h"
#include "net/head_check.h"
#include "net/tls_client.h"

#include <optional>
#include <unordered_map>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/ssl.hpp>
#include <fmt/format.h>
#include <sys/socket.h>

namespace opentrail::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
/// Bounds a head, and what stands between the chunks of a body.
constexpr std::size_t kBufferBytes = 64 << 10;
constexpr std::size_t kAnswerFieldsMax = 500;
constexpr int kInterimMax = 200;
constexpr int kSwitchingProtocols = 101;

/// One connection, plain or TLS.
struct Connection {
  std::optional<beast::tcp_stream> plain;
  std::optional<beast::ssl_stream<beast::tcp_stream>> tls;
  beast::flat_buffer buffer{kBufferBytes};
  Clock::time_point idle_since;
  bool used = false;

  beast::tcp_stream& lowest() { return plain ? *plain : beast::get_lowest_layer(*tls); }

  /// False when the other side closed it, or sent what nobody asked for.
  bool is_quiet() {
    char byte = 0;
    const auto got = ::recv(lowest().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }
};

class HttpUpstream;

class HttpUpstreamExchange final : public UpstreamExchange {
 public:
  HttpUpstreamExchange(HttpUpstream& owner, std::unique_ptr<Connection> connection)
      : owner_(owner), connection_(std::move(connection)), reused_(connection_->used) {
    connection_->used = true;
  }
  ~HttpUpstreamExchange() override;
  HttpUpstreamExchange(const HttpUpstreamExchange&) = delete;
  HttpUpstreamExchange& operator=(const HttpUpstreamExchange&) = delete;

  [[nodiscard]] bool reused() const override { return reused_; }
  [[nodiscard]] bool answered() const override { return answered_; }

  asio::awaitable<Result<void>> write(std::string_view bytes) override;
  asio::awaitable<Result<AnswerHead>> read_head(bool request_was_head) override;
  asio::awaitable<Result<std::size_t>> read_some(std::span<char> buffer) override;
  [[nodiscard]] Headers trailers() const override;

 private:
  using Parser = http::response_parser<http::buffer_body>;

  template <typename Work>
  auto over(Work work) {
    return connection_->plain ? work(*connection_->plain) : work(*connection_->tls);
  }
  asio::awaitable<boost::system::error_code> read_more();
  asio::awaitable<Result<std::string>> read_raw_head();
  [[nodiscard]] Error error_of(const boost::system::error_code& failed, std::string_view stage,
                               bool body) const;
  AnswerHead describe(std::string raw);

  HttpUpstream& owner_;
  std::unique_ptr<Connection> connection_;
  std::optional<Parser> parser_;
  std::size_t field_count_ = 0;
  bool reused_ = false;
  bool answered_ = false;
  bool whole_ = false;  ///< The answer was read to its end.
};

class HttpUpstream final : public Upstream {
 public:
  HttpUpstream(Url origin, UpstreamOptions options)
      : origin_(std::move(origin)), options_(std::move(options)) {}

  Result<void> prepare() {
    if (origin_.scheme == "https") {
      OT_TRY(tls_, make_client_tls(origin_.host, options_.ca_file));
    }
    return {};
  }

  [[nodiscard]] const Url& origin() const override { return origin_; }
  [[nodiscard]] const UpstreamOptions& options() const { return options_; }

  asio::awaitable<Result<std::unique_ptr<UpstreamExchange>>> open(bool fresh) override {
    const auto executor = co_await asio::this_coro::executor;
    auto connection = fresh ? nullptr : take(&asio::query(executor, asio::execution::context));
    if (connection == nullptr) {
      OT_CO_TRY(connection, co_await connect(executor));
    }
    co_return std::make_unique<HttpUpstreamExchange>(*this, std::move(connection));
  }

  void close_idle() override {
    const MutexLock lock(mutex_);
    idle_.clear();
  }

  /// Keeps a connection whose last answer was read to its end.
  void keep(std::unique_ptr<Connection> connection) {
    connection->idle_since = Clock::now();
    connection->lowest().expires_never();
    const void* loop = &asio::query(connection->lowest().get_executor(), asio::execution::context);
    const MutexLock lock(mutex_);
    auto& kept = idle_[loop];
    if (kept.size() < options_.idle_max) {
      kept.push_back(std::move(connection));
    }
  }

 private:
  std::unique_ptr<Connection> take(const void* loop) {
    std::vector<std::unique_ptr<Connection>> stale;  // closed outside the lock
    const auto oldest = Clock::now() - options_.idle_timeout;
    const MutexLock lock(mutex_);
    const auto found = idle_.find(loop);
    while (found != idle_.end() && !found->second.empty()) {
      auto connection = std::move(found->second.back());
      found->second.pop_back();
      if (connection->idle_since > oldest && connection->is_quiet()) {
        return connection;
      }
      stale.push_back(std::move(connection));
    }
    return nullptr;
  }

  [[nodiscard]] std::unexpected<Error> failure(const boost::system::error_code& failed,
                                               std::string_view stage,
                                               HandshakeFailure why = {}) const {
    const bool late = failed == beast::error::timeout;
    return fail(late ? ErrorCode::Timeout : ErrorCode::Unavailable,
                fmt::format("{}: {}: {}", origin_.authority(), stage,
                            !why.detail.empty() ? why.detail
                            : late              ? "no answer in time"
                                                : failed.message()),
                std::move(why.reason));
  }

  template <typename Executor>
  asio::awaitable<Result<std::unique_ptr<Connection>>> connect(Executor executor) {
    asio::ip::tcp::resolver resolver(executor);
    auto [unresolved, endpoints] =
        co_await resolver.async_resolve(origin_.host, std::to_string(origin_.port), kTuple);
    if (unresolved) {
      co_return failure(unresolved, "resolve");
    }
    auto connection = std::make_unique<Connection>();
    connection->buffer.reserve(kBufferBytes);
    if (tls_) {
      connection->tls.emplace(executor, *tls_);
      SSL_set_tlsext_host_name(connection->tls->native_handle(), origin_.host.c_str());
    } else {
      connection->plain.emplace(executor);
    }
    connection->lowest().expires_after(options_.connect_timeout);
    const auto [refused, endpoint] = co_await connection->lowest().async_connect(endpoints, kTuple);
    if (refused) {
      co_return failure(refused, "connect");
    }
    boost::system::error_code ignored;
    connection->lowest().socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    if (tls_) {
      const auto [unsafe] =
          co_await connection->tls->async_handshake(asio::ssl::stream_base::client, kTuple);
      if (unsafe) {
        auto why = unsafe == beast::error::timeout
                       ? HandshakeFailure{}
                       : explain_handshake(unsafe, connection->tls->native_handle(), origin_.host);
        co_return failure(unsafe, "TLS handshake", std::move(why));
      }
    }
    connection->lowest().expires_never();
    co_return connection;
  }

  Url origin_;
  UpstreamOptions options_;
  std::unique_ptr<asio::ssl::context> tls_;
  Mutex mutex_;
  std::unordered_map<const void*, std::vector<std::unique_ptr<Connection>>> idle_
      GUARDED_BY(mutex_);
};

HttpUpstreamExchange::~HttpUpstreamExchange() {
  if (whole_ && parser_ && parser_->keep_alive() && connection_->buffer.size() == 0) {
    owner_.keep(std::move(connection_));
  }
}

Error HttpUpstreamExchange::error_of(const boost::system::error_code& failed,
                                     std::string_view stage, bool body) const {
  const std::string where = fmt::format("{}: {}", owner_.origin().authority(), stage);
  if (failed == beast::error::timeout) {
    return {ErrorCode::Timeout, where + ": no progress in time"};
  }
  if (failed == asio::error::eof || failed == http::error::partial_message ||
      failed == http::error::end_of_stream) {
    return {ErrorCode::Unavailable,
            where + (body ? ": the answer was cut short" : ": the connection was closed")};
  }
  const bool protocol =
      failed.category() == http::make_error_code(http::error::bad_method).category();
  return {protocol ? ErrorCode::InvalidArgument : ErrorCode::Unavailable,
          where + ": " + failed.message()};
}

asio::awaitable<Result<void>> HttpUpstreamExchange::write(std::string_view bytes) {
  connection_->lowest().expires_after(owner_.options().progress_timeout);
  const auto [failed, count] = co_await over(
      [&](auto& stream) { return asio::async_write(stream, asio::buffer(bytes), kTuple); });
  if (failed) {
    co_return std::unexpected(error_of(failed, "send", false));
  }
  co_return Result<void>{};
}

asio::awaitable<boost::system::error_code> HttpUpstreamExchange::read_more() {
  constexpr std::size_t kStep = 16 << 10;
  auto& buffer = connection_->buffer;
  const auto space = buffer.prepare(std::min(kStep, buffer.max_size() - buffer.size()));
  const auto [failed, count] =
      co_await over([&](auto& stream) { return stream.async_read_some(space, kTuple); });
  buffer.commit(count);
  answered_ = answered_ || count > 0;
  co_return failed;
}

asio::awaitable<Result<std::string>> HttpUpstreamExchange::read_raw_head() {
  constexpr std::string_view kEnd = "\r\n\r\n";
  auto& buffer = connection_->buffer;
  std::size_t searched = 0;
  for (;;) {
    const std::string_view text(static_cast<const char*>(buffer.data().data()), buffer.size());
    const auto end = text.find(kEnd, searched);
    if (end != std::string_view::npos) {
      co_return std::string(text.substr(0, end + kEnd.size()));
    }
    if (text.size() >= buffer.max_size()) {
      co_return fail(ErrorCode::InvalidArgument,
                     fmt::format("{}: the answer's header is larger than {} bytes",
                                 owner_.origin().authority(), buffer.max_size()));
    }
    searched = text.size() < kEnd.size() ? 0 : text.size() - kEnd.size() + 1;
    if (const auto failed = co_await read_more()) {
      co_return std::unexpected(error_of(failed, "receive", false));
    }
  }
}

AnswerHead HttpUpstreamExchange::describe(std::string raw) {
  AnswerHead head;
  head.raw = std::move(raw);
  head.status = static_cast<int>(parser_->get().result_int());
  for (const auto& field : parser_->get()) {
    head.headers.add(std::string(field.name_string()), std::string(field.value()));
  }
  field_count_ = head.headers.fields().size();
  if (parser_->is_done()) {
    whole_ = true;
    // A length of 0 is one; HEAD, 204 and 304 have no body whatever their fields say.
  } else if (parser_->chunked()) {
    head.framing = Framing::Chunked;
  } else if (const auto length = parser_->content_length()) {
    head.framing = Framing::Length;
    head.length = *length;
  } else {
    head.framing = Framing::UntilClose;
  }
  return head;
}

asio::awaitable<Result<AnswerHead>> HttpUpstreamExchange::read_head(bool request_was_head) {
  connection_->lowest().expires_after(owner_.options().answer_timeout);
  for (;;) {
    OT_CO_TRY(std::string raw, co_await read_raw_head());
    if (const auto defect = answer_defect(raw, kAnswerFieldsMax)) {
      co_return fail(ErrorCode::InvalidArgument, fmt::format("{}: the answer is not understood: {}",
                                                             owner_.origin().authority(), *defect));
    }
    parser_.emplace();
    parser_->header_limit(kBufferBytes);
    parser_->body_limit(boost::none);
    parser_->skip(request_was_head);
    // All of it is in the buffer: nothing is read here.
    const auto [failed, count] = co_await over([&](auto& stream) {
      return http::async_read_header(stream, connection_->buffer, *parser_, kTuple);
    });
    if (failed) {
      co_return std::unexpected(error_of(failed, "receive", false));
    }
    const int status = static_cast<int>(parser_->get().result_int());
    if (status == kSwitchingProtocols) {
      co_return fail(
          ErrorCode::InvalidArgument,
          fmt::format("{}: the answer switches to another protocol", owner_.origin().authority()));
    }
    if (status >= kInterimMax) {
      co_return describe(std::move(raw));
    }
  }
}

asio::awaitable<Result<std::size_t>> HttpUpstreamExchange::read_some(std::span<char> buffer) {
  if (parser_->is_done() || buffer.empty()) {
    whole_ = whole_ || parser_->is_done();
    co_return std::size_t{0};
  }
  auto& body = parser_->get().body();
  body.data = buffer.data();
  body.size = buffer.size();
  body.more = true;
  connection_->lowest().expires_after(owner_.options().progress_timeout);
  while (!parser_->is_done() && body.size == buffer.size()) {
    const auto [failed, count] = co_await over([&](auto& stream) {
      return http::async_read_some(stream, connection_->buffer, *parser_, kTuple);
    });
    if (failed && failed != http::error::need_buffer) {
      co_return std::unexpected(error_of(failed, "receive", true));
    }
  }
  whole_ = parser_->is_done();
  co_return buffer.size() - body.size;
}

Headers HttpUpstreamExchange::trailers() const {
  Headers behind;
  std::size_t index = 0;
  for (const auto& field : parser_->get()) {
    if (index++ >= field_count_) {
      behind.add(std::string(field.name_string()), std::string(field.value()));
    }
  }
  return behind;
}

}  // namespace

Result<std::unique_ptr<Upstream>> Upstream::make(Url origin, UpstreamOptions options) {
  auto upstream = std::make_unique<HttpUpstream>(std::move(origin), std::move(options));
  OT_TRY_DO(upstream->prepare());
  return upstream;
}

}  // namespace opentrail::net
