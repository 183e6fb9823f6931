#include "server/health.h"

#include "base/metrics.h"

namespace opentrail::server {
namespace {

bool is_signed(const net::RequestHead& head) {
  return head.headers.find("authorization").has_value() ||
         head.query().find("X-Amz-Signature=") != std::string_view::npos;
}

}  // namespace

boost::asio::awaitable<bool> Health::answer(net::Exchange& exchange) {
  const net::RequestHead& head = exchange.request();
  const std::string_view path = head.path();
  if ((head.method != "GET" && head.method != "HEAD") || is_signed(head)) {
    co_return false;
  }
  net::ResponseHead response;
  std::string body;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  if (path == "/healthz") {
    body = "ok\n";
  } else if (path == "/readyz") {
    response.status = ready() ? 200 : 503;
    body = ready() ? "ready\n" : "starting: the journal is being replayed\n";
  } else if (path == "/metrics") {
    response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    body = metrics::render();
  } else {
    co_return false;
  }
  // A client that went away meanwhile is no concern of ours.
  static_cast<void>(co_await exchange.respond(std::move(response), std::move(body)));
  co_return true;
}

}  // namespace opentrail::server
