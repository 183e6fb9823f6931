#pragma once
#include "base/error.h"
#include "crypto/sigv4.h"
#include "io/clock.h"
#include "net/client.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace opentrail::collect {

/// How long a call that is pushed back (429, 503, throttled, connection lost) is tried again. The
/// server never drops what it was given, so a repeated import changes nothing.
struct RetryLimits {
  int attempts_max = 8;
  std::chrono::milliseconds first_delay{500};  ///< Doubles each time.
  std::chrono::milliseconds delay_max{30'000};
  /// A longer Retry-After than this is cut.
  std::chrono::milliseconds retry_after_max{60'000};
};

/// Waits; false when it was interrupted, which ends the call.
using Pause = std::function<bool(std::chrono::milliseconds)>;
/// Sleeps in short steps and looks at `stop` (which may be null and must outlive the pause).
[[nodiscard]] Pause make_pause(const std::atomic<bool>* stop);

struct SignedClientOptions {
  std::string endpoint;  ///< "http://127.0.0.1:4747", with or without a base path.
  std::string region = "us-east-1";
  crypto::sigv4::Credentials credentials;
  RetryLimits retry;
  net::ClientOptions client;
};

struct SignedCall {
  std::string method = "POST";
  std::string path = "/";  ///< Encoded; behind the endpoint's base path.
  std::string service;     ///< SigV4 service name: "cloudtrail".
  net::Headers headers;
  std::string body;
};

/// Calls an AWS-protocol server with SigV4 and patience. Blocking; one thread at a time.
class SignedClient {
 public:
  /// Errors: InvalidArgument for an endpoint that is not a URL, or a CA file that is none.
  static Result<std::unique_ptr<SignedClient>> make(SignedClientOptions options,
                                                    const io::Clock& clock, Pause pause);

  /// The 2xx answer. Otherwise an Error that says what the server said, with the AWS error name in
  /// reason(): PermissionDenied (401, 403, or a name that says so), NotFound (404), InvalidArgument
  /// (other 4xx), Throttled or Unavailable (after the last attempt). A server that was never
  /// reached is not tried again: it is more often a wrong address than a restart.
  Result<net::ClientResponse> call(const SignedCall& call);

  [[nodiscard]] const std::string& endpoint() const { return options_.endpoint; }
  [[nodiscard]] const std::string& region() const { return options_.region; }

 private:
  SignedClient(SignedClientOptions options, std::unique_ptr<net::Client> client,
               const io::Clock& clock, Pause pause);
  [[nodiscard]] net::ClientRequest sign(const SignedCall& call) const;

  SignedClientOptions options_;
  std::unique_ptr<net::Client> client_;
  const io::Clock& clock_;
  Pause pause_;
  bool reached_ = false;
};

/// reason() of the error of a call whose pause was interrupted.
inline constexpr std::string_view kInterrupted = "Interrupted";

}  // namespace opentrail::collect
