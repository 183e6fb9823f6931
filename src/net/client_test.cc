// Goal: over TLS the client trusts a certificate that the CA file names, and says what is wrong
// with every other.
// Method: a server with a certificate that the test signs itself, for 127.0.0.1 or for nobody.
// What the client does over plain connections is in server_test.cc.
#include "net/client.h"

#include "io/temp_folder.h"
#include "net/server.h"

#include <cstdio>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace opentrail::net {
namespace {

using testing::HasSubstr;

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

asio::awaitable<void> say_hello(Exchange& exchange) {
  static_cast<void>(co_await exchange.respond({200, {}}, "hello"));
}

std::unique_ptr<Server> start_tls(const SelfSigned& certificate, Handler handler = say_hello) {
  ServerOptions options;
  options.tls_certificate_file = certificate.certificate_file();
  options.tls_key_file = certificate.key_file();
  auto server = Server::listen(std::move(options), std::move(handler)).value();
  server->start();
  return server;
}

Result<ClientResponse> get(const Server& server, std::string scheme, std::string ca_file) {
  ClientOptions options;
  options.ca_file = std::move(ca_file);
  auto client = Client::make({std::move(scheme), "127.0.0.1", server.port(), ""}, options);
  return client ? (*client)->send({}) : std::unexpected(std::move(client).error());
}

TEST(ClientTls, TrustsTheCertificatesOfTheCaFile) {
  const SelfSigned certificate("IP:127.0.0.1");
  const auto server = start_tls(certificate);
  const auto answer = get(*server, "https", certificate.certificate_file());
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->body, "hello");
}

TEST(ClientTls, AnAnswerBeforeTheBodyReachesTheClient) {
  constexpr std::size_t kBytes = 48 << 20;
  const SelfSigned certificate("IP:127.0.0.1");
  const auto server = start_tls(certificate);
  ClientOptions options;
  options.ca_file = certificate.certificate_file();
  const auto client = Client::make({"https", "127.0.0.1", server->port(), ""}, options).value();
  for (int i = 0; i < 3; ++i) {
    const auto answer = client->send(
        {.method = "POST", .target = "/", .headers = {}, .body = std::string(kBytes, 'x')});
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->body, "hello");
  }
}

TEST(ClientTls, SaysWhatIsWrongWithACertificate) {
  const SelfSigned good("IP:127.0.0.1");
  const SelfSigned elsewhere("DNS:example.com");
  const SelfSigned old("IP:127.0.0.1", std::chrono::seconds(-10));
  const struct {
    const SelfSigned& certificate;
    std::string ca_file;
    std::string_view message;
  } cases[] = {
      {good, "", "self-signed certificate"},
      {good, elsewhere.certificate_file(), "self-signed certificate"},
      {elsewhere, elsewhere.certificate_file(), "the server's certificate is not for 127.0.0.1"},
      {old, old.certificate_file(), "certificate has expired"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.message);
    const auto server = start_tls(one.certificate);
    const auto answer = get(*server, "https", one.ca_file);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::Unavailable);
    EXPECT_EQ(answer.error().reason(), kUntrustedCertificate);
    EXPECT_THAT(answer.error().message(), HasSubstr("TLS handshake: "));
    EXPECT_THAT(answer.error().message(), HasSubstr(one.message));
  }
}

TEST(ClientTls, SaysThatThePortSpeaksNoTls) {
  auto server = Server::listen({}, say_hello).value();
  server->start();
  const auto answer = get(*server, "https", "");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().reason(), kTlsFailed);
}

TEST(ClientTls, RefusesACaFileThatIsNone) {
  const io::TempFolder folder;
  const std::string text = folder.path() + "/text.pem";
  std::ofstream(text) << "not a certificate\n";
  for (const std::string& file : {text, folder.path() + "/missing.pem"}) {
    ClientOptions options;
    options.ca_file = file;
    const auto client = Client::make({"https", "127.0.0.1", 443, ""}, options);
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().code(), ErrorCode::InvalidArgument);
    EXPECT_THAT(client.error().message(), HasSubstr(file));
    EXPECT_TRUE(Client::make({"http", "127.0.0.1", 80, ""}, options)) << "not read without TLS";
  }
}

}  // namespace
}  // namespace opentrail::net
