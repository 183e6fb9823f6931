// Goal: flags go before variables before defaults; every failure tells a person what to do.
#include "cli/connection.h"

#include "cli/fake_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest() { world_.give_credentials(); }

  Result<Connection> connect(const ConnectionOptions& options = {}) {
    return make_connection(options, world_.context(), collect::make_pause(nullptr));
  }
  std::string advice(const Error& error) { return with_advice(error, *connect()); }

  FakeWorld world_;
};

TEST_F(ConnectionTest, FlagsGoBeforeVariablesBeforeDefaults) {
  const auto expect = [&](const ConnectionOptions& options, std::string_view endpoint,
                          std::string_view region) {
    const auto connection = connect(options);
    ASSERT_TRUE(connection.has_value()) << connection.error().message();
    EXPECT_EQ(connection->client->endpoint(), endpoint);
    EXPECT_EQ(connection->client->region(), region);
  };
  expect({}, "http://127.0.0.1:4747", "us-east-1");
  world_.environment["OPENTRAIL_ENDPOINT"] = "http://opentrail:1";
  world_.environment["AWS_DEFAULT_REGION"] = "eu-west-1";
  expect({}, "http://opentrail:1", "eu-west-1");
  world_.environment["AWS_ENDPOINT_URL"] = "http://aws:2";
  world_.environment["AWS_REGION"] = "eu-west-2";
  expect({}, "http://aws:2", "eu-west-2");
  ConnectionOptions options;
  options.endpoint = "http://flag:3";
  options.region = "eu-west-3";
  expect(options, "http://flag:3", "eu-west-3");
}

TEST_F(ConnectionTest, RefusesWhatCannotWorkBeforeConnecting) {
  ConnectionOptions options;
  options.endpoint = "nowhere";
  EXPECT_THAT(connect(options).error().message(), HasSubstr("endpoint nowhere: "));
  options.endpoint = "https://127.0.0.1:1";
  world_.environment["AWS_CA_BUNDLE"] = "/missing/variable.pem";
  EXPECT_THAT(connect(options).error().message(), HasSubstr("/missing/variable.pem"));
  options.ca_bundle = "/missing/flag.pem";
  EXPECT_THAT(connect(options).error().message(), HasSubstr("/missing/flag.pem"));
  world_.environment.erase("AWS_SHARED_CREDENTIALS_FILE");
  world_.environment["OPENTRAIL_DATA_DIR"] = world_.folder.path() + "/none";
  EXPECT_THAT(connect(options).error().message(), HasSubstr("no credentials found"));
}

TEST_F(ConnectionTest, AdviceFitsTheFailure) {
  const std::string file = world_.folder.path() + "/credentials";
  const struct {
    Error error;
    std::string wanted;
  } cases[] = {
      {Error(ErrorCode::Unavailable, "refused"), "`opentrail serve`"},
      {Error(ErrorCode::Timeout, "late"), "Is a server running at http://127.0.0.1:4747?"},
      {Error(ErrorCode::Unavailable, "tls", std::string(net::kUntrustedCertificate)),
       "--ca-bundle"},
      {Error(ErrorCode::PermissionDenied, "403", "UnrecognizedClientException"),
       "The keys are those of profile default of " + file + ". The server wrote its own into"},
      {Error(ErrorCode::PermissionDenied, "403", "AccessDeniedException"), "administrator"},
      {Error(ErrorCode::NotFound, "404", "UnknownOperationException"), "an OpenTrail server?"},
      {Error(ErrorCode::Throttled, "503", "ThrottlingException"), "Run it again later."},
  };
  for (const auto& one : cases) {
    EXPECT_THAT(advice(one.error), testing::StartsWith(one.error.message() + "\n"));
    EXPECT_THAT(advice(one.error), HasSubstr(one.wanted));
  }
  EXPECT_EQ(advice(Error(ErrorCode::NotFound, "x.json: no such file")), "x.json: no such file");
  EXPECT_EQ(advice(Error(ErrorCode::InvalidArgument, "bad")), "bad");
  world_.environment["AWS_ENDPOINT_URL"] = "https://there:4747";
  EXPECT_THAT(advice(Error(ErrorCode::Unavailable, "tls", std::string(net::kTlsFailed))),
              HasSubstr("http://there:4747"));
}

TEST_F(ConnectionTest, NoMessageShowsASecret) {
  for (const auto code : {ErrorCode::PermissionDenied, ErrorCode::Unavailable}) {
    EXPECT_THAT(advice(Error(code, "x")), Not(HasSubstr("wJalr")));
  }
}

}  // namespace
}  // namespace opentrail::cli
