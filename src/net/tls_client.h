#pragma once
#include "base/error.h"
#include "net/client.h"

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>

/// TLS from the client's side. Internal to net.
namespace opentrail::net {

/// Verifies the chain against the system's certificates and those of `ca_file` (may be empty), and
/// the host name. Errors: Unavailable, InvalidArgument naming the file.
[[nodiscard]] Result<std::unique_ptr<boost::asio::ssl::context>> make_client_tls(
    const std::string& host, const std::string& ca_file);

/// Tells the server which host is meant; nothing for an address, which is no name (RFC 6066 §3).
void name_server(SSL* session, const std::string& host);

/// What a failed handshake means.
struct HandshakeFailure {
  std::string detail;  ///< More than the error's message says; may be empty.
  std::string reason;  ///< Of the Error, see client.h.
};
[[nodiscard]] HandshakeFailure explain_handshake(const boost::system::error_code& failed,
                                                 SSL* session, const std::string& host);

}  // namespace opentrail::net
