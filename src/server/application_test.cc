// Goal: the whole server starts on an empty folder, shows how it is, keeps what it was told over a
// restart, refuses a folder that is in use, and stops once. Method: signed requests over a real
// connection to a server on a free port.
#include "server/application.h"

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/sigv4.h"
#include "io/clock.h"
#include "io/filesystem.h"
#include "io/temp_folder.h"
#include "net/client.h"

#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace opentrail::server {
namespace {

class ApplicationTest : public testing::Test {
 protected:
  Config config() {
    Sources sources;
    sources.flags = {{"data_dir", io::join_path(folder_.path(), "data")},
                     {"listen", "127.0.0.1:0"},
                     {"account_id", "111122223333"},
                     {"log_level", "error"}};
    return make_config(resolve(sources).value()).value();
  }
  void start() {
    auto started = Application::start(config());
    ASSERT_TRUE(started) << started.error().message();
    app_ = std::move(*started);
  }
  net::ClientResponse send(const net::ClientRequest& request) {
    auto client = net::Client::make(net::parse_url(app_->endpoint()).value()).value();
    auto response = client->send(request);
    EXPECT_TRUE(response) << response.error().message();
    return response ? *response : net::ClientResponse();
  }
  net::ClientResponse get(std::string target) {
    net::ClientRequest request;
    request.target = std::move(target);
    return send(request);
  }
  /// The admin's keys, as the credentials file has them.
  crypto::sigv4::Credentials admin() {
    std::map<std::string, std::string> values;
    const std::string text = io::read_file(*files_, app_->credentials_path(), 1 << 12).value();
    for (const auto line : split(text.substr(0, text.find("[root]")), '\n')) {
      if (const auto equals = line.find(" = "); equals != std::string_view::npos) {
        values.emplace(line.substr(0, equals), line.substr(equals + 3));
      }
    }
    return {values["aws_access_key_id"], values["aws_secret_access_key"], {}};
  }
  net::ClientResponse send_signed(net::ClientRequest request, std::string_view service) {
    request.headers.set("Host", net::parse_url(app_->endpoint()).value().authority());
    crypto::sigv4::SignedRequest view{request.method, request.target, {}, {}};
    for (const auto& [name, value] : request.headers.fields()) {
      view.headers.emplace_back(name, value);
    }
    for (auto& [name, value] :
         crypto::sigv4::sign(view, admin(), "us-east-1", service, io::SystemClock().now(),
                             crypto::sha256_hex(request.body))) {
      request.headers.set(name, value);
    }
    return send(request);
  }
  net::ClientResponse call_cloudtrail(const std::string& operation, std::string body) {
    net::ClientRequest request;
    request.method = "POST";
    request.headers.add("X-Amz-Target", "CloudTrail_20131101." + operation);
    request.headers.add("Content-Type", "application/x-amz-json-1.1");
    request.body = std::move(body);
    return send_signed(std::move(request), "cloudtrail");
  }
  net::ClientResponse on_bucket(std::string method, std::string target) {
    net::ClientRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    return send_signed(std::move(request), "s3");
  }
  /// Event names found in the event history by this attribute.
  std::vector<std::string> lookup(const std::string& key, const std::string& value) {
    const auto answer = call_cloudtrail(
        "LookupEvents",
        fmt::format(R"({{"LookupAttributes":[{{"AttributeKey":"{}","AttributeValue":"{}"}}]}})",
                    key, value));
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::vector<std::string> names;
    for (const auto& event : json::parse(answer.body).at("Events").as_array()) {
      names.emplace_back(event.at("EventName").as_string());
    }
    return names;
  }

  io::TempFolder folder_{io::TempFolder::fast_parent()};
  std::unique_ptr<io::Filesystem> files_ = io::make_posix_filesystem();
  std::unique_ptr<Application> app_;
};

TEST_F(ApplicationTest, StartsOnAnEmptyFolder) {
  start();
  EXPECT_TRUE(app_->endpoint().starts_with("http://127.0.0.1:"));
  EXPECT_EQ(app_->certificate_file(), "");
  EXPECT_EQ(get("/healthz").body, "ok\n");
  EXPECT_EQ(get("/readyz").status, 200);
  EXPECT_EQ(get("/metrics").status, 200);
  EXPECT_EQ(get("/some-bucket").status, 403);

  EXPECT_TRUE(std::filesystem::path(app_->credentials_path()).is_absolute());
  EXPECT_EQ(std::filesystem::status(app_->credentials_path()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_FALSE(admin().secret_access_key.empty());
}

TEST_F(ApplicationTest, EveryServiceAnswersOverTheWire) {
  start();
  EXPECT_EQ(on_bucket("PUT", "/logs-of-ours").status, 200);
  const auto trails = call_cloudtrail("DescribeTrails", "{}");
  EXPECT_EQ(trails.status, 200) << trails.body;
  net::ClientRequest form;
  form.method = "POST";
  form.headers.add("Content-Type", "application/x-www-form-urlencoded");
  form.body = "Action=GetCallerIdentity&Version=2011-06-15";
  const auto identity = send_signed(form, "sts");
  EXPECT_NE(identity.body.find("arn:aws:iam::111122223333:user/admin"), std::string::npos)
      << identity.body;
  form.body = "Action=ListUsers&Version=2010-05-08";
  EXPECT_EQ(send_signed(form, "iam").status, 200);
  net::ClientRequest accounts;
  accounts.target = "/opentrail/v1/accounts";
  const auto known = send_signed(accounts, "opentrail");
  EXPECT_EQ(known.body, R"({"Accounts":["111122223333"]})");
  EXPECT_EQ(lookup("EventName", "CreateBucket"), std::vector<std::string>{"CreateBucket"});
}

TEST_F(ApplicationTest, ASecondServerOnTheFolderIsAConflict) {
  start();
  const auto second = Application::start(config());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::Conflict);
  EXPECT_NE(second.error().message().find("--data-dir"), std::string::npos);
  EXPECT_EQ(get("/readyz").status, 200);  // the first is not disturbed
}

TEST_F(ApplicationTest, AFailedStartLetsGoOfTheFolder) {
  const io::TempFolder other;
  start();
  Config taken = config();
  taken.data_dir = other.path();
  taken.listen_port = net::parse_url(app_->endpoint()).value().port;
  const auto failed = Application::start(taken);
  ASSERT_FALSE(failed);
  taken.listen_port = 0;
  const auto second = Application::start(taken);
  EXPECT_TRUE(second) << second.error().message();
}

TEST_F(ApplicationTest, ARestartKeepsWhatItWasTold) {
  start();
  const std::string key_before = admin().access_key_id;
  ASSERT_EQ(on_bucket("PUT", "/kept-over-restart").status, 200);
  ASSERT_EQ(call_cloudtrail("StopLogging", R"({"Name":"not-there"})").status, 400);
  app_.reset();

  start();
  EXPECT_EQ(admin().access_key_id, key_before);
  EXPECT_EQ(on_bucket("HEAD", "/kept-over-restart").status, 200);
  EXPECT_EQ(lookup("EventName", "CreateBucket"), std::vector<std::string>{"CreateBucket"});
  EXPECT_EQ(lookup("EventName", "StopLogging"), std::vector<std::string>{"StopLogging"});
}

TEST_F(ApplicationTest, TheFoldersAccountStandsOverTheSetting) {
  start();
  app_.reset();
  Config other = config();
  other.account_id = "999999999999";
  app_ = Application::start(other).value();
  net::ClientRequest form;
  form.method = "POST";
  form.headers.add("Content-Type", "application/x-www-form-urlencoded");
  form.body = "Action=GetCallerIdentity&Version=2011-06-15";
  const auto identity = send_signed(form, "sts");
  EXPECT_NE(identity.body.find("<Account>111122223333</Account>"), std::string::npos);
}

TEST_F(ApplicationTest, StopsOnce) {
  start();
  auto client = net::Client::make(net::parse_url(app_->endpoint()).value()).value();
  app_->stop();
  app_->stop();
  EXPECT_FALSE(client->send({}));
}

TEST_F(ApplicationTest, AnImportIsKeptOverARestart) {
  start();
  net::ClientRequest import;
  import.method = "POST";
  import.target = "/opentrail/v1/records";
  const std::string now = to_iso_seconds(io::SystemClock().now());
  for (int i = 0; i < 500; ++i) {
    import.body += fmt::format(
        R"({{"eventID":"import-{}","eventTime":"{}","awsRegion":"us-east-1",)"
        R"("recipientAccountId":"444455556666","eventName":"Imported","eventSource":"x.com"}})"
        "\n",
        i, now);
  }
  const auto answer = send_signed(import, "opentrail");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(json::parse(answer.body).at("New").as_int64(), 500);
  app_.reset();
  start();
  const auto again = send_signed(import, "opentrail");
  EXPECT_EQ(json::parse(again.body).at("Duplicate").as_int64(), 500);
}

}  // namespace
}  // namespace opentrail::server
