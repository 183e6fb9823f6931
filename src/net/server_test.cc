#include "net/server.h"

#include "base/mutex.h"
#include "net/client.h"

#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::net {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Bytes in, bytes out, until the server closes.
std::string talk(std::uint16_t port, std::string_view request) {
  asio::io_context context;
  asio::ip::tcp::socket socket(context);
  socket.connect({asio::ip::make_address("127.0.0.1"), port});
  boost::system::error_code failed;
  asio::write(socket, asio::buffer(request), failed);
  socket.shutdown(asio::ip::tcp::socket::shutdown_send, failed);
  std::string answer;
  asio::read(socket, asio::dynamic_buffer(answer), failed);
  return answer;
}

/// Answers with the method, target and body of the request.
asio::awaitable<void> echo(Exchange& exchange) {
  constexpr std::size_t kBytesMax = 1000;
  auto body = co_await exchange.read_all(kBytesMax);
  if (!body) {
    static_cast<void>(co_await exchange.respond({413, {}}, body.error().message()));
    co_return;
  }
  const RequestHead& head = exchange.request();
  static_cast<void>(
      co_await exchange.respond({200, {}}, head.method + " " + head.target + " " + *body));
}

std::unique_ptr<Server> start(Handler handler, ServerOptions options = {}) {
  auto server = Server::listen(std::move(options), std::move(handler));
  EXPECT_TRUE(server) << server.error().message();
  (*server)->start();
  return std::move(*server);
}

std::unique_ptr<Client> client_of(const Server& server) {
  Url url;
  url.scheme = "http";
  url.host = "127.0.0.1";
  url.port = server.port();
  return Client::make(url).value();
}

TEST(Server, AnswersOnAKeptConnection) {
  const auto server = start(echo);
  const auto client = client_of(*server);
  for (int i = 0; i < 3; ++i) {
    ClientRequest request;
    request.method = "POST";
    request.target = "/a?b=1";
    request.body = "body" + std::to_string(i);
    const auto answer = client->send(request);
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "POST /a?b=1 " + request.body);
    EXPECT_TRUE(answer->headers.find("Date"));
  }
}

TEST(Server, ReadsChunkedBodiesAndPipelinedRequests) {
  const auto server = start(echo);
  const auto answer = talk(server->port(),
                           "PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
                           "GET /d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("PUT /c abcde"));
  EXPECT_THAT(answer, HasSubstr("GET /d "));
}

TEST(Server, SendsContinueOnlyWhenTheBodyIsRead) {
  const auto server = start(echo);
  const auto read = talk(server->port(),
                         "PUT /c HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nConnection: "
                         "close\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_THAT(read, StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
  const auto refusing = start([](Exchange& exchange) -> asio::awaitable<void> {
    static_cast<void>(co_await exchange.respond({403, {}}, "no"));
  });
  const auto refused = talk(refusing->port(),
                            "PUT /c HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                            "Content-Length: 2\r\n\r\n");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_THAT(refused, HasSubstr("Connection: close"));
}

TEST(Server, RefusesWhatIsNotHttpBeforeTheHandler) {
  const auto server = start([](Exchange&) -> asio::awaitable<void> {
    ADD_FAILURE() << "the handler was called";
    co_return;
  });
  for (const auto* request : {
           "\x16\x03\x01 not http at all\r\n\r\n",
           "GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n",
           "GET nowhere HTTP/1.1\r\nHost: h\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
           "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: h\r\nBad Header: 1\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
           // Where such a body ends, a proxy in front may see otherwise.
           "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
           "PUT / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           "PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
           "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       }) {
    EXPECT_THAT(talk(server->port(), request), StartsWith("HTTP/1.1 400 ")) << request;
  }
  const std::string huge = "GET / HTTP/1.1\r\nX: " + std::string(100 << 10, 'a') + "\r\n\r\n";
  EXPECT_THAT(talk(server->port(), huge), StartsWith("HTTP/1.1 431 "));
}

TEST(Server, ClosesQuietlyWhenTheClientGoesAway) {
  const auto server = start(echo);
  EXPECT_EQ(talk(server->port(), ""), "");
  EXPECT_EQ(talk(server->port(), "GET / HT"), "");
  // A body cut short is an error of the read; the handler still answers.
  EXPECT_THAT(talk(server->port(), "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc"),
              StartsWith("HTTP/1.1 413 "));
}

TEST(Server, BoundsWhatStandsBetweenChunks) {
  const auto server = start(echo);
  const std::string head = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string endless(1 << 20, 'a');
  EXPECT_THAT(talk(server->port(), head + "1;" + endless + "\r\nx\r\n0\r\n\r\n"),
              HasSubstr("the body is malformed"));
  EXPECT_THAT(talk(server->port(), head + "1\r\nx\r\n0\r\nX: " + endless + "\r\n\r\n"),
              HasSubstr("the body is malformed"));
  for (const std::size_t size : {65480U, 65500U, 65520U, 65530U, 65535U}) {
    const std::string field = "X:" + endless.substr(0, size) + "\r\n\r\n";
    EXPECT_THAT(talk(server->port(), head + "0\r\n" + field), StartsWith("HTTP/1.1 "));
    EXPECT_THAT(talk(server->port(), "GET / HTTP/1.1\r\n" + field), StartsWith("HTTP/1.1 "));
  }
}

TEST(Server, BoundsBodies) {
  const auto server = start(echo);
  const std::string body(2000, 'x');
  EXPECT_THAT(
      talk(server->port(),
           "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\nConnection: close\r\n\r\n" + body),
      StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(talk(server->port(),
                   "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: "
                   "close\r\n\r\n7d0\r\n" +
                       body + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

asio::awaitable<void> turn_away(Exchange& exchange) {
  static_cast<void>(co_await exchange.respond({503, {}}, "busy"));
}

TEST(Server, AnAnswerBeforeTheBodyReachesTheClient) {
  constexpr std::size_t kBytes = 48 << 20;
  const auto server = start(turn_away);
  const std::string body(kBytes, 'x');
  EXPECT_THAT(talk(server->port(), "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: " +
                                       std::to_string(kBytes) + "\r\n\r\n" + body),
              testing::AllOf(StartsWith("HTTP/1.1 503 "), testing::EndsWith("busy")));
  const auto closing = start([](Exchange& exchange) -> asio::awaitable<void> {
    exchange.close_after();
    co_await turn_away(exchange);
  });
  const auto client = client_of(*closing);
  for (int i = 0; i < 3; ++i) {
    const auto answer =
        client->send({.method = "POST", .target = "/", .headers = {}, .body = body});
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->status, 503);
    EXPECT_EQ(answer->body, "busy");
  }
}

TEST(Client, ReadsTheAnswerOfAServerThatDoesNotTakeTheBody) {
  asio::io_context context;
  asio::ip::tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), 0});
  int connections = 0;
  std::thread server([&] {
    asio::ip::tcp::socket socket = acceptor.accept();
    ++connections;
    std::string head(100, '\0');
    asio::read(socket, asio::buffer(head));
    asio::write(
        socket,
        asio::buffer(std::string_view("HTTP/1.1 413 No\r\nContent-Length: 9\r\n\r\ntoo large")));
    // Closed with bytes unread: the client's next write fails.
  });
  const auto client =
      Client::make({"http", "127.0.0.1", acceptor.local_endpoint().port(), ""}).value();
  const auto answer = client->send(
      {.method = "POST", .target = "/", .headers = {}, .body = std::string(64 << 20, 'x')});
  server.join();
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(answer->body, "too large");
  EXPECT_EQ(connections, 1);
}

TEST(Server, StreamsAnswersAndLeavesBodiesOutForHead) {
  const auto server = start([](Exchange& exchange) -> asio::awaitable<void> {
    const std::string part(100000, 'p');
    static_cast<void>(co_await exchange.begin_response({200, {}}, 3 * part.size()));
    if (exchange.request().method == "HEAD") {
      co_return;
    }
    for (int i = 0; i < 3; ++i) {
      static_cast<void>(co_await exchange.write(part));
    }
  });
  const auto client = client_of(*server);
  const auto got = client->send({});
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_EQ(got->body.size(), 300000U);
  ClientRequest head;
  head.method = "HEAD";
  const auto headed = client->send(head);
  ASSERT_TRUE(headed) << headed.error().message();
  EXPECT_EQ(headed->body, "");
  EXPECT_EQ(headed->headers.get("content-length"), "300000");
}

TEST(Server, AnswersFiveHundredForASilentHandlerAndKeepsHeadersClean) {
  const auto silent = start([](Exchange&) -> asio::awaitable<void> { co_return; });
  EXPECT_THAT(talk(silent->port(), "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
              StartsWith("HTTP/1.1 500 "));
  const auto injecting = start([](Exchange& exchange) -> asio::awaitable<void> {
    ResponseHead head;
    head.headers.add("X-Echo", "a\r\nX-Evil: 1");
    static_cast<void>(co_await exchange.respond(std::move(head), ""));
  });
  EXPECT_THAT(talk(injecting->port(), "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              HasSubstr("X-Echo: a  X-Evil: 1\r\n"));
}

TEST(Server, StopLetsARunningExchangeEndAndClosesIdleOnes) {
  Mutex mutex;
  Condition changed;
  bool entered = false;
  const auto server = start([&](Exchange& exchange) -> asio::awaitable<void> {
    {
      const MutexLock lock(mutex);
      entered = true;
      changed.notify_all();
    }
    static_cast<void>(co_await exchange.read_all(100));
    static_cast<void>(co_await exchange.respond({200, {}}, "done"));
  });
  asio::io_context context;
  asio::ip::tcp::socket idle(context);
  idle.connect({asio::ip::make_address("127.0.0.1"), server->port()});
  asio::ip::tcp::socket busy(context);
  busy.connect({asio::ip::make_address("127.0.0.1"), server->port()});
  asio::write(busy,
              asio::buffer(std::string("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nx")));
  {
    const MutexLock lock(mutex);
    while (!entered) {
      changed.wait(mutex);
    }
  }
  std::thread stopper([&] { server->stop(std::chrono::seconds(30)); });
  boost::system::error_code failed;
  std::string nothing;
  asio::read(idle, asio::dynamic_buffer(nothing), failed);
  EXPECT_EQ(nothing, "");
  asio::write(busy, asio::buffer(std::string("y")));
  busy.shutdown(asio::ip::tcp::socket::shutdown_send, failed);
  std::string answer;
  asio::read(busy, asio::dynamic_buffer(answer), failed);
  EXPECT_THAT(answer, HasSubstr("done"));
  stopper.join();
}

TEST(Server, TurnsClientsAwayOnceStopped) {
  const auto server = start(echo);
  server->stop(std::chrono::seconds(30));
  asio::io_context context;
  asio::ip::tcp::socket late(context);
  boost::system::error_code failed;
  late.connect({asio::ip::make_address("127.0.0.1"), server->port()}, failed);
  EXPECT_EQ(failed, asio::error::connection_refused);
}

TEST(Server, SaysWhyItCannotListen) {
  const auto server = start(echo);
  ServerOptions taken;
  taken.port = server->port();
  const auto second = Server::listen(taken, echo);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message(), HasSubstr("--listen"));
  ServerOptions named;
  named.address = "localhost";
  EXPECT_EQ(Server::listen(named, echo).error().code(), ErrorCode::InvalidArgument);
  ServerOptions tls;
  tls.tls_certificate_file = "missing.pem";
  tls.tls_key_file = "missing.key";
  EXPECT_THAT(Server::listen(tls, echo).error().message(), HasSubstr("missing.pem"));
}

TEST(Client, ReportsRefusedAndOversizedAnswers) {
  Url nobody{"http", "127.0.0.1", 1, ""};
  const auto refused = Client::make(nobody).value()->send({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::Unavailable);
  const auto server = start(echo);
  Url url{"http", "127.0.0.1", server->port(), ""};
  ClientOptions small;
  small.response_bytes_max = 3;
  const auto large = Client::make(url, small).value()->send({});
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code(), ErrorCode::ResourceExhausted);
}

}  // namespace
}  // namespace opentrail::net
