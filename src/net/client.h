#pragma once
#include "base/error.h"
#include "net/http.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace opentrail::net {

/// scheme://host[:port][/base]; the port defaults to 80 or 443.
struct Url {
  std::string scheme;  ///< "http" or "https".
  std::string host;
  std::uint16_t port = 80;
  std::string path;  ///< Begins with "/" or is empty.

  /// "host" or "host:port" when the port is not the scheme's own: the Host header.
  [[nodiscard]] std::string authority() const;
};
/// InvalidArgument, saying which part is wrong.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";  ///< Path and query, encoded.
  Headers headers;           ///< Host and Content-Length are added when missing.
  std::string body;
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

struct ClientOptions {
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds request_timeout{30000};  ///< Whole exchange.
  std::size_t response_bytes_max = 64 << 20;
  /// PEM file of certificates that are trusted beside the system's. Read by make(), for https only.
  std::string ca_file;
};

/// reason() of the errors of a TLS handshake, for those who can say what to do about it.
inline constexpr std::string_view kUntrustedCertificate = "UntrustedCertificate";
inline constexpr std::string_view kTlsFailed = "TlsFailed";

/// Blocking HTTP/1.1 client for one origin; keeps one connection and opens a new one when the
/// server closed it. Not for I/O threads; one thread at a time. TLS verifies the host against the
/// system's certificates and those of ClientOptions::ca_file.
/// Errors: Unavailable (cannot connect, reset, reason kUntrustedCertificate or kTlsFailed when TLS
/// did not come about), Timeout, ResourceExhausted (answer too large).
class Client {
 public:
  /// Errors: InvalidArgument naming the CA file that cannot be read.
  static Result<std::unique_ptr<Client>> make(Url origin, ClientOptions options = {});
  virtual ~Client() = default;
  /// A request is sent again at most once, and only when a kept connection turned out to be closed
  /// before any byte of the answer came.
  virtual Result<ClientResponse> send(const ClientRequest& request) = 0;
  [[nodiscard]] virtual const Url& origin() const = 0;
};

}  // namespace opentrail::net
