// Goal: over TLS the client trusts a certificate that the CA file names, and says what is wrong
// with every other.
// Method: a server with a certificate that the test signs itself, for 127.0.0.1 or for nobody.
// What the client does over plain connections is in server_test.cc.
#include "net/client.h"

#include "net/tls_kit_test.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::net {
namespace {

using testing::HasSubstr;

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
