#include "gateway/forwarder.h"

#include "base/text.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::gateway {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kStepBytes = 64 << 10;

std::string trailer_lines(const net::Headers& trailers) {
  std::string lines;
  for (const auto& [name, value] : trailers.fields()) {
    lines += fmt::format("{}: {}\r\n", name, value);
  }
  return lines;
}

/// Appends what `read` gives until it is at its end or `into` is full; true at the end.
template <typename Read>
asio::awaitable<Result<bool>> fill(std::string& into, Read read) {
  while (into.size() < kHeldBytesMax) {
    const std::size_t used = into.size();
    into.resize(std::min(kHeldBytesMax, used + std::max(kStepBytes, used)));
    const auto got = co_await read(std::span(into.data() + used, into.size() - used));
    into.resize(used + got.value_or(0));
    if (!got) {
      co_return std::unexpected(got.error());
    }
    if (*got == 0) {
      co_return true;
    }
  }
  co_return false;
}

}  // namespace

asio::awaitable<Result<void>> Forwarder::hold_request() {
  const net::RequestHead& head = exchange_.request();
  if (!head.chunked && head.content_length.value_or(0) == 0) {
    request_whole_ = true;
    co_return Result<void>{};
  }
  if (!head.chunked && *head.content_length > kHeldBytesMax) {
    co_return Result<void>{};  // it would not fit: it is streamed from its first byte
  }
  const auto read = [this](std::span<char> buffer) { return exchange_.read_some(buffer); };
  const auto whole = co_await fill(request_body_, read);
  request_bytes_ = request_body_.size();
  if (!whole) {
    client_failed_ = true;
    co_return std::unexpected(whole.error());
  }
  request_whole_ = *whole || head.content_length == request_body_.size();
  co_return Result<void>{};
}

std::string Forwarder::framed(std::string_view bytes) const {
  if (!exchange_.request().chunked || bytes.empty()) {
    return std::string(bytes);
  }
  return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
}

std::string Forwarder::end_of_request() const {
  return exchange_.request().chunked
             ? fmt::format("0\r\n{}\r\n", trailer_lines(exchange_.trailers()))
             : std::string();
}

asio::awaitable<Result<void>> Forwarder::send_rest() {
  std::string buffer(kStepBytes, '\0');
  for (;;) {
    const auto got = co_await exchange_.read_some(buffer);
    if (!got) {
      client_failed_ = true;
      co_return std::unexpected(got.error());
    }
    if (*got == 0) {
      break;
    }
    request_bytes_ += *got;
    const std::string_view bytes(buffer.data(), *got);
    // Only chunks need bytes around them.
    auto sent = exchange_.request().chunked ? co_await out_->write(framed(bytes))
                                            : co_await out_->write(bytes);
    if (!sent) {
      co_return sent;
    }
  }
  const std::string end = end_of_request();
  if (!end.empty()) {
    co_return co_await out_->write(end);
  }
  co_return Result<void>{};
}

asio::awaitable<Result<void>> Forwarder::try_send(bool fresh) {
  OT_CO_TRY(out_, co_await upstream_.open(fresh));
  request_left_ = true;
  std::string start = exchange_.request().raw;
  start += framed(request_body_);
  if (request_whole_) {
    start += end_of_request();
  }
  auto sent = co_await out_->write(start);
  if (sent && !request_whole_) {
    sent = co_await send_rest();
    if (client_failed_) {
      co_return sent;
    }
  }
  // An upstream that does not want the rest answers and closes: its answer says why.
  auto head = co_await out_->read_head(exchange_.request().method == "HEAD");
  if (!head) {
    co_return std::unexpected(sent ? std::move(head).error() : std::move(sent).error());
  }
  if (!sent) {
    exchange_.close_after();
  }
  answer_ = std::move(*head);
  answer_whole_ = answer_->framing == net::Framing::None;
  co_return Result<void>{};
}

asio::awaitable<Result<void>> Forwarder::send_request(bool repeatable) {
  auto sent = co_await try_send(false);
  const bool stale = !sent && out_ != nullptr && out_->reused() && !out_->answered() &&
                     sent.error().code() == ErrorCode::Unavailable;
  if (stale && repeatable && request_whole_ && !client_failed_) {
    sent = co_await try_send(true);
  }
  co_return sent;
}

asio::awaitable<Result<void>> Forwarder::hold_answer() {
  if (answer_whole_) {
    co_return Result<void>{};
  }
  const auto read = [this](std::span<char> buffer) { return out_->read_some(buffer); };
  const auto whole = co_await fill(answer_body_, read);
  answer_bytes_ = answer_body_.size();
  if (!whole) {
    co_return std::unexpected(whole.error());
  }
  answer_whole_ = *whole;
  co_return Result<void>{};
}

asio::awaitable<Result<void>> Forwarder::send_answer() {
  if (equals_ignore_case(answer_->headers.get("connection"), "close")) {
    exchange_.close_after();
  }
  auto passed = co_await pass_answer_on();
  if (answer_whole_) {
    out_.reset();  // its connection is free for others
  }
  co_return passed;
}

asio::awaitable<Result<void>> Forwarder::pass_answer_on() {
  const net::Framing framing = answer_->framing;
  // A small answer goes out at once with its head.
  if (answer_whole_ && framing != net::Framing::UntilClose) {
    std::string all = answer_->raw;
    if (framing == net::Framing::Chunked) {
      all += answer_body_.empty()
                 ? ""
                 : fmt::format("{:x}\r\n{}\r\n", answer_body_.size(), answer_body_);
      all += fmt::format("0\r\n{}\r\n", trailer_lines(out_->trailers()));
    } else {
      all += answer_body_;
    }
    auto sent = co_await exchange_.begin_forwarded(all, net::Framing::None, 0);
    client_failed_ = !sent;
    co_return sent;
  }
  auto sent = co_await exchange_.begin_forwarded(answer_->raw, framing, answer_->length);
  if (sent && !answer_body_.empty()) {
    sent = co_await exchange_.write(answer_body_);
  }
  std::string buffer(kStepBytes, '\0');
  while (sent && !answer_whole_) {
    const auto got = co_await out_->read_some(buffer);
    if (!got) {
      exchange_.break_off();  // an end in order would say that this was all of it
      co_return std::unexpected(got.error());
    }
    answer_whole_ = *got == 0;
    answer_bytes_ += *got;
    if (*got > 0) {
      sent = co_await exchange_.write(std::string_view(buffer.data(), *got));
    }
  }
  if (sent && framing == net::Framing::Chunked) {
    sent = co_await exchange_.end_chunks(trailer_lines(out_->trailers()));
  }
  client_failed_ = !sent;
  co_return sent;
}

}  // namespace opentrail::gateway
