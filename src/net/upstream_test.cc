// Goal: a proxy sees an upstream's answers as they were, keeps connections that can be kept, and is
// told what went wrong. Method: a server of raw bytes on a thread, one script a connection.
#include "net/upstream.h"

#include "net/tls_kit_test.h"

#include <atomic>
#include <functional>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace opentrail::net {
namespace {

using asio::ip::tcp;
using testing::HasSubstr;

/// Runs `script` for each connection, one after the other.
class RawServer {
 public:
  explicit RawServer(std::function<void(tcp::socket&)> script)
      : acceptor_(context_, {asio::ip::make_address("127.0.0.1"), 0}),
        thread_([this, script = std::move(script)] {
          for (;;) {
            boost::system::error_code failed;
            tcp::socket socket(context_);
            acceptor_.accept(socket, failed);
            if (failed || stopping_) {
              return;
            }
            ++connections;
            current_ = socket.native_handle();
            script(socket);
            current_ = -1;
          }
        }) {}
  ~RawServer() {
    stopping_ = true;
    // A connection that the other side keeps would be waited for.
    if (const int socket = current_; socket >= 0) {
      ::shutdown(socket, SHUT_RDWR);
    }
    boost::system::error_code ignored;
    tcp::socket(context_).connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  [[nodiscard]] Url url() const {
    Url url;
    url.scheme = "http";
    url.host = "127.0.0.1";
    url.port = acceptor_.local_endpoint().port();
    return url;
  }
  std::atomic<int> connections = 0;

 private:
  asio::io_context context_;
  tcp::acceptor acceptor_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> current_ = -1;
  std::thread thread_;
};

/// Reads a head; false at the end of the connection.
bool read_request(tcp::socket& socket) {
  boost::system::error_code failed;
  std::string head;
  asio::read_until(socket, asio::dynamic_buffer(head), "\r\n\r\n", failed);
  return !failed;
}

/// Answers every request of a connection with the same bytes.
std::function<void(tcp::socket&)> always(std::string answer) {
  return [answer = std::move(answer)](tcp::socket& socket) {
    boost::system::error_code failed;
    while (!failed && read_request(socket)) {
      asio::write(socket, asio::buffer(answer), failed);
    }
  };
}

/// ... once, and closes.
std::function<void(tcp::socket&)> once(std::string answer) {
  return [answer = std::move(answer)](tcp::socket& socket) {
    boost::system::error_code failed;
    read_request(socket);
    asio::write(socket, asio::buffer(answer), failed);
  };
}

struct Seen {
  std::optional<AnswerHead> head;
  std::string body;
  Headers trailers;
  bool reused = false;
  std::optional<Error> error;
};

asio::awaitable<void> talk(Upstream& upstream, std::string request, Seen& seen) {
  auto exchange = co_await upstream.open(false);
  if (!exchange) {
    seen.error = exchange.error();
    co_return;
  }
  seen.reused = (*exchange)->reused();
  static_cast<void>(co_await (*exchange)->write(request));
  auto head = co_await (*exchange)->read_head(request.starts_with("HEAD"));
  if (!head) {
    seen.error = head.error();
    co_return;
  }
  seen.head = *head;
  std::string buffer(7, '\0');
  for (;;) {
    const auto got = co_await (*exchange)->read_some(buffer);
    if (!got) {
      seen.error = got.error();
      co_return;
    }
    if (*got == 0) {
      break;
    }
    seen.body += buffer.substr(0, *got);
  }
  seen.trailers = (*exchange)->trailers();
}

/// Sends a head that expects "100 Continue", and its body when that is wanted.
asio::awaitable<void> expect_continue(Upstream& upstream, std::optional<bool>& wanted, Seen& seen) {
  auto exchange = co_await upstream.open(false);
  if (!exchange) {
    seen.error = exchange.error();
    co_return;
  }
  static_cast<void>(co_await (*exchange)->write(
      "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"));
  const auto go_on = co_await (*exchange)->wait_continue(std::chrono::milliseconds(100));
  if (!go_on) {
    seen.error = go_on.error();
    co_return;
  }
  wanted = *go_on;
  if (*go_on) {
    static_cast<void>(co_await (*exchange)->write("body"));
  } else {
    (*exchange)->close_after();
  }
  auto head = co_await (*exchange)->read_head(false);
  if (!head) {
    seen.error = head.error();
    co_return;
  }
  seen.head = *head;
  seen.body.resize(100);
  const auto got = co_await (*exchange)->read_some(seen.body);
  seen.body.resize(got.value_or(0));
}

class UpstreamTest : public testing::Test {
 protected:
  Seen talk_to(const RawServer& server, std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n") {
    if (upstream_ == nullptr) {
      upstream_ = Upstream::make(server.url(), options_).value();
    }
    Seen seen;
    run(talk(*upstream_, std::move(request), seen));
    return seen;
  }
  /// The same over TLS.
  Seen talk_to(const Server& server) {
    if (upstream_ == nullptr) {
      upstream_ = Upstream::make({"https", "127.0.0.1", server.port(), ""}, options_).value();
    }
    Seen seen;
    run(talk(*upstream_, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", seen));
    return seen;
  }
  void run(asio::awaitable<void> work) {
    context_.restart();
    asio::co_spawn(context_, std::move(work), asio::detached);
    context_.run();
  }
  ~UpstreamTest() override {
    if (upstream_) {
      upstream_->close_idle();
    }
  }

  UpstreamOptions options_;
  asio::io_context context_{1};
  std::unique_ptr<Upstream> upstream_;
};

TEST_F(UpstreamTest, KeepsTheHeadAsItCame) {
  const std::string raw =
      "HTTP/1.1 201 Made It\r\nx-odd:  two  spaces \r\nContent-LENGTH: 3\r\n\r\n";
  const RawServer server(always(raw + "abc"));
  const Seen seen = talk_to(server);
  ASSERT_TRUE(seen.head);
  EXPECT_EQ(seen.head->raw, raw);
  EXPECT_EQ(seen.head->status, 201);
  EXPECT_EQ(seen.head->framing, Framing::Length);
  EXPECT_EQ(seen.body, "abc");
}

TEST_F(UpstreamTest, UsesAConnectionAgain) {
  RawServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234567890123456789"));
  EXPECT_FALSE(talk_to(server).reused);
  const Seen second = talk_to(server);
  EXPECT_TRUE(second.reused);
  EXPECT_EQ(second.body, "01234567890123456789");
  EXPECT_EQ(server.connections, 1);
}

TEST_F(UpstreamTest, DoesNotUseAConnectionThatWasClosed) {
  RawServer server(once("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"));
  EXPECT_EQ(talk_to(server).body, "x");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // for the end to arrive
  const Seen second = talk_to(server);
  EXPECT_FALSE(second.reused);
  EXPECT_EQ(second.body, "x");
}

TEST_F(UpstreamTest, DoesNotKeepWhatTheAnswerCloses) {
  const RawServer server(
      always("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"));
  const Seen first = talk_to(server);
  EXPECT_EQ(first.body, "x");
  EXPECT_FALSE(first.head->keep_alive);
  EXPECT_FALSE(talk_to(server).reused);
}

TEST_F(UpstreamTest, ReadsChunksAndTrailers) {
  const RawServer server(
      always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n"
             "A\r\n0123456789\r\n0\r\nx-checksum: c\r\n\r\n"));
  const Seen seen = talk_to(server);
  ASSERT_FALSE(seen.error) << seen.error->message();
  EXPECT_EQ(seen.head->framing, Framing::Chunked);
  EXPECT_EQ(seen.body, "abc0123456789");
  EXPECT_EQ(seen.trailers.get("x-checksum"), "c");
  EXPECT_TRUE(talk_to(server).reused);
}

TEST_F(UpstreamTest, ReadsUntilTheEnd) {
  const RawServer server(once("HTTP/1.1 200 OK\r\n\r\nall of it"));
  const Seen seen = talk_to(server);
  EXPECT_EQ(seen.head->framing, Framing::UntilClose);
  EXPECT_EQ(seen.body, "all of it");
}

TEST_F(UpstreamTest, KnowsAnswersWithoutABody) {
  const RawServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
  const Seen seen = talk_to(server, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(seen.head);
  EXPECT_EQ(seen.head->framing, Framing::None);
  EXPECT_EQ(seen.body, "");
  const RawServer empty(always("HTTP/1.1 204 No Content\r\n\r\n"));
  upstream_->close_idle();
  upstream_.reset();
  EXPECT_EQ(talk_to(empty).head->framing, Framing::None);
}

TEST_F(UpstreamTest, PassesOverInterimAnswers) {
  const RawServer server(
      always("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n"
             "\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"));
  const Seen seen = talk_to(server);
  ASSERT_TRUE(seen.head);
  EXPECT_EQ(seen.head->status, 200);
  EXPECT_EQ(seen.body, "x");
}

TEST_F(UpstreamTest, SaysThatAnAnswerWasCutShort) {
  const RawServer server(once("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"));
  const Seen seen = talk_to(server);
  ASSERT_TRUE(seen.error);
  EXPECT_EQ(seen.error->code(), ErrorCode::Unavailable);
  EXPECT_THAT(seen.error->message(), HasSubstr("cut short"));
  const RawServer chunked(
      once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"));
  upstream_.reset();
  EXPECT_TRUE(talk_to(chunked).error);
}

TEST_F(UpstreamTest, RefusesWhatIsNoAnswer) {
  for (const char* bytes :
       {"SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"}) {
    const RawServer server(once(bytes));
    upstream_.reset();
    const Seen seen = talk_to(server);
    ASSERT_TRUE(seen.error) << bytes;
    EXPECT_EQ(seen.error->code(), ErrorCode::InvalidArgument) << bytes;
  }
}

TEST_F(UpstreamTest, WaitsNoLongerThanItMay) {
  options_.answer_timeout = std::chrono::milliseconds(50);
  const RawServer server([](tcp::socket& socket) {
    read_request(socket);
    read_request(socket);  // until the other side gives up
  });
  const Seen seen = talk_to(server);
  ASSERT_TRUE(seen.error);
  EXPECT_EQ(seen.error->code(), ErrorCode::Timeout);
}

TEST_F(UpstreamTest, SaysThatNobodyListens) {
  Url url;
  url.scheme = "http";
  url.host = "127.0.0.1";
  {
    const RawServer gone([](tcp::socket&) {});
    url.port = gone.url().port;
  }
  upstream_ = Upstream::make(url, {}).value();
  Seen seen;
  run(talk(*upstream_, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", seen));
  ASSERT_TRUE(seen.error);
  EXPECT_EQ(seen.error->code(), ErrorCode::Unavailable);
  EXPECT_THAT(seen.error->message(), HasSubstr("connect"));
}

TEST_F(UpstreamTest, TellsTrailersFromFields) {
  const RawServer server(
      always("HTTP/1.1 200 OK\r\nX: field\r\nY: field\r\nTransfer-Encoding: chunked\r\n\r\n"
             "0\r\nx: trailer\r\n\r\n"));
  const Seen seen = talk_to(server);
  ASSERT_EQ(seen.trailers.fields().size(), 1U);
  EXPECT_EQ(seen.trailers.get("x"), "trailer");
  EXPECT_EQ(seen.head->headers.get("x"), "field");
}

TEST_F(UpstreamTest, KeepsConnectionsNoLongerThanItMay) {
  const RawServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"));
  options_.idle_timeout = std::chrono::seconds(0);
  EXPECT_FALSE(talk_to(server).reused);
  EXPECT_FALSE(talk_to(server).reused);
}

TEST_F(UpstreamTest, DoesNotKeepMoreThanItMay) {
  const RawServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"));
  options_.idle_max = 0;
  EXPECT_FALSE(talk_to(server).reused);
  EXPECT_FALSE(talk_to(server).reused);
}

TEST_F(UpstreamTest, DoesNotKeepWhatHasBytesBehindTheAnswer) {
  const RawServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK"));
  EXPECT_EQ(talk_to(server).body, "x");
  const Seen second = talk_to(server);
  EXPECT_FALSE(second.reused);
  EXPECT_EQ(second.body, "x");
}

TEST_F(UpstreamTest, ReadsTheAnswerOfAServerThatDoesNotTakeTheBody) {
  const RawServer server(once("HTTP/1.1 413 No\r\nContent-Length: 9\r\n\r\ntoo large"));
  const std::string head = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\n";
  const Seen seen = talk_to(server, head + std::string(64 << 20, 'x'));
  ASSERT_TRUE(seen.head) << seen.error->message();
  EXPECT_EQ(seen.head->status, 413);
  EXPECT_EQ(seen.body, "too large");
  EXPECT_FALSE(talk_to(server).reused);
}

TEST_F(UpstreamTest, ReadsTheAnswerOfAServerThatLeavesTheBodyAndStays) {
  options_.progress_timeout = std::chrono::milliseconds(100);
  std::atomic<bool> answers = true;
  const RawServer server([&](tcp::socket& socket) {
    boost::system::error_code failed;
    read_request(socket);
    const std::string answer = "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno";
    asio::write(socket, asio::buffer(answers ? answer : ""), failed);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  });
  const std::string request =
      "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\n" + std::string(64 << 20, 'x');
  const Seen seen = talk_to(server, request);
  ASSERT_TRUE(seen.head) << seen.error->message();
  EXPECT_EQ(seen.head->status, 403);
  EXPECT_EQ(seen.body, "no");
  answers = false;
  const auto start = std::chrono::steady_clock::now();
  const Seen silent = talk_to(server, request);
  EXPECT_TRUE(silent.error);
  EXPECT_FALSE(silent.reused) << "a part of the first request was missing";
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30))
      << "the answer of a server that takes nothing and says nothing is not waited for";
}

TEST_F(UpstreamTest, DoesNotWaitForTheEndOfWhatIsNoAnswer) {
  for (const char* bytes : {"SSH-2.0-OpenSSH_9.2\r\n", "\x15\x03\x01", "HTTP/1.1 200 OK\nA: b"}) {
    const RawServer server(always(bytes));  // does not close
    upstream_.reset();
    const Seen seen = talk_to(server);
    ASSERT_TRUE(seen.error) << bytes;
    EXPECT_EQ(seen.error->code(), ErrorCode::InvalidArgument) << bytes;
  }
}

TEST_F(UpstreamTest, BoundsHeads) {
  options_.head_bytes_max = 1024;
  const RawServer server(once("HTTP/1.1 200 OK\r\nX: " + std::string(2000, 'x') + "\r\n\r\n"));
  const Seen seen = talk_to(server);
  ASSERT_TRUE(seen.error);
  EXPECT_EQ(seen.error->code(), ErrorCode::InvalidArgument);
  EXPECT_THAT(seen.error->message(), HasSubstr("larger than 1024 bytes"));
}

TEST_F(UpstreamTest, WaitsForABodyNoLongerThanItMay) {
  options_.progress_timeout = std::chrono::milliseconds(50);
  const RawServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"));
  const Seen seen = talk_to(server);
  ASSERT_TRUE(seen.error);
  EXPECT_EQ(seen.error->code(), ErrorCode::Timeout);
  EXPECT_EQ(seen.body, "abc");
}

TEST_F(UpstreamTest, SaysThatAKeptConnectionBroke) {
  // Answers once and resets at the second request, whose answer nobody saw.
  const RawServer server([](tcp::socket& socket) {
    boost::system::error_code failed;
    read_request(socket);
    asio::write(socket, asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")),
                failed);
    read_request(socket);
  });
  EXPECT_EQ(talk_to(server).body, "x");
  const Seen second = talk_to(server);
  EXPECT_TRUE(second.reused);
  ASSERT_TRUE(second.error);
  EXPECT_EQ(second.error->code(), ErrorCode::Unavailable);
  EXPECT_THAT(second.error->message(), HasSubstr("the connection was closed"));
}

TEST_F(UpstreamTest, WaitsForContinue) {
  std::optional<bool> wanted;
  const auto ask = [&](const RawServer& server) {
    upstream_ = Upstream::make(server.url(), options_).value();
    wanted.reset();
    Seen seen;
    run(expect_continue(*upstream_, wanted, seen));
    return seen;
  };
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
  const RawServer willing([&](tcp::socket& socket) {
    boost::system::error_code failed;
    read_request(socket);
    asio::write(
        socket,
        asio::buffer(std::string("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Go\r\n\r\n")),
        failed);
    std::string body(4, ' ');
    asio::read(socket, asio::buffer(body), failed);
    asio::write(socket, asio::buffer(body == "body" ? answer : ""), failed);
  });
  EXPECT_EQ(ask(willing).body, "x");
  EXPECT_EQ(wanted, true);

  const RawServer silent([&](tcp::socket& socket) {
    boost::system::error_code failed;
    read_request(socket);
    std::string body(4, ' ');
    asio::read(socket, asio::buffer(body), failed);
    asio::write(socket, asio::buffer(body == "body" ? answer : ""), failed);
  });
  EXPECT_EQ(ask(silent).body, "x");
  EXPECT_EQ(wanted, true);

  const RawServer unwilling(always("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"));
  const Seen refused = ask(unwilling);
  EXPECT_EQ(wanted, false);
  EXPECT_EQ(refused.head->status, 403);
  EXPECT_EQ(refused.body, "no");
  EXPECT_FALSE(talk_to(unwilling).reused) << "its request was not whole";
}

asio::awaitable<void> answer_late(Exchange& exchange) {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(300));
  co_await timer.async_wait(asio::use_awaitable);
  const auto body = co_await exchange.read_all(100);
  static_cast<void>(co_await exchange.respond({200, {}}, body.value_or("broken")));
}

TEST_F(UpstreamTest, SpeaksTls) {
  const SelfSigned certificate("IP:127.0.0.1");
  options_.ca_file = certificate.certificate_file();
  const auto server = start_tls(certificate);
  EXPECT_EQ(talk_to(*server).body, "hello");
  const Seen second = talk_to(*server);
  EXPECT_TRUE(second.reused);
  EXPECT_EQ(second.body, "hello");

  // The wait for "100 Continue" is given up in the middle of a TLS read, and the connection lives.
  const auto late = start_tls(certificate, answer_late);
  upstream_->close_idle();
  upstream_ = Upstream::make({"https", "127.0.0.1", late->port(), ""}, options_).value();
  std::optional<bool> wanted;
  Seen seen;
  run(expect_continue(*upstream_, wanted, seen));
  EXPECT_EQ(wanted, true);
  EXPECT_EQ(seen.body, "body") << (seen.error ? seen.error->message() : "");
  upstream_->close_idle();  // the servers would wait for it
}

TEST_F(UpstreamTest, DoesNotTrustEveryCertificate) {
  const SelfSigned good("IP:127.0.0.1");
  const SelfSigned elsewhere("DNS:example.com");
  const auto server = start_tls(good);
  const Seen unknown = talk_to(*server);
  ASSERT_TRUE(unknown.error);
  EXPECT_EQ(unknown.error->code(), ErrorCode::Unavailable);
  EXPECT_EQ(unknown.error->reason(), kUntrustedCertificate);
  EXPECT_THAT(unknown.error->message(), HasSubstr("TLS handshake"));
  const auto other = start_tls(elsewhere);
  options_.ca_file = elsewhere.certificate_file();
  upstream_.reset();
  const Seen misnamed = talk_to(*other);
  ASSERT_TRUE(misnamed.error);
  EXPECT_THAT(misnamed.error->message(), HasSubstr("not for 127.0.0.1"));
}

}  // namespace
}  // namespace opentrail::net
