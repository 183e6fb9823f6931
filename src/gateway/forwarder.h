#pragma once
#include "net/server.h"
#include "net/upstream.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

/// A request to its upstream and the answer back, streamed in bounded memory. Knows nothing of
/// what is said.
namespace opentrail::gateway {

/// What is held of a body, of either direction, so that it can be read.
inline constexpr std::size_t kHeldBytesMax = 1 << 20;

class Forwarder {
 public:
  Forwarder(net::Exchange& exchange, net::Upstream& upstream)
      : exchange_(exchange), upstream_(upstream) {}

  /// Reads the request's body into held_request(), as far as it fits. Errors: those of
  /// Exchange::read_some.
  boost::asio::awaitable<Result<void>> hold_request();
  /// Sends the request: what is held, then the rest as it comes. When a kept connection turns out
  /// to be closed and `repeatable`, it is sent again over a new one. Errors: of the upstream, or,
  /// with client_failed(), of the client.
  boost::asio::awaitable<Result<void>> send_request(bool repeatable);
  /// Reads the answer's body into held_answer(), as far as it fits.
  boost::asio::awaitable<Result<void>> hold_answer();
  /// Sends the answer: what is held, then the rest as it comes.
  boost::asio::awaitable<Result<void>> send_answer();

  [[nodiscard]] const std::string& held_request() const { return request_body_; }
  [[nodiscard]] bool request_whole() const { return request_whole_; }
  [[nodiscard]] std::uint64_t request_bytes() const { return request_bytes_; }
  [[nodiscard]] const std::optional<net::AnswerHead>& answer() const { return answer_; }
  [[nodiscard]] const std::string& held_answer() const { return answer_body_; }
  [[nodiscard]] bool answer_whole() const { return answer_whole_; }
  [[nodiscard]] std::uint64_t answer_bytes() const { return answer_bytes_; }
  /// The last error was the client's: it went away, or sent a broken body.
  [[nodiscard]] bool client_failed() const { return client_failed_; }
  /// Some byte of the request may have reached the upstream.
  [[nodiscard]] bool request_left() const { return request_left_; }

 private:
  boost::asio::awaitable<Result<void>> try_send(bool fresh);
  boost::asio::awaitable<Result<void>> send_rest();
  [[nodiscard]] std::string framed(std::string_view bytes) const;
  [[nodiscard]] std::string end_of_request() const;
  boost::asio::awaitable<Result<void>> pass_answer_on();

  net::Exchange& exchange_;
  net::Upstream& upstream_;
  std::unique_ptr<net::UpstreamExchange> out_;
  std::string request_body_;
  std::uint64_t request_bytes_ = 0;
  bool request_whole_ = false;
  std::optional<net::AnswerHead> answer_;
  std::string answer_body_;
  std::uint64_t answer_bytes_ = 0;
  bool answer_whole_ = false;
  bool client_failed_ = false;
  bool request_left_ = false;
};

}  // namespace opentrail::gateway
