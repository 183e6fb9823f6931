#include "net/tls_client.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <fmt/format.h>

namespace opentrail::net {

namespace asio = boost::asio;

Result<std::unique_ptr<asio::ssl::context>> make_client_tls(const std::string& host,
                                                            const std::string& ca_file) {
  boost::system::error_code failed;
  auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
  tls->set_default_verify_paths(failed);
  if (failed) {
    return fail(ErrorCode::Unavailable,
                "cannot read the system's TLS certificates: " + failed.message());
  }
  if (!ca_file.empty()) {
    tls->load_verify_file(ca_file, failed);
    if (failed) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("CA certificates {}: not a readable PEM file: {}", ca_file,
                              failed.message()));
    }
  }
  tls->set_verify_mode(asio::ssl::verify_peer);
  tls->set_verify_callback(asio::ssl::host_name_verification(host));
  return tls;
}

void name_server(SSL* session, const std::string& host) {
  boost::system::error_code no_address;
  asio::ip::make_address(host, no_address);
  if (no_address) {
    SSL_set_tlsext_host_name(session, host.c_str());
  }
}

HandshakeFailure explain_handshake(const boost::system::error_code& failed, SSL* session,
                                   const std::string& host) {
  HandshakeFailure failure{{}, std::string(kTlsFailed)};
  const bool untrusted =
      failed.category() == asio::error::get_ssl_category() &&
      ERR_GET_REASON(static_cast<unsigned long>(failed.value())) == SSL_R_CERTIFICATE_VERIFY_FAILED;
  if (!untrusted) {
    return failure;
  }
  failure.reason = kUntrustedCertificate;
  // OpenSSL's "certificate verify failed" leaves out what is wrong with the certificate, and the
  // host is compared by a callback of ours, for which it has no words.
  const long verdict = SSL_get_verify_result(session);
  failure.detail = verdict == X509_V_OK || verdict == X509_V_ERR_UNSPECIFIED
                       ? fmt::format("the server's certificate is not for {}", host)
                       : fmt::format("the server's certificate is not trusted: {}",
                                     X509_verify_cert_error_string(verdict));
  return failure;
}

}  // namespace opentrail::net
