#pragma once
#include "services/service.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

/// A request that comes from a test instead of a socket.
namespace opentrail::services::s3 {

class FakeExchange final : public net::Exchange {
 public:
  FakeExchange(std::string method, std::string target, std::string body = {}) {
    head_.method = std::move(method);
    head_.target = std::move(target);
    head_.peer_address = "192.0.2.10";
    head_.headers.add("Host", "127.0.0.1:4747");
    head_.content_length = body.size();
    body_ = std::move(body);
  }

  FakeExchange& with(std::string name, std::string value) {
    head_.headers.add(std::move(name), std::move(value));
    return *this;
  }

  [[nodiscard]] net::RequestHead& head() { return head_; }
  [[nodiscard]] const net::RequestHead& request() const override { return head_; }

  asio::awaitable<Result<std::size_t>> read_some(std::span<char> buffer) override {
    if (position_ >= break_at) {
      co_return fail(ErrorCode::Unavailable, "the client went away");
    }
    // Pieces of an awkward size, so that nothing falls on a chunk's border.
    constexpr std::size_t kPieceMax = 5003;
    const std::size_t count = std::min({buffer.size(), body_.size() - position_, kPieceMax});
    std::memcpy(buffer.data(), body_.data() + position_, count);
    position_ += count;
    co_return count;
  }
  asio::awaitable<Result<std::string>> read_all(std::size_t) override { co_return body_; }

  asio::awaitable<Result<void>> respond(net::ResponseHead, std::string) override {
    responded_ = true;
    co_return Result<void>();
  }
  asio::awaitable<Result<void>> begin_response(net::ResponseHead head,
                                               std::uint64_t content_length) override {
    responded_ = true;
    sent_head = std::move(head);
    announced_bytes = content_length;
    co_return Result<void>();
  }
  asio::awaitable<Result<void>> write(std::string_view bytes) override {
    sent_body += bytes;
    co_return Result<void>();
  }
  [[nodiscard]] bool responded() const override { return responded_; }
  void close_after() override { closed = true; }

  [[nodiscard]] const std::string& body() const { return body_; }

  net::ResponseHead sent_head;
  std::uint64_t announced_bytes = 0;
  std::string sent_body;
  bool closed = false;
  std::size_t break_at = std::string::npos;  ///< Where the client goes away.

 private:
  net::RequestHead head_;
  std::string body_;
  std::size_t position_ = 0;
  bool responded_ = false;
};

inline constexpr std::string_view kTestAccount = "123456789012";

/// A verified call of the user "alice" of kTestAccount.
inline Call make_call(FakeExchange& exchange) {
  iam::Caller caller;
  caller.account_id = kTestAccount;
  caller.user_name = "alice";
  caller.arn = "arn:aws:iam::123456789012:user/alice";
  caller.verified = true;
  return Call{.exchange = exchange,
              .received_at = {},
              .request_id = "TESTREQUESTID000",
              .event_id = "623d0143-1c5e-4f0a-9a3c-0e1d2c3b4a59",
              .region = "us-east-1",
              .account_id = std::string(kTestAccount),
              .caller = std::move(caller),
              .body = exchange.body(),
              .signing_key = {},
              .claim = {}};
}

}  // namespace opentrail::services::s3
