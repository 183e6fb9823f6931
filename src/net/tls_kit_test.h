#pragma once
#include "io/temp_folder.h"
#include "net/server.h"

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

/// For tests: servers with certificates that the test signs itself.
namespace opentrail::net {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using OpenFile = std::unique_ptr<FILE, Freer<std::fclose>>;

/// A certificate file, signed by its own key, and the key's file.
class SelfSigned {
 public:
  /// `name`: "IP:127.0.0.1", "DNS:example.com". It ends `lifetime` from now.
  explicit SelfSigned(const char* name, std::chrono::seconds lifetime = std::chrono::hours(1)) {
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate(X509_new());
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    constexpr long kDayAgo = -86'400;
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), kDayAgo);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), lifetime.count());
    X509_set_pubkey(certificate.get(), key.get());
    X509_set_version(certificate.get(), X509_VERSION_3);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, name);
    X509_add_ext(certificate.get(), extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    const OpenFile certificate_file(std::fopen(this->certificate_file().c_str(), "w"));
    PEM_write_X509(certificate_file.get(), certificate.get());
    const OpenFile key_file(std::fopen(this->key_file().c_str(), "w"));
    PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }

  [[nodiscard]] std::string certificate_file() const { return folder_.path() + "/cert.pem"; }
  [[nodiscard]] std::string key_file() const { return folder_.path() + "/key.pem"; }

 private:
  io::TempFolder folder_;
};

inline asio::awaitable<void> say_hello(Exchange& exchange) {
  static_cast<void>(co_await exchange.respond({200, {}}, "hello"));
}

inline std::unique_ptr<Server> start_tls(const SelfSigned& certificate,
                                         Handler handler = say_hello) {
  ServerOptions options;
  options.tls_certificate_file = certificate.certificate_file();
  options.tls_key_file = certificate.key_file();
  auto server = Server::listen(std::move(options), std::move(handler)).value();
  server->start();
  return server;
}

}  // namespace opentrail::net
