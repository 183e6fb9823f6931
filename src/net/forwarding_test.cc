// Goal: a proxy's handler sees requests as they came and sends answers as they are given; a broken
// answer is seen to be one; what is refused before any handler is told.
// Method: raw bytes over a socket, plain and TLS.
#include "base/mutex.h"
#include "net/server.h"
#include "net/tls_kit_test.h"

#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::net {
namespace {

using asio::ip::tcp;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Heard {
  std::string bytes;
  bool reset = false;  ///< Ended by a reset and not in order.
};

/// Sends `request` and hears until the server ends the connection.
Heard talk(std::uint16_t port, std::string_view request) {
  asio::io_context context;
  tcp::socket socket(context);
  socket.connect({asio::ip::make_address("127.0.0.1"), port});
  boost::system::error_code failed;
  asio::write(socket, asio::buffer(request), failed);
  Heard heard;
  asio::read(socket, asio::dynamic_buffer(heard.bytes), failed);
  heard.reset = failed == asio::error::connection_reset;
  return heard;
}

/// What on_refused was told.
class Refusals {
 public:
  void listen_to(ServerOptions& options) {
    options.on_refused = [this](const RefusedRequest& refused) { return note(refused); };
  }
  std::vector<RefusedRequest> take() {
    const MutexLock lock(mutex_);
    return std::exchange(seen_, {});
  }

 private:
  asio::awaitable<void> note(const RefusedRequest& refused) {
    const MutexLock lock(mutex_);
    seen_.push_back(refused);
    co_return;
  }
  Mutex mutex_;
  std::vector<RefusedRequest> seen_ GUARDED_BY(mutex_);
};

std::unique_ptr<Server> start(Handler handler, ServerOptions options = {}) {
  auto server = Server::listen(std::move(options), std::move(handler)).value();
  server->start();
  return server;
}

asio::awaitable<void> send_raw_back(Exchange& exchange) {
  const auto body = co_await exchange.read_all(1000);
  static_cast<void>(co_await exchange.respond({200, {}}, exchange.request().raw + *body + "|"));
}

TEST(Forwarding, KeepsTheHeadAsItCame) {
  const auto server = start(send_raw_back);
  const std::string first =
      "POST /a%2f?b HTTP/1.1\r\nhost:h\r\nX-Odd:  two  \r\nX: 1\r\nY: 2\r\n"
      "x: 3\r\nCONTENT-length: 3\r\n\r\n";
  const std::string second = "GET /second HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  const Heard heard = talk(server->port(), first + "abc" + second);
  EXPECT_THAT(heard.bytes, HasSubstr("\r\n\r\n" + first + "abc|HTTP/1.1 200"));
  EXPECT_THAT(heard.bytes, EndsWith("\r\n\r\n" + second + "|"));
}

asio::awaitable<void> send_trailers_back(Exchange& exchange) {
  const auto body = co_await exchange.read_all(1000);
  std::string seen = body.value_or("broken") + ";";
  for (const auto& [name, value] : exchange.trailers().fields()) {
    seen += name + "=" + value + ";";
  }
  static_cast<void>(co_await exchange.respond({200, {}}, std::move(seen)));
}

TEST(Forwarding, TellsTrailersFromFields) {
  const auto server = start(send_trailers_back);
  // The trailer "A" has the name of a field, which must not be taken for one.
  EXPECT_THAT(
      talk(server->port(),
           "PUT / HTTP/1.1\r\nHost: h\r\na: field\r\nb: field\r\nTransfer-Encoding: chunked\r\n"
           "Connection: close\r\n\r\n3\r\nxyz\r\n0\r\nA: 1\r\nx-amz-checksum: 2\r\n\r\n")
          .bytes,
      EndsWith("\r\n\r\nxyz;A=1;x-amz-checksum=2;"));
  EXPECT_THAT(talk(server->port(), "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").bytes,
              EndsWith("\r\n\r\n;"));
}

constexpr std::string_view kClosing = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

TEST(Forwarding, SendsHeadsAsTheyAreGiven) {
  const auto server = start([](Exchange& exchange) -> asio::awaitable<void> {
    static_cast<void>(co_await exchange.begin_forwarded(
        "HTTP/1.1 299 Odd\r\ncontent-LENGTH:  6\r\n\r\n", Framing::Length, 6));
    static_cast<void>(co_await exchange.write("abc"));
    static_cast<void>(co_await exchange.write("def"));
    EXPECT_FALSE(co_await exchange.write("more"));
  });
  const Heard heard = talk(server->port(), kClosing);
  EXPECT_EQ(heard.bytes, "HTTP/1.1 299 Odd\r\ncontent-LENGTH:  6\r\n\r\nabcdef");
  EXPECT_FALSE(heard.reset);
}

constexpr std::string_view kChunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(Forwarding, SendsChunksAndKeepsTheConnection) {
  const std::string large(300 << 10, 'x');
  const auto server = start([&](Exchange& exchange) -> asio::awaitable<void> {
    EXPECT_FALSE(co_await exchange.end_chunks(""));
    static_cast<void>(co_await exchange.begin_forwarded(kChunkedHead, Framing::Chunked, 0));
    static_cast<void>(co_await exchange.write("abc"));
    static_cast<void>(co_await exchange.write(""));
    if (exchange.request().target == "/large") {
      static_cast<void>(co_await exchange.write(large));
    }
    static_cast<void>(co_await exchange.end_chunks("X: 1\r\n"));
  });
  const std::string head(kChunkedHead);
  EXPECT_EQ(talk(server->port(), "GET / HTTP/1.1\r\nHost: h\r\n\r\n" + std::string(kClosing)).bytes,
            head + "3\r\nabc\r\n0\r\nX: 1\r\n\r\n" + head + "3\r\nabc\r\n0\r\nX: 1\r\n\r\n");
  EXPECT_EQ(
      talk(server->port(), "GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").bytes,
      head + "3\r\nabc\r\n4b000\r\n" + large + "\r\n0\r\nX: 1\r\n\r\n");
}

TEST(Forwarding, KnowsAnswersThatEndWithTheConnection) {
  const auto server = start([](Exchange& exchange) -> asio::awaitable<void> {
    static_cast<void>(
        co_await exchange.begin_forwarded("HTTP/1.1 200 OK\r\n\r\n", Framing::UntilClose, 0));
    static_cast<void>(co_await exchange.write("all of it"));
  });
  const Heard heard = talk(server->port(), "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(heard.bytes, "HTTP/1.1 200 OK\r\n\r\nall of it");
  EXPECT_FALSE(heard.reset);
}

TEST(Forwarding, ResetsTheConnectionOfAnAnswerThatIsNotWhole) {
  for (const Framing framing : {Framing::Length, Framing::Chunked, Framing::UntilClose}) {
    const auto server = start([framing](Exchange& exchange) -> asio::awaitable<void> {
      static_cast<void>(co_await exchange.begin_forwarded("HTTP/1.1 200 OK\r\n\r\n", framing, 100));
      static_cast<void>(co_await exchange.write("abc"));
      if (framing == Framing::UntilClose) {
        exchange.break_off();
      }
    });
    const Heard heard = talk(server->port(), "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(heard.reset) << static_cast<int>(framing);
    EXPECT_THAT(heard.bytes, Not(HasSubstr("0\r\n\r\n")));
  }
}

TEST(Forwarding, SendsContinueWhenAsked) {
  const auto server = start([](Exchange& exchange) -> asio::awaitable<void> {
    const bool expected = exchange.expects_continue();
    static_cast<void>(co_await exchange.send_continue());
    static_cast<void>(co_await exchange.send_continue());
    EXPECT_FALSE(exchange.expects_continue());
    const auto body = co_await exchange.read_all(10);
    static_cast<void>(co_await exchange.respond({200, {}}, (expected ? "expected " : "") + *body));
  });
  const std::string fields =
      "Host: h\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: ";
  EXPECT_THAT(talk(server->port(), "PUT / HTTP/1.1\r\n" + fields + "2\r\n\r\nhi").bytes,
              testing::AllOf(StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"),
                             EndsWith("expected hi")));
  // Nobody waits for a body that is empty, nor in a version that has no interim answers.
  EXPECT_THAT(talk(server->port(), "PUT / HTTP/1.1\r\n" + fields + "0\r\n\r\n").bytes,
              StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(talk(server->port(), "PUT / HTTP/1.0\r\n" + fields + "2\r\n\r\nhi").bytes,
              StartsWith("HTTP/1.1 200 "));
}

asio::awaitable<void> fail_the_test(Exchange& exchange) {
  ADD_FAILURE() << "the handler was called for " << exchange.request().raw;
  co_return;
}

TEST(Refusing, IsTold) {
  Refusals refusals;
  ServerOptions options;
  refusals.listen_to(options);
  const auto server = start(fail_the_test, std::move(options));
  const std::string head = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\n";
  EXPECT_THAT(talk(server->port(), head + "abc").bytes, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(talk(server->port(), "GET / HTTP/1.1\nHost: h\n\n").bytes,
              StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(talk(server->port(), "GET / HTTP/1.1\r\nX: " + std::string(100 << 10, 'a')).bytes,
              StartsWith("HTTP/1.1 431 "));
  const auto seen = refusals.take();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].status, 400);
  EXPECT_EQ(seen[0].reason, "Content-Length is not a number");
  EXPECT_EQ(seen[0].raw, head) << "the body is no part of it";
  EXPECT_EQ(seen[0].peer_address, "127.0.0.1");
  EXPECT_FALSE(seen[0].tls);
  EXPECT_EQ(seen[1].reason, "a line ends in a bare line feed");
  EXPECT_EQ(seen[2].status, 431);
  EXPECT_EQ(seen[2].raw.size(), kRefusedBytesMax);
}

TEST(Refusing, TellsASlowClientThatItWasSlow) {
  Refusals refusals;
  ServerOptions options;
  options.limits.header_timeout = std::chrono::seconds(1);
  refusals.listen_to(options);
  const auto server = start(fail_the_test, std::move(options));
  EXPECT_THAT(talk(server->port(), "GET / HT").bytes, StartsWith("HTTP/1.1 408 "));
  const auto seen = refusals.take();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].status, 408);
  EXPECT_EQ(seen[0].raw, "GET / HT");
  // One that sent nothing was idle, which is nothing to be told.
  EXPECT_EQ(talk(server->port(), "").bytes, "");
  EXPECT_TRUE(refusals.take().empty());
}

TEST(Refusing, LeavesARequestThatIsSlowInItsBodyAlone) {
  ServerOptions options;
  options.limits.header_timeout = std::chrono::seconds(1);
  const auto server = start(send_raw_back, std::move(options));
  asio::io_context context;
  tcp::socket socket(context);
  socket.connect({asio::ip::make_address("127.0.0.1"), server->port()});
  asio::write(socket, asio::buffer(std::string("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"
                                               "Connection: close\r\n\r\nx")));
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  asio::write(socket, asio::buffer(std::string("y")));
  std::string answer;
  boost::system::error_code failed;
  asio::read(socket, asio::dynamic_buffer(answer), failed);
  EXPECT_THAT(answer, EndsWith("xy|"));
}

TEST(Refusing, TellsASlowClientOverTls) {
  const SelfSigned certificate("IP:127.0.0.1");
  Refusals refusals;
  ServerOptions options;
  options.limits.header_timeout = std::chrono::seconds(1);
  options.tls_certificate_file = certificate.certificate_file();
  options.tls_key_file = certificate.key_file();
  refusals.listen_to(options);
  const auto server = start(fail_the_test, std::move(options));
  asio::io_context context;
  asio::ssl::context tls(asio::ssl::context::tls_client);
  asio::ssl::stream<tcp::socket> stream(context, tls);
  stream.next_layer().connect({asio::ip::make_address("127.0.0.1"), server->port()});
  stream.handshake(asio::ssl::stream_base::client);
  asio::write(stream, asio::buffer(std::string("GET / HT")));
  std::string answer;
  boost::system::error_code failed;
  asio::read(stream, asio::dynamic_buffer(answer), failed);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 "));
  stream.next_layer().close();
  const auto seen = refusals.take();
  ASSERT_EQ(seen.size(), 1U);
  ASSERT_TRUE(seen[0].tls);
  EXPECT_EQ(seen[0].tls->version, "TLSv1.3");
}

}  // namespace
}  // namespace opentrail::net
