#pragma once
#include "gateway/intents.h"
#include "gateway/routes.h"
#include "iam/iam.h"
#include "io/clock.h"
#include "io/random.h"
#include "net/server.h"
#include "record/builder.h"

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

namespace opentrail::gateway {

/// What is promised of a mutating management call (the modes of Kubernetes's audit backends). Reads
/// and data events are recorded behind their answer in each. None drops a record.
enum class Mode : std::uint8_t {
  /// Its intent is durable before it is sent on, its outcome before it is answered.
  Strict,
  /// Its record is durable before it is answered.
  Blocking,
  /// Its record is accepted behind its answer; where there is no room, the connection waits.
  Batch
};
/// "strict", "blocking", "batch".
[[nodiscard]] std::optional<Mode> parse_mode(std::string_view text);

/// Whether a record's durability is waited for, or only its acceptance.
enum class Wait : std::uint8_t { Durable, Accepted };

/// Calls to services that are not ours: sent on byte for byte, recorded as CloudTrail would. Any
/// I/O thread; lives as long as the server.
class Gateway {
 public:
  struct Parts {
    iam::Iam& iam;
    const io::Clock& clock;
    io::Random& random;
    Routes routes;
    Mode mode = Mode::Blocking;
    Intents* intents = nullptr;  ///< With Mode::Strict.
    /// Puts a call on the record. An error means that it is on no record.
    std::function<boost::asio::awaitable<Result<void>>(const record::CallFacts&, Wait)> record;
    /// True when nothing can be recorded: then nothing is sent on.
    std::function<bool()> cannot_record;
  };

  explicit Gateway(Parts parts) : parts_(std::move(parts)) {}

  /// Who a request is for, by its SigV4 scope, else its host name, else the operation that its
  /// header names.
  struct Destination {
    std::string service;   ///< Signing name; "" when nothing says it.
    std::string region;    ///< Never empty.
    bool guessed = false;  ///< Nothing in the request says the service: it is a default.
    std::string bucket;    ///< Of a virtual-host request.
    std::string access_key_id;
  };
  [[nodiscard]] Destination destination_of(const net::RequestHead& head) const;

  /// True when the request is to be sent on. `ours`: we have a service of that name ourselves.
  [[nodiscard]] bool takes(const Destination& destination, bool ours) const;
  /// Answers a request that it takes.
  boost::asio::awaitable<void> answer(net::Exchange& exchange, const Destination& destination);
  /// Calls that still wait for a journal that takes nothing end.
  void begin_stop() { stopping_.store(true); }
  /// When the server has stopped and before its event loops go.
  void stop() { parts_.routes.close_idle(); }

 private:
  struct Attempt;

  boost::asio::awaitable<void> forward(Attempt& attempt);
  boost::asio::awaitable<void> finish(Attempt& attempt);
  boost::asio::awaitable<bool> put_on_record(Attempt& attempt, Wait wait);
  boost::asio::awaitable<void> record_behind(Attempt& attempt);
  boost::asio::awaitable<Result<void>> begin_intent(Attempt& attempt);
  void end_intent(Attempt& attempt);
  [[nodiscard]] record::CallFacts facts_of(const Attempt& attempt) const;
  boost::asio::awaitable<void> refuse(Attempt& attempt, int status, std::string code,
                                      std::string message);
  void identify(Attempt& attempt) const;

  Parts parts_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace opentrail::gateway
