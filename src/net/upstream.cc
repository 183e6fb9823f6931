#include "net/upstream.h"

#include "base/mutex.h"
#include "net/deadline.h"
#include "net/head_check.h"
#include "net/tls_client.h"

#include <algorithm>
#include <iterator>
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
constexpr int kSwitchingProtocols = 101;
constexpr std::string_view kHeadEnd = "\r\n\r\n";
/// Where "200" stands in "HTTP/1.1 200 OK".
constexpr std::size_t kStatusAt = 9;

/// A head that passed the check is an interim answer's: another follows.
bool is_interim(std::string_view raw) {
  return raw[kStatusAt] == '1' && raw.substr(kStatusAt, 3) != std::to_string(kSwitchingProtocols);
}

/// One connection, plain or TLS.
struct Connection {
  explicit Connection(std::size_t head_bytes_max) : buffer(std::min(head_bytes_max, kBufferBytes)) {
    buffer.reserve(buffer.max_size());  // else the parser reads in small pieces
  }
  std::optional<beast::tcp_stream> plain;
  std::optional<beast::ssl_stream<beast::tcp_stream>> tls;
  std::optional<Deadline> write_deadline;
  beast::flat_buffer buffer;
  Clock::time_point idle_since;
  bool used = false;

  Deadline& deadline() {
    return write_deadline ? *write_deadline : write_deadline.emplace(lowest());
  }
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
  asio::awaitable<Result<bool>> wait_continue(std::chrono::milliseconds at_most) override;
  asio::awaitable<Result<AnswerHead>> read_head(bool request_was_head) override;
  asio::awaitable<Result<std::size_t>> read_some(std::span<char> buffer) override;
  [[nodiscard]] Headers trailers() const override;
  void close_after() override { closing_ = true; }

 private:
  using Parser = http::response_parser<http::buffer_body>;

  template <typename Work>
  auto over(Work work) {
    return connection_->plain ? work(*connection_->plain) : work(*connection_->tls);
  }
  asio::awaitable<boost::system::error_code> read_more();
  /// A view of the buffer; it stays there.
  asio::awaitable<Result<std::string_view>> read_raw_head(const Deadline* deadline);
  asio::awaitable<Result<std::size_t>> read_plain(std::span<char> buffer);
  asio::awaitable<Result<std::size_t>> read_chunked(std::span<char> buffer);
  [[nodiscard]] std::unexpected<Error> not_understood(std::string_view why) const;
  [[nodiscard]] std::unexpected<Error> failure(const boost::system::error_code& failed,
                                               std::string_view stage) const;
  AnswerHead describe(std::string raw);

  HttpUpstream& owner_;
  std::unique_ptr<Connection> connection_;
  std::optional<Parser> parser_;
  Framing framing_ = Framing::None;
  std::uint64_t left_ = 0;  ///< With Framing::Length.
  bool reused_ = false;
  bool answered_ = false;
  bool keep_alive_ = false;
  bool closing_ = false;  ///< A part of the request is missing.
  bool whole_ = false;    ///< The answer was read to its end.
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
    const auto now = Clock::now();
    connection->idle_since = now;
    connection->lowest().expires_never();
    connection->deadline().stop();
    const void* loop = &asio::query(connection->lowest().get_executor(), asio::execution::context);
    std::vector<std::unique_ptr<Connection>> old;  // closed outside the lock
    const MutexLock lock(mutex_);
    auto& kept = idle_[loop];
    // The last that was kept is the first to be taken, so the old ones are in front.
    const auto young = std::ranges::find_if(
        kept, [&](const auto& other) { return other->idle_since > now - options_.idle_timeout; });
    std::move(kept.begin(), young, std::back_inserter(old));
    kept.erase(kept.begin(), young);
    if (kept.size() < options_.idle_max) {
      kept.push_back(std::move(connection));
    }
  }

 private:
  std::unique_ptr<Connection> take(const void* loop) {
    const auto oldest = Clock::now() - options_.idle_timeout;
    while (auto connection = pop(loop)) {
      if (connection->idle_since > oldest && connection->is_quiet()) {
        return connection;
      }
    }
    return nullptr;
  }

  std::unique_ptr<Connection> pop(const void* loop) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = idle_.find(loop);
    if (found == idle_.end() || found->second.empty()) {
      return nullptr;
    }
    auto connection = std::move(found->second.back());
    found->second.pop_back();
    return connection;
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

  /// Addresses need no resolver, which works on a thread of its own.
  template <typename Executor>
  asio::awaitable<Result<std::vector<asio::ip::tcp::endpoint>>> resolve(Executor executor) {
    std::vector<asio::ip::tcp::endpoint> endpoints;
    boost::system::error_code no_address;
    const auto address = asio::ip::make_address(origin_.host, no_address);
    if (!no_address) {
      endpoints.emplace_back(address, origin_.port);
      co_return endpoints;
    }
    asio::ip::tcp::resolver resolver(executor);
    const auto [unresolved, found] =
        co_await resolver.async_resolve(origin_.host, std::to_string(origin_.port), kTuple);
    if (unresolved) {
      co_return failure(unresolved, "resolve");
    }
    for (const auto& entry : found) {
      endpoints.push_back(entry.endpoint());
    }
    co_return endpoints;
  }

  template <typename Executor>
  asio::awaitable<Result<std::unique_ptr<Connection>>> connect(Executor executor) {
    OT_CO_TRY(const auto endpoints, co_await resolve(executor));
    auto connection = std::make_unique<Connection>(options_.head_bytes_max);
    if (tls_) {
      connection->tls.emplace(executor, *tls_);
      name_server(connection->tls->native_handle(), origin_.host);
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
  // Bytes behind the answer are no answer to anything.
  if (whole_ && keep_alive_ && !closing_ && connection_->buffer.size() == 0) {
    owner_.keep(std::move(connection_));
  }
}

std::unexpected<Error> HttpUpstreamExchange::not_understood(std::string_view why) const {
  return fail(ErrorCode::InvalidArgument, fmt::format("{}: the answer is not understood: {}",
                                                      owner_.origin().authority(), why));
}

std::unexpected<Error> HttpUpstreamExchange::failure(const boost::system::error_code& failed,
                                                     std::string_view stage) const {
  const std::string where = fmt::format("{}: {}", owner_.origin().authority(), stage);
  if (failed == beast::error::timeout) {
    return fail(ErrorCode::Timeout, where + ": no progress in time");
  }
  if (failed == asio::error::eof || failed == http::error::partial_message ||
      failed == http::error::end_of_stream || failed == asio::ssl::error::stream_truncated) {
    return fail(ErrorCode::Unavailable,
                where + (parser_ ? ": the answer was cut short" : ": the connection was closed"));
  }
  const bool protocol =
      failed.category() == http::make_error_code(http::error::bad_method).category();
  return fail(protocol ? ErrorCode::InvalidArgument : ErrorCode::Unavailable,
              where + ": " + failed.message());
}

asio::awaitable<Result<void>> HttpUpstreamExchange::write(std::string_view bytes) {
  Deadline& deadline = connection_->deadline();
  deadline.set(owner_.options().progress_timeout);
  connection_->lowest().expires_never();
  auto [failed, count] = co_await over(
      [&](auto& stream) { return asio::async_write(stream, asio::buffer(bytes), kTuple); });
  deadline.clear();
  if (!failed) {
    co_return Result<void>{};
  }
  closing_ = true;
  if (deadline.passed()) {
    failed = beast::error::timeout;
    // An upstream that takes no more may have answered already, and its answer says why.
    if (connection_->is_quiet()) {
      connection_->lowest().close();
    }
  }
  co_return failure(failed, "send");
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

asio::awaitable<Result<std::string_view>> HttpUpstreamExchange::read_raw_head(
    const Deadline* deadline) {
  auto& buffer = connection_->buffer;
  std::size_t searched = 0;
  for (;;) {
    const std::string_view text(static_cast<const char*>(buffer.data().data()), buffer.size());
    const auto end = text.find(kHeadEnd, searched);
    if (end != std::string_view::npos) {
      const std::string_view raw = text.substr(0, end + kHeadEnd.size());
      if (const auto defect = answer_defect(raw, kAnswerFieldsMax)) {
        co_return not_understood(*defect);
      }
      co_return raw;
    }
    if (const auto defect = answer_start_defect(text, searched)) {
      co_return not_understood(*defect);
    }
    if (text.size() >= buffer.max_size()) {
      co_return not_understood(
          fmt::format("its header is larger than {} bytes", buffer.max_size()));
    }
    searched = text.size() < kHeadEnd.size() ? 0 : text.size() - kHeadEnd.size() + 1;
    boost::system::error_code failed = asio::error::operation_aborted;
    if (deadline == nullptr || !deadline->passed()) {
      failed = co_await read_more();
    }
    if (failed) {
      co_return failure(failed, "receive");
    }
  }
}

asio::awaitable<Result<bool>> HttpUpstreamExchange::wait_continue(
    std::chrono::milliseconds at_most) {
  // The stream's own timeout would close the connection.
  Deadline deadline(connection_->lowest());
  deadline.set(at_most);
  connection_->lowest().expires_never();
  for (;;) {
    const auto raw = co_await read_raw_head(&deadline);
    if (!raw && deadline.passed()) {
      co_return true;
    }
    if (!raw) {
      co_return std::unexpected(raw.error());
    }
    if (!is_interim(*raw)) {
      co_return false;
    }
    const bool wanted = raw->substr(kStatusAt, 3) == "100";
    connection_->buffer.consume(raw->size());
    if (wanted) {
      co_return true;
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
  // What the parser holds later are trailers; it would put those that have the name of a field of
  // the head among these.
  parser_->get().clear();
  head.keep_alive = keep_alive_ = parser_->keep_alive();
  if (parser_->is_done()) {
    // Also with a length of 0. HEAD, 204 and 304 have no body whatever their fields say.
    framing_ = Framing::None;
    whole_ = true;
  } else if (parser_->chunked()) {
    framing_ = Framing::Chunked;
  } else if (const auto length = parser_->content_length()) {
    framing_ = Framing::Length;
    left_ = *length;
  } else {
    framing_ = Framing::UntilClose;
  }
  head.framing = framing_;
  head.length = left_;
  return head;
}

asio::awaitable<Result<AnswerHead>> HttpUpstreamExchange::read_head(bool request_was_head) {
  connection_->lowest().expires_after(owner_.options().answer_timeout);
  for (;;) {
    OT_CO_TRY(const std::string_view raw, co_await read_raw_head(nullptr));
    if (is_interim(raw)) {
      connection_->buffer.consume(raw.size());
      continue;
    }
    parser_.emplace();
    parser_->header_limit(kBufferBytes);
    parser_->body_limit(boost::none);
    parser_->skip(request_was_head);
    boost::system::error_code failed;
    parser_->put(asio::buffer(raw), failed);
    if (failed) {
      co_return not_understood(failed.message());
    }
    if (parser_->get().result_int() == kSwitchingProtocols) {
      co_return not_understood("it switches to another protocol");
    }
    AnswerHead head = describe(std::string(raw));
    connection_->buffer.consume(raw.size());
    co_return head;
  }
}

asio::awaitable<Result<std::size_t>> HttpUpstreamExchange::read_some(std::span<char> buffer) {
  if (whole_ || buffer.empty()) {
    co_return std::size_t{0};
  }
  connection_->lowest().expires_after(owner_.options().progress_timeout);
  if (framing_ == Framing::Chunked) {
    co_return co_await read_chunked(buffer);
  }
  co_return co_await read_plain(buffer);
}

/// Past the parser, which would copy every byte once more and read small pieces.
asio::awaitable<Result<std::size_t>> HttpUpstreamExchange::read_plain(std::span<char> buffer) {
  const bool counted = framing_ == Framing::Length;
  if (counted) {
    buffer = buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_)));
  }
  std::size_t got = asio::buffer_copy(asio::buffer(buffer), connection_->buffer.data());
  connection_->buffer.consume(got);  // came with the head
  if (got == 0) {
    const auto [failed, count] = co_await over(
        [&](auto& stream) { return stream.async_read_some(asio::buffer(buffer), kTuple); });
    if (failed == asio::error::eof && !counted) {
      whole_ = true;
      co_return std::size_t{0};
    }
    if (failed) {
      co_return failure(failed, "receive");
    }
    got = count;
  }
  if (counted) {
    left_ -= got;
    whole_ = left_ == 0;
  }
  co_return got;
}

asio::awaitable<Result<std::size_t>> HttpUpstreamExchange::read_chunked(std::span<char> buffer) {
  auto& body = parser_->get().body();
  body.data = buffer.data();
  body.size = buffer.size();
  body.more = true;
  while (!parser_->is_done() && body.size == buffer.size()) {
    const auto [failed, count] = co_await over([&](auto& stream) {
      return http::async_read_some(stream, connection_->buffer, *parser_, kTuple);
    });
    if (failed && failed != http::error::need_buffer) {
      co_return failure(failed, "receive");
    }
  }
  whole_ = parser_->is_done();
  co_return buffer.size() - body.size;
}

Headers HttpUpstreamExchange::trailers() const {
  Headers behind;
  if (!parser_) {
    return behind;
  }
  for (const auto& field : parser_->get()) {
    behind.add(std::string(field.name_string()), std::string(field.value()));
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
