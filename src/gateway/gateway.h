#pragma once
#include "gateway/routes.h"
#include "iam/iam.h"
#include "io/clock.h"
#include "io/random.h"
#include "net/server.h"
#include "record/builder.h"

#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>

namespace opentrail::gateway {

/// Calls to services that are not ours: sent on byte for byte, recorded as CloudTrail would.
/// A mutating management call is answered once its record is durable, a read or a data event is
/// recorded behind its answer. Any I/O thread; lives as long as the server.
class Gateway {
 public:
  struct Parts {
    iam::Iam& iam;
    const io::Clock& clock;
    io::Random& random;
    Routes routes;
    /// Puts a call on the record: durable on return where the call changed something. An error
    /// means that it is on no record.
    std::function<boost::asio::awaitable<Result<void>>(const record::CallFacts&)> record;
    /// True when nothing can be recorded: then nothing is sent on.
    std::function<bool()> cannot_record;
  };

  explicit Gateway(Parts parts) : parts_(std::move(parts)) {}

  /// Who a request is for, by its SigV4 scope, else its host name.
  struct Destination {
    std::string service;  ///< Signing name; "" when nothing says it.
    std::string region;   ///< Never empty.
    std::string bucket;   ///< Of a virtual-host request.
    std::string access_key_id;
  };
  [[nodiscard]] Destination destination_of(const net::RequestHead& head) const;

  /// True when the request is to be sent on. `ours`: we have a service of that name ourselves.
  [[nodiscard]] bool takes(const Destination& destination, bool ours) const;
  /// Answers a request that it takes.
  boost::asio::awaitable<void> answer(net::Exchange& exchange, const Destination& destination);
  /// When the server has stopped and before its event loops go.
  void stop() { parts_.routes.close_idle(); }

 private:
  struct Attempt;

  boost::asio::awaitable<void> forward(Attempt& attempt);
  boost::asio::awaitable<void> finish(Attempt& attempt);
  boost::asio::awaitable<bool> put_on_record(Attempt& attempt);
  boost::asio::awaitable<void> refuse(Attempt& attempt, int status, std::string code,
                                      std::string message);
  void identify(Attempt& attempt) const;

  Parts parts_;
};

}  // namespace opentrail::gateway
