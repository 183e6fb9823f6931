// Goal: a call is signed so that a server can check it, is patient with a server that pushes back,
// and turns every refusal into an error that says what the server said.
// Method: a server of ours that answers as told; the pauses are recorded and not slept.
#include "collect/signed_client.h"

#include "collect/fake_server.h"
#include "crypto/hash.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::collect {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace sigv4 = crypto::sigv4;

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

class SignedClientTest : public testing::Test {
 protected:
  std::unique_ptr<SignedClient> client_of(const std::string& endpoint) {
    options_.endpoint = endpoint;
    options_.region = "eu-west-1";
    options_.credentials = {.access_key_id = "AKIAIOSFODNN7EXAMPLE",
                            .secret_access_key = std::string(kSecret),
                            .session_token = {}};
    auto client = SignedClient::make(options_, clock_, [this](milliseconds delay) {
      pauses_.push_back(delay);
      return pauses_.size() < pauses_max_;
    });
    EXPECT_TRUE(client.has_value());
    return *std::move(client);
  }

  static SignedCall records_call() {
    SignedCall call;
    call.path = "/opentrail/v1/records?a=b";
    call.service = "opentrail";
    call.headers.add("Content-Type", "application/json");
    call.headers.add("X-OpenTrail-Account", "111122223333");
    call.body = "{}";
    return call;
  }

  /// Sends one call to a server that always gives `answer`.
  Error error_of(const FakeServer::Answer& answer) {
    const FakeServer server([&](const auto&, std::size_t) { return answer; });
    const auto response = client_of(server.endpoint())->call(records_call());
    EXPECT_FALSE(response.has_value());
    return response ? Error(ErrorCode::Internal, "") : response.error();
  }

  SignedClientOptions options_;
  io::FakeClock clock_{*parse_iso("2026-11-24T08:46:13Z")};
  std::vector<milliseconds> pauses_;
  std::size_t pauses_max_ = 1000;
};

/// The signature that a server computes for a request with these keys.
std::string signature_of(const FakeServer::Request& request) {
  sigv4::SignedRequest seen{request.head.method, request.head.path(), request.head.query(), {}};
  for (const auto& [name, value] : request.head.headers.fields()) {
    seen.headers.emplace_back(name, value);
  }
  const auto claim = sigv4::parse_claim(seen);
  EXPECT_TRUE(claim.has_value());
  if (!claim) {
    return {};
  }
  EXPECT_THAT(claim->signed_headers, testing::IsSupersetOf({"host", "x-opentrail-account"}));
  const auto canonical =
      sigv4::canonical_request(seen, *claim, crypto::sha256_hex(request.body), true);
  return sigv4::signature(sigv4::signing_key(kSecret, claim->scope),
                          sigv4::string_to_sign(*claim, canonical));
}

TEST_F(SignedClientTest, SignsForTheRegionServiceAndBasePath) {
  const FakeServer server([](const auto&, std::size_t) {
    return FakeServer::Answer{.status = 200, .body = "done", .headers = {}};
  });
  const auto response = client_of(server.endpoint() + "/base/")->call(records_call());
  ASSERT_TRUE(response.has_value()) << response.error().message();
  EXPECT_EQ(response->body, "done");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].head.target, "/base/opentrail/v1/records?a=b");
  const std::string authorization(requests[0].head.headers.get("Authorization"));
  EXPECT_THAT(authorization,
              HasSubstr("AKIAIOSFODNN7EXAMPLE/20261124/eu-west-1/opentrail/aws4_request"));
  EXPECT_EQ(requests[0].head.headers.get("X-Amz-Date"), "20261124T084613Z");
  EXPECT_THAT(authorization, HasSubstr("Signature=" + signature_of(requests[0])));
}

TEST_F(SignedClientTest, TriesAgainSignedAnewWhenPushedBack) {
  const FakeServer server([this](const auto&, std::size_t number) {
    clock_.advance(std::chrono::minutes(10));
    FakeServer::Answer answer{.status = number == 0   ? 503
                                        : number == 1 ? 400
                                                      : 200,
                              .body = R"({"__type":"ThrottlingException","message":"slow"})",
                              .headers = {}};
    if (number == 0) {
      answer.headers.add("Retry-After", "7");
    }
    return answer;
  });
  ASSERT_TRUE(client_of(server.endpoint())->call(records_call()).has_value());
  // What the server asks for; then the second step of our own.
  EXPECT_THAT(pauses_, ElementsAre(milliseconds(7000), milliseconds(1000)));
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[2].head.headers.get("X-Amz-Date"), "20261124T090613Z");
}

TEST_F(SignedClientTest, GivesUpAfterTheLastAttemptWithBoundedPauses) {
  options_.retry.attempts_max = 4;
  options_.retry.delay_max = milliseconds(800);
  options_.retry.retry_after_max = milliseconds(2000);
  FakeServer::Answer answer{.status = 503, .body = "<html>busy</html>", .headers = {}};
  answer.headers.add("Retry-After", "86400");
  const Error error = error_of(answer);
  EXPECT_EQ(error.code(), ErrorCode::Throttled);
  EXPECT_EQ(error.message(),
            "gave up after 4 attempts: the server answered 503: <html>busy</html>");
  EXPECT_THAT(pauses_, ElementsAre(milliseconds(2000), milliseconds(2000), milliseconds(2000)));
}

TEST_F(SignedClientTest, ReadsRetryAfterDates) {
  const FakeServer server([](const auto&, std::size_t number) {
    FakeServer::Answer answer{.status = number == 0 ? 429 : 200, .body = {}, .headers = {}};
    answer.headers.add("Retry-After", "Tue, 24 Nov 2026 08:46:33 GMT");
    return answer;
  });
  ASSERT_TRUE(client_of(server.endpoint())->call(records_call()).has_value());
  EXPECT_THAT(pauses_, ElementsAre(milliseconds(20'000)));
}

TEST_F(SignedClientTest, AnInterruptedPauseEndsTheCall) {
  pauses_max_ = 2;
  const Error error = error_of({.status = 503, .body = {}, .headers = {}});
  EXPECT_EQ(error.reason(), kInterrupted);
  EXPECT_EQ(pauses_.size(), 2U);
}

TEST_F(SignedClientTest, SaysWhatTheServerSaid) {
  const struct {
    int status;
    std::string_view body;
    ErrorCode code;
    std::string_view reason;
    std::string_view message;
  } cases[] = {
      {403, R"({"__type":"com.amazonaws.cloudtrail#AccessDeniedException","Message":"no"})",
       ErrorCode::PermissionDenied, "AccessDeniedException",
       "the server answered 403 AccessDeniedException: no"},
      {401, "", ErrorCode::PermissionDenied, "", "the server answered 401"},
      {404, R"({"code":"UnknownOperationException"})", ErrorCode::NotFound,
       "UnknownOperationException", "the server answered 404 UnknownOperationException"},
      {400, R"({"__type":"ValidationException","message":"bad"})", ErrorCode::InvalidArgument,
       "ValidationException", "the server answered 400 ValidationException: bad"},
      {400, R"({"__type":"UnrecognizedClientException","message":"who"})",
       ErrorCode::PermissionDenied, "UnrecognizedClientException",
       "the server answered 400 UnrecognizedClientException: who"},
      {501, "[1]", ErrorCode::Unavailable, "", "the server answered 501: [1]"},
      {302, "elsewhere", ErrorCode::InvalidArgument, "", "the server answered 302: elsewhere"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.message);
    const Error error =
        error_of({.status = one.status, .body = std::string(one.body), .headers = {}});
    EXPECT_EQ(error.code(), one.code);
    EXPECT_EQ(error.reason(), one.reason);
    EXPECT_EQ(error.message(), one.message);
    EXPECT_THAT(pauses_, IsEmpty());
  }
}

TEST_F(SignedClientTest, WhatAStrangeServerSaysCannotSteerATerminal) {
  const Error error =
      error_of({.status = 400, .body = "\x1b[2J\n\xff" + std::string(5000, 'x'), .headers = {}});
  EXPECT_THAT(error.message(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(error.message(), Not(HasSubstr("\n")));
  EXPECT_LT(error.message().size(), 600U);
}

TEST_F(SignedClientTest, AServerThatWasNeverReachedIsNotTriedAgain) {
  const auto nobody = client_of("http://127.0.0.1:1")->call(records_call());
  ASSERT_FALSE(nobody.has_value());
  EXPECT_EQ(nobody.error().code(), ErrorCode::Unavailable);
  EXPECT_THAT(nobody.error().message(), HasSubstr("127.0.0.1:1: connect: "));
  EXPECT_THAT(pauses_, IsEmpty());
}

TEST_F(SignedClientTest, AServerThatWentAwayIsWaitedFor) {
  options_.retry.attempts_max = 3;
  auto server =
      std::make_unique<FakeServer>([](const auto&, std::size_t) { return FakeServer::Answer(); });
  const auto client = client_of(server->endpoint());
  ASSERT_TRUE(client->call(records_call()).has_value());
  server.reset();
  const auto gone = client->call(records_call());
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code(), ErrorCode::Unavailable);
  EXPECT_THAT(pauses_, ElementsAre(milliseconds(500), milliseconds(1000)));
}

TEST_F(SignedClientTest, RefusesWhatIsNoEndpointAndNamesTheCaFile) {
  options_.endpoint = "localhost:4747";
  const auto wrong = SignedClient::make(options_, clock_, make_pause(nullptr));
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().code(), ErrorCode::InvalidArgument);
  EXPECT_THAT(wrong.error().message(), HasSubstr("endpoint localhost:4747: "));
  options_.endpoint = "https://localhost:4747";
  options_.client.ca_file = "/missing/ca.pem";
  const auto missing = SignedClient::make(options_, clock_, make_pause(nullptr));
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code(), ErrorCode::InvalidArgument);
  EXPECT_THAT(missing.error().message(), HasSubstr("/missing/ca.pem"));
}

TEST(MakePause, EndsAtOnceWhenItIsStopped) {
  const std::atomic<bool> stop = true;
  EXPECT_FALSE(make_pause(&stop)(std::chrono::hours(1)));
  EXPECT_TRUE(make_pause(nullptr)(milliseconds(0)));
}

}  // namespace
}  // namespace opentrail::collect
