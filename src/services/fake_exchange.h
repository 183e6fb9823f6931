#pragma once
#include "net/server.h"
#include "services/run_to_value.h"
#include "services/service.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/awaitable.hpp>

/// For tests of services: an exchange without a network.
namespace opentrail::services {

/// Holds one request and keeps the answer. Nothing waits.
class FakeExchange final : public net::Exchange {
 public:
  explicit FakeExchange(net::RequestHead head, std::string body = {})
      : head_(std::move(head)), body_(std::move(body)) {}

  [[nodiscard]] const net::RequestHead& request() const override { return head_; }

  asio::awaitable<Result<std::size_t>> read_some(std::span<char> buffer) override {
    const std::size_t count = std::min(buffer.size(), body_.size() - read_);
    std::copy_n(body_.begin() + static_cast<std::ptrdiff_t>(read_), count, buffer.begin());
    read_ += count;
    co_return count;
  }
  asio::awaitable<Result<std::string>> read_all(std::size_t bytes_max) override {
    if (body_.size() - read_ > bytes_max) {
      close_after();
      co_return fail(ErrorCode::InvalidArgument, "the body is larger than allowed");
    }
    std::string rest = body_.substr(read_);
    read_ = body_.size();
    co_return rest;
  }
  asio::awaitable<Result<void>> respond(net::ResponseHead head, std::string body) override {
    answer_ = std::move(head);
    answer_body_ = std::move(body);
    co_return Result<void>();
  }
  asio::awaitable<Result<void>> begin_response(net::ResponseHead head,
                                               std::uint64_t /*content_length*/) override {
    answer_ = std::move(head);
    co_return Result<void>();
  }
  asio::awaitable<Result<void>> write(std::string_view bytes) override {
    answer_body_ += bytes;
    co_return Result<void>();
  }
  [[nodiscard]] bool responded() const override { return answer_.has_value(); }
  void close_after() override { closes_ = true; }

  [[nodiscard]] const std::optional<net::ResponseHead>& answer() const { return answer_; }
  [[nodiscard]] const std::string& answer_body() const { return answer_body_; }
  [[nodiscard]] bool closes() const { return closes_; }

 private:
  net::RequestHead head_;
  std::string body_;
  std::size_t read_ = 0;
  std::optional<net::ResponseHead> answer_;
  std::string answer_body_;
  bool closes_ = false;
};

/// The head of a call in the Query protocol.
inline net::RequestHead form_head(std::string host) {
  net::RequestHead head;
  head.method = "POST";
  head.target = "/";
  head.headers.add("Host", std::move(host));
  head.headers.add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  return head;
}

/// A call as the pipeline hands it over, by a verified caller.
inline Call make_call(net::Exchange& exchange, iam::Caller caller, std::string body) {
  Call call{.exchange = exchange,
            .received_at = {},
            .request_id = "623d0143-1c5e-4f0a-9a3c-0e1d2c3b4a59",
            .event_id = "7f0c1a52-9d3e-4b8f-8a61-5c4d3e2f1a0b",
            .region = "eu-central-1",
            .account_id = caller.account_id,
            .caller = std::move(caller),
            .body = std::move(body),
            .signing_key = {},
            .claim = {}};
  return call;
}

}  // namespace opentrail::services
