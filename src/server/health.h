#pragma once
#include "net/server.h"

#include <atomic>

#include <boost/asio/awaitable.hpp>

namespace opentrail::server {

/// The unsigned endpoints: /healthz (the process is alive), /readyz (replayed and serving),
/// /metrics (Prometheus). A signed request for the same path belongs to S3: "metrics" is a legal
/// bucket name.
class Health {
 public:
  /// True when the request was one of them and has been answered.
  boost::asio::awaitable<bool> answer(net::Exchange& exchange);
  void set_ready(bool ready) { ready_.store(ready); }
  [[nodiscard]] bool ready() const { return ready_.load(); }

 private:
  std::atomic<bool> ready_ = false;
};

}  // namespace opentrail::server
