#pragma once
#include "base/time.h"
#include "net/deadline.h"
#include "net/head_check.h"
#include "net/server.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <fmt/format.h>

/// Exchange over a Beast stream, plain or TLS. Internal to net.
namespace opentrail::net {

struct Peer {
  std::string address;
  std::optional<TlsDetails> tls;
};

/// The head as it goes out, up to the empty line.
[[nodiscard]] std::string render_head(const ResponseHead& head, bool close,
                                      std::optional<std::uint64_t> content_length);
/// The status line's words: "Not Found".
[[nodiscard]] std::string_view reason_phrase(int status);
/// Copies what the parser read; absent when the request cannot be served (target form,
/// transfer coding).
[[nodiscard]] std::optional<RequestHead> to_request_head(
    const boost::beast::http::request_header<>& header, const Peer& peer);
/// The answer to a request that could not be read; 0 when there is nobody to answer.
[[nodiscard]] int refusal_status(const boost::system::error_code& failed);
[[nodiscard]] Error read_error(const boost::system::error_code& failed);

using OnRefused = std::function<asio::awaitable<void>(const RefusedRequest&)>;

template <typename Stream>
class HttpExchange final : public Exchange {
 public:
  HttpExchange(Stream& stream, boost::beast::flat_buffer& buffer, const ServerLimits& limits,
               const Peer& peer, Deadline& deadline, const OnRefused& on_refused)
      : stream_(stream),
        buffer_(buffer),
        limits_(limits),
        peer_(peer),
        deadline_(deadline),
        on_refused_(on_refused) {
    parser_.header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
    parser_.body_limit(boost::none);
  }

  /// False when there is no request to handle: the client went, or was refused here.
  asio::awaitable<bool> read_head() {
    deadline_.set(limits_.header_timeout);
    const std::size_t head_bytes = co_await read_raw_head();
    deadline_.clear();
    if (head_bytes == 0) {
      co_return false;
    }
    const std::string_view raw(static_cast<const char*>(buffer_.data().data()), head_bytes);
    if (auto defect = head_defect(raw, limits_.fields_max)) {
      co_await refuse(kBadRequest, *std::move(defect));
      co_return false;
    }
    boost::system::error_code failed;
    parser_.put(asio::buffer(raw), failed);
    if (failed) {
      co_await refuse(refusal_status(failed), failed.message());
      co_return false;
    }
    if (auto head = to_request_head(parser_.get(), peer_)) {
      head_ = *std::move(head);
    } else {
      co_await refuse(kBadRequest, "the request cannot be served in this form");
      co_return false;
    }
    head_.raw = raw;
    buffer_.consume(head_bytes);
    close_ = !parser_.keep_alive();
    if (const auto length = parser_.content_length()) {
      body_left_ = *length;
    }
    constexpr unsigned kHttp11 = 11;  // in 1.0 nobody understands the answer to an Expect
    awaits_continue_ =
        !body_done() && parser_.get().version() >= kHttp11 &&
        boost::beast::iequals(parser_.get()[boost::beast::http::field::expect], "100-continue");
    // What the parser holds later are trailers; it would put those that have the name of a field
    // of the head among these.
    parser_.get().clear();
    co_return true;
  }

  /// Leaves the connection ready for the next request; false when it has to be closed.
  asio::awaitable<bool> finish(bool stopping) {
    if (!responded_) {
      close_ = true;
      static_cast<void>(co_await respond({500, {}}, {}));
    }
    if (chunks_owed_ || broken_off_ || (forwarded_ && owed_ > 0)) {
      abort();
      co_return false;
    }
    if (close_ || stopping || owed_ > 0) {
      co_return co_await drain_and_close();
    }
    if (!co_await drain()) {
      co_return co_await drain_and_close();
    }
    co_return true;
  }

  [[nodiscard]] const RequestHead& request() const override { return head_; }

  asio::awaitable<Result<std::size_t>> read_some(std::span<char> buffer) override {
    if (body_done() || buffer.empty()) {
      co_return std::size_t{0};
    }
    OT_CO_TRY_DO(co_await send_continue());
    if (body_left_) {
      co_return co_await read_counted(buffer);
    }
    auto& body = parser_.get().body();
    body.data = buffer.data();
    body.size = buffer.size();
    body.more = true;
    lowest().expires_after(limits_.body_timeout);
    while (!parser_.is_done() && body.size == buffer.size()) {
      const auto [failed, bytes] = co_await boost::beast::http::async_read_some(
          stream_, buffer_, parser_, asio::as_tuple(asio::use_awaitable));
      if (failed && failed != boost::beast::http::error::need_buffer) {
        close_ = true;
        co_return std::unexpected(read_error(failed));
      }
    }
    lowest().expires_never();
    co_return buffer.size() - body.size;
  }

  asio::awaitable<Result<std::string>> read_all(std::size_t bytes_max) override {
    if (head_.content_length.value_or(0) > bytes_max) {
      close_ = true;
      co_return too_large(bytes_max);
    }
    constexpr std::size_t kStep = 64 << 10;
    std::string body;
    while (!body_done()) {
      // Grows with what came, not with what was announced.
      const std::size_t used = body.size();
      const std::size_t step = std::max(kStep, used);
      body.resize(used + static_cast<std::size_t>(
                             std::min<std::uint64_t>(body_left_.value_or(step), step)));
      OT_CO_TRY(const auto got,
                co_await read_some(std::span(body.data() + used, body.size() - used)));
      body.resize(used + got);
      if (body.size() > bytes_max) {
        close_ = true;
        co_return too_large(bytes_max);
      }
    }
    co_return body;
  }

  asio::awaitable<Result<void>> respond(ResponseHead head, std::string body) override {
    if (responded_) {
      co_return fail(ErrorCode::Internal, "an answer was sent already");
    }
    responded_ = true;
    // What stays unread must not be taken for the next request.
    close_ = close_ || awaits_continue_;
    const bool bodiless = head_.method == "HEAD" || head.status == 204 || head.status == 304;
    const bool has_length = head.headers.find("content-length").has_value();
    std::optional<std::uint64_t> length;
    if (!has_length && head.status != 204 && head.status != 304) {
      length = body.size();
    }
    std::string bytes = render_head(head, close_, length);
    if (!bodiless && body.size() <= kJoinBytesMax) {
      bytes += body;
      co_return co_await write_raw(bytes);
    }
    OT_CO_TRY_DO(co_await write_raw(bytes));
    if (!bodiless) {
      OT_CO_TRY_DO(co_await write_raw(body));
    }
    co_return Result<void>{};
  }

  asio::awaitable<Result<void>> begin_response(ResponseHead head,
                                               std::uint64_t content_length) override {
    if (responded_) {
      co_return fail(ErrorCode::Internal, "an answer was sent already");
    }
    responded_ = true;
    close_ = close_ || awaits_continue_;
    owed_ = head_.method == "HEAD" ? 0 : content_length;
    co_return co_await write_raw(render_head(head, close_, content_length));
  }

  asio::awaitable<Result<void>> begin_forwarded(std::string_view raw_head, Framing framing,
                                                std::uint64_t length) override {
    if (responded_) {
      co_return fail(ErrorCode::Internal, "an answer was sent already");
    }
    responded_ = true;
    forwarded_ = framing;
    close_ = close_ || awaits_continue_ || framing == Framing::UntilClose;
    owed_ = framing == Framing::Length ? length : 0;
    chunks_owed_ = framing == Framing::Chunked;
    co_return co_await write_raw(raw_head);
  }

  asio::awaitable<Result<void>> end_chunks(std::string_view trailer_lines) override {
    if (!chunks_owed_) {
      co_return fail(ErrorCode::Internal, "no chunked answer was begun");
    }
    auto sent = co_await write_raw(fmt::format("0\r\n{}\r\n", trailer_lines));
    chunks_owed_ = !sent;
    co_return sent;
  }

  [[nodiscard]] Headers trailers() const override {
    Headers behind;
    for (const auto& field : parser_.get()) {
      behind.add(std::string(field.name_string()), std::string(field.value()));
    }
    return behind;
  }

  [[nodiscard]] bool expects_continue() const override { return awaits_continue_; }
  asio::awaitable<Result<void>> send_continue() override {
    if (awaits_continue_) {
      awaits_continue_ = false;
      co_return co_await write_raw("HTTP/1.1 100 Continue\r\n\r\n");
    }
    co_return Result<void>{};
  }

  asio::awaitable<Result<void>> write(std::string_view bytes) override {
    if (forwarded_ == Framing::UntilClose) {
      co_return co_await write_raw(bytes);
    }
    if (forwarded_ == Framing::Chunked) {
      co_return co_await write_chunk(bytes);
    }
    if (bytes.size() > owed_) {
      close_ = true;
      co_return fail(ErrorCode::Internal, "more bytes were written than the answer's length");
    }
    OT_CO_TRY_DO(co_await write_raw(bytes));
    owed_ -= bytes.size();
    co_return Result<void>{};
  }

  [[nodiscard]] bool responded() const override { return responded_; }
  void close_after() override { close_ = true; }
  void break_off() override {
    close_ = true;
    broken_off_ = true;
  }

 private:
  static constexpr std::string_view kHeadEnd = "\r\n\r\n";
  static constexpr int kBadRequest = 400;
  static constexpr int kRequestTimeout = 408;
  static constexpr int kHeaderTooLarge = 431;
  static constexpr std::size_t kJoinBytesMax = 64 << 10;
  static constexpr std::size_t kDrainBytesMax = 1 << 20;
  static constexpr std::size_t kStepBytes = 256 << 10;

  boost::beast::tcp_stream& lowest() { return boost::beast::get_lowest_layer(stream_); }

  static std::unexpected<Error> too_large(std::size_t bytes_max) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("the body is larger than {} bytes", bytes_max));
  }

  asio::awaitable<Result<void>> write_raw(std::string_view bytes) {
    // In steps, so that the deadline is one of progress and not of the whole.
    while (!bytes.empty()) {
      const std::string_view step = bytes.substr(0, kStepBytes);
      OT_CO_TRY_DO(co_await write_step(asio::buffer(step)));
      bytes.remove_prefix(step.size());
    }
    co_return Result<void>{};
  }

  template <typename Buffers>
  asio::awaitable<Result<void>> write_step(Buffers buffers) {
    lowest().expires_after(limits_.body_timeout);
    const auto [failed, count] =
        co_await asio::async_write(stream_, buffers, asio::as_tuple(asio::use_awaitable));
    if (failed) {
      close_ = true;
      co_return std::unexpected(read_error(failed));
    }
    lowest().expires_never();
    co_return Result<void>{};
  }

  /// An empty chunk would end the answer.
  asio::awaitable<Result<void>> write_chunk(std::string_view bytes) {
    if (bytes.empty()) {
      co_return Result<void>{};
    }
    constexpr std::string_view kEnd = "\r\n";
    const std::string size = fmt::format("{:x}\r\n", bytes.size());
    if (bytes.size() <= kStepBytes) {
      const std::array<asio::const_buffer, 3> all{asio::buffer(size), asio::buffer(bytes),
                                                  asio::buffer(kEnd)};
      co_return co_await write_step(all);
    }
    OT_CO_TRY_DO(co_await write_raw(size));
    OT_CO_TRY_DO(co_await write_raw(bytes));
    co_return co_await write_raw(kEnd);
  }

  /// Reads until the head is whole; its size, or 0 when there is none: the client went, or was
  /// refused here.
  asio::awaitable<std::size_t> read_raw_head() {
    constexpr std::size_t kReadBytes = 4 << 10;
    std::size_t searched = 0;
    for (;;) {
      const auto data = buffer_.data();
      const std::string_view text(static_cast<const char*>(data.data()), data.size());
      const auto end = text.find(kHeadEnd, searched);
      const std::size_t most = std::min(limits_.header_bytes_max, buffer_.max_size());
      if (end != std::string_view::npos && end + kHeadEnd.size() <= most) {
        co_return end + kHeadEnd.size();
      }
      if (auto defect = start_defect(text, searched)) {
        // TLS on a plain port, or no HTTP at all: waiting would not make it a head.
        co_await refuse(kBadRequest, *std::move(defect));
        co_return 0;
      }
      if (text.size() >= most) {
        co_await refuse(kHeaderTooLarge, "the header is too large");
        co_return 0;
      }
      searched = text.size() < kHeadEnd.size() ? 0 : text.size() - kHeadEnd.size() + 1;
      const auto [failed, count] = co_await stream_.async_read_some(
          buffer_.prepare(std::min(kReadBytes, buffer_.max_size() - buffer_.size())),
          asio::as_tuple(asio::use_awaitable));
      buffer_.commit(count);
      if (failed || deadline_.passed()) {
        // A client that sent nothing was idle; one that stopped in the middle is told.
        const bool slow = deadline_.passed() && buffer_.size() > 0;
        co_await refuse(slow ? kRequestTimeout : 0, "the header did not arrive in time");
        co_return 0;
      }
    }
  }

  /// The client sees a reset and not an end.
  void abort() {
    boost::system::error_code ignored;
    lowest().socket().set_option(asio::socket_base::linger(true, 0), ignored);
    lowest().socket().close(ignored);
  }

  asio::awaitable<void> refuse(int status, std::string reason) {
    if (status == 0) {
      co_return;
    }
    close_ = true;
    if (on_refused_) {
      const auto data = buffer_.data();  // the head is still in it, and perhaps its body
      const std::string_view text(static_cast<const char*>(data.data()), data.size());
      const auto end = text.find(kHeadEnd);
      const std::size_t size = end == std::string_view::npos ? text.size() : end + kHeadEnd.size();
      const RefusedRequest refused{peer_.address, peer_.tls, status, std::move(reason),
                                   std::string(text.substr(0, std::min(size, kRefusedBytesMax)))};
      co_await on_refused_(refused);
    }
    ResponseHead head{status, {}};
    head.headers.add("Content-Type", "text/plain; charset=utf-8");
    static_cast<void>(
        co_await respond(std::move(head), fmt::format("{}\n", reason_phrase(status))));
    static_cast<void>(co_await drain_and_close());
  }

  [[nodiscard]] bool body_done() const { return body_left_ ? *body_left_ == 0 : parser_.is_done(); }

  /// A body of known length goes past the parser, which would take it in small pieces.
  asio::awaitable<Result<std::size_t>> read_counted(std::span<char> buffer) {
    buffer =
        buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), *body_left_)));
    std::size_t got =
        asio::buffer_copy(asio::buffer(buffer), buffer_.data());  // came with the head
    buffer_.consume(got);
    if (got == 0) {
      lowest().expires_after(limits_.body_timeout);
      const auto [failed, bytes] = co_await stream_.async_read_some(
          asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
      if (failed) {
        close_ = true;
        co_return std::unexpected(read_error(failed));
      }
      lowest().expires_never();
      got = bytes;
    }
    *body_left_ -= got;
    co_return got;
  }

  /// Reads what the handler left of the body, within a bound.
  asio::awaitable<bool> drain() {
    std::array<char, 4096> sink{};
    std::size_t total = 0;
    while (!body_done()) {
      const auto got = co_await read_some(sink);
      if (!got) {
        co_return false;
      }
      total += *got;
      if (total > kDrainBytesMax) {
        co_return false;
      }
    }
    co_return true;
  }

  /// A close with unread bytes resets the connection, and the client may then lose the answer: so
  /// the sending side is closed first and what still comes is thrown away for a while.
  asio::awaitable<bool> drain_and_close() {
    if (owed_ > 0) {
      lowest().socket().close();
      co_return false;
    }
    constexpr std::chrono::seconds kPauseMax{2};
    constexpr std::chrono::seconds kLingerMax{30};
    const auto deadline = std::chrono::steady_clock::now() + kLingerMax;
    lowest().expires_after(kPauseMax);
    if constexpr (!std::is_same_v<Stream, boost::beast::tcp_stream>) {
      // Says so to the other side, and ends when more comes from there.
      co_await stream_.async_shutdown(asio::as_tuple(asio::use_awaitable));
    }
    boost::system::error_code failed;
    lowest().socket().shutdown(asio::ip::tcp::socket::shutdown_send, failed);
    std::array<char, 16384> sink{};
    while (!failed && std::chrono::steady_clock::now() < deadline) {
      lowest().expires_after(kPauseMax);
      failed = std::get<0>(co_await lowest().async_read_some(asio::buffer(sink),
                                                             asio::as_tuple(asio::use_awaitable)));
    }
    co_return false;
  }

  Stream& stream_;
  boost::beast::flat_buffer& buffer_;
  const ServerLimits& limits_;
  const Peer& peer_;
  Deadline& deadline_;  ///< Of the head.
  const OnRefused& on_refused_;
  boost::beast::http::request_parser<boost::beast::http::buffer_body> parser_;
  RequestHead head_;
  std::optional<std::uint64_t> body_left_;  ///< Of a body whose length the head tells.
  bool awaits_continue_ = false;
  bool responded_ = false;
  bool close_ = false;
  std::optional<Framing> forwarded_;  ///< Of an answer whose head came from elsewhere.
  bool broken_off_ = false;
  bool chunks_owed_ = false;  ///< Its last chunk was not written yet.
  std::uint64_t owed_ = 0;    ///< Bytes of the streamed answer that were not written yet.
};

}  // namespace opentrail::net
