#pragma once
#include "iam/iam.h"
#include "io/clock.h"
#include "io/random.h"
#include "journal/journal.h"
#include "net/server.h"
#include "server/rate_limiter.h"
#include "server/recorder.h"
#include "services/service.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

namespace opentrail::server {

/// Every request to a service goes through here: identify, authorise, handle, record, answer
/// (docs/architecture.md). Lives as long as the server; any I/O thread.
class Pipeline {
 public:
  struct Parts {
    iam::Iam& iam;
    Recorder& recorder;
    const journal::Journal& journal;
    const io::Clock& clock;
    io::Random& random;
    boost::asio::thread_pool& workers;
    std::vector<std::unique_ptr<services::Service>> services;
    std::vector<std::string> regions;  ///< Enabled ones.
    double lookup_rate = 0;            ///< 0: no limit.
    /// Told of each accepted record of a call that asked event history.
    std::function<void(journal::Offset)> history_read;
  };

  explicit Pipeline(Parts parts);

  /// The signing name of the service of ours that a request without a scope or a telling host name
  /// would be for, judged by its shape.
  [[nodiscard]] std::string_view guess_service(const net::RequestHead& head) const;
  /// True when we have a service of that signing name.
  [[nodiscard]] bool has_service(std::string_view signing_name) const {
    return find_service(signing_name) != nullptr;
  }
  /// Answers one request, whatever it is.
  boost::asio::awaitable<void> answer(net::Exchange& exchange);

 private:
  struct Attempt;

  boost::asio::awaitable<void> run(Attempt& attempt);
  boost::asio::awaitable<void> read_body(Attempt& attempt);
  [[nodiscard]] iam::AuthenticateOptions signed_over(const Attempt& attempt,
                                                     std::string payload_hash) const;
  [[nodiscard]] bool may_send_much(const Attempt& attempt) const;
  void authenticate(Attempt& attempt);
  void check_region(Attempt& attempt);
  void authorise(Attempt& attempt);
  void throttle(Attempt& attempt);
  void check_journal(Attempt& attempt);
  boost::asio::awaitable<void> record(Attempt& attempt);
  boost::asio::awaitable<void> send(Attempt& attempt);

  [[nodiscard]] services::Service* choose_service(const Attempt& attempt) const;
  [[nodiscard]] services::Service* find_service(std::string_view signing_name) const;
  [[nodiscard]] bool is_enabled(std::string_view region) const;

  Parts parts_;
  RateLimiter lookup_limiter_;
};

}  // namespace opentrail::server
