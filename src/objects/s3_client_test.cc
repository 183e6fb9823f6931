// Goal: what a foreign S3 says is understood as S3 means it, and what we send is what it expects.
// Method: its answers as texts; then the client against a small server that records the requests.
#include "objects/s3_client.h"

#include "base/mutex.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "io/temp_folder.h"
#include "net/server.h"
#include "objects/aws_profile.h"
#include "objects/s3_xml.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::objects {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

std::string error_xml(std::string_view code, std::string_view message = "what it means") {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>"
      "<RequestId>4442587FB7D0A2F9</RequestId></Error>",
      code, message);
}

TEST(S3Errors, AreMappedToReactions) {
  struct Case {
    int status;
    std::string body;
    ErrorCode code;
    std::string reason;
  };
  const Case cases[] = {
      {404, error_xml("NoSuchBucket"), ErrorCode::NotFound, "NoSuchBucket"},
      {404, error_xml("NoSuchKey"), ErrorCode::NotFound, "NoSuchKey"},
      {403, error_xml("AccessDenied"), ErrorCode::PermissionDenied, "AccessDenied"},
      {403, error_xml("InvalidAccessKeyId"), ErrorCode::PermissionDenied, "InvalidAccessKeyId"},
      {403, error_xml("SomethingNew"), ErrorCode::PermissionDenied, "SomethingNew"},
      {503, error_xml("SlowDown"), ErrorCode::Unavailable, "SlowDown"},
      {429, error_xml("TooManyRequests"), ErrorCode::Unavailable, "TooManyRequests"},
      {500, error_xml("InternalError"), ErrorCode::Unavailable, "InternalError"},
      {500, error_xml("NoSuchBucket"), ErrorCode::Unavailable, "NoSuchBucket"},
      {501, error_xml("NotImplemented"), ErrorCode::Unsupported, "NotImplemented"},
      {400, error_xml("InvalidArgument"), ErrorCode::InvalidArgument, "InvalidArgument"},
      {400, error_xml("RequestTimeout"), ErrorCode::Timeout, "RequestTimeout"},
      {409, error_xml("OperationAborted"), ErrorCode::Conflict, "OperationAborted"},
      {301, error_xml("PermanentRedirect"), ErrorCode::InvalidArgument, "PermanentRedirect"},
      // Without a body that says it.
      {404, "", ErrorCode::NotFound, "NotFound"},
      {403, "", ErrorCode::PermissionDenied, "AccessDenied"},
      {400, "<html>", ErrorCode::InvalidArgument, "InvalidRequest"},
      {502, "<html><body>Bad Gateway</body></html>", ErrorCode::Unavailable, "ServiceUnavailable"},
      {503, "not xml", ErrorCode::Unavailable, "ServiceUnavailable"},
      {501, "", ErrorCode::Unsupported, "NotImplemented"},
      {412, "", ErrorCode::Conflict, "PreconditionFailed"},
      {301, "", ErrorCode::InvalidArgument, "PermanentRedirect"},
      {404, error_xml("<b>no</b>"), ErrorCode::NotFound, "NotFound"},
      {404, error_xml(std::string(100, 'x')), ErrorCode::NotFound, "NotFound"},
  };
  for (const Case& one : cases) {
    const Error error = error_of_answer(one.status, one.body);
    EXPECT_EQ(error.code(), one.code) << one.status << one.body;
    EXPECT_EQ(error.reason(), one.reason) << one.status << one.body;
    EXPECT_THAT(error.message(), StartsWith(std::to_string(one.status) + " " + one.reason));
  }
}

TEST(S3Errors, ForeignTextIsCutToALine) {
  const Error error =
      error_of_answer(400, error_xml("BadThing", "a&#10;b&lt;" + std::string(5000, 'x')));
  EXPECT_THAT(error.message(), StartsWith("400 BadThing: a b<xxx"));
  EXPECT_LT(error.message().size(), 600U);
}

TEST(S3Listing, IsRead) {
  const auto page = parse_list_answer(
      "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Name>logs</Name><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>"
      "<Contents><Key>a%2Bb/c+d</Key><LastModified>2026-11-24T08:46:13.250Z</LastModified>"
      "<ETag>&quot;0cc1&quot;</ETag><Size>5368709120</Size></Contents>"
      "<Contents><Key>e</Key><LastModified>2026-11-24T08:46:13Z</LastModified>"
      "<ETag>\"f\"</ETag><Size>0</Size></Contents></ListBucketResult>");
  ASSERT_TRUE(page.has_value()) << page.error().message();
  EXPECT_TRUE(page->truncated);
  ASSERT_THAT(page->objects, SizeIs(2));
  EXPECT_EQ(page->objects[0].key, "a+b/c d");
  EXPECT_EQ(page->objects[0].size, 5368709120U);
  EXPECT_EQ(page->objects[0].etag, "\"0cc1\"");
  EXPECT_EQ(page->objects[0].last_modified, parse_iso("2026-11-24T08:46:13.250Z"));
}

TEST(S3Listing, WithoutAnEncodingKeysAreAsTheyAre) {
  const auto page = parse_list_answer(
      "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a%2Bb+c</Key>"
      "<LastModified>2026-11-24T08:46:13Z</LastModified><Size>1</Size></Contents>"
      "</ListBucketResult>");
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(page->objects.front().key, "a%2Bb+c");
  EXPECT_FALSE(page->truncated);
}

TEST(S3Listing, WhatIsNoneIsUnavailable) {
  const std::string contents =
      "<ListBucketResult><Contents><Key>k</Key><LastModified>2026-11-24T08:46:13Z</LastModified>"
      "<Size>1</Size></Contents></ListBucketResult>";
  const auto edited = [&](std::string_view from, std::string_view to) {
    std::string text = contents;
    return text.replace(text.find(from), from.size(), to);
  };
  ASSERT_TRUE(parse_list_answer(contents).has_value());
  for (const std::string& text :
       {std::string(), std::string("<html></html>"), edited("</ListBucketResult>", ""),
        edited("<Key>k</Key>", ""), edited("<Size>1", "<Size>-1"), edited("<Size>1", "<Size>x"),
        edited("2026-11-24T08:46:13Z", "today"),
        edited("<Contents><Key>k", "<EncodingType>url</EncodingType><Contents><Key>%zz")}) {
    const auto page = parse_list_answer(text);
    ASSERT_FALSE(page.has_value()) << text;
    EXPECT_EQ(page.error().code(), ErrorCode::Unavailable);
  }
}

constexpr std::string_view kProfiles =
    "# comment\n"
    "[default]\r\n"
    "aws_access_key_id = AKIDEFAULT\r\n"
    "aws_secret_access_key=sec=ret/+\r\n"
    "region = eu-west-1\n"
    "\n"
    "[ other ]\n"
    "AWS_ACCESS_KEY_ID = AKIOTHER\n"
    "; aws_secret_access_key = no\n"
    "aws_secret_access_key = two\n"
    "aws_session_token = tok\n"
    "[half]\n"
    "aws_access_key_id = AKIHALF\n"
    "[default]\n"
    "aws_secret_access_key = newer\n";

TEST(Profile, IsFoundInTheFile) {
  const auto other = parse_profile(kProfiles, "other").value();
  EXPECT_EQ(other.access_key_id, "AKIOTHER");
  EXPECT_EQ(other.secret_access_key, "two");
  EXPECT_EQ(other.session_token, "tok");
  const auto standard = parse_profile(kProfiles, "default").value();
  EXPECT_EQ(standard.access_key_id, "AKIDEFAULT");
  EXPECT_EQ(standard.secret_access_key, "newer");
  EXPECT_EQ(standard.session_token, "");
  EXPECT_EQ(parse_profile("\xEF\xBB\xBF[default]\naws_access_key_id=a\naws_secret_access_key=b=",
                          "default")
                ->secret_access_key,
            "b=");
}

TEST(Profile, ErrorsNameTheProfileAndNothingElse) {
  EXPECT_EQ(parse_profile(kProfiles, "none").error().code(), ErrorCode::NotFound);
  EXPECT_EQ(parse_profile("", "default").error().code(), ErrorCode::NotFound);
  const Error half = parse_profile(kProfiles, "half").error();
  EXPECT_EQ(half.code(), ErrorCode::InvalidArgument);
  EXPECT_THAT(half.message(), HasSubstr("\"half\""));
  EXPECT_THAT(half.message(), Not(HasSubstr("AKIHALF")));
}

/// Sets environment variables for one test and puts the old ones back.
class Environment {
 public:
  ~Environment() {
    for (const auto& [name, value] : before_) {
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
    }
  }
  Environment() = default;
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  void set(const std::string& name, const std::string& value) {
    const char* old = ::getenv(name.c_str());
    before_.emplace(name, old == nullptr ? std::nullopt : std::optional<std::string>(old));
    ::setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  std::map<std::string, std::optional<std::string>> before_;
};

TEST(Credentials, EnvironmentBeforeFile) {
  const io::TempFolder folder;
  const std::string path = folder.path() + "/credentials";
  std::ofstream(path) << kProfiles;
  Environment environment;
  environment.set("AWS_ACCESS_KEY_ID", "");
  environment.set("AWS_SECRET_ACCESS_KEY", "");
  environment.set("AWS_SESSION_TOKEN", "stray");
  environment.set("AWS_SHARED_CREDENTIALS_FILE", path);
  environment.set("AWS_PROFILE", "other");
  S3ClientOptions options;
  options.endpoint = "http://127.0.0.1:1";
  const auto from_file = load_credentials(options).value();
  EXPECT_EQ(from_file.endpoint, options.endpoint);
  EXPECT_EQ(from_file.access_key_id, "AKIOTHER");
  EXPECT_EQ(from_file.session_token, "tok");
  environment.set("AWS_PROFILE", "");
  EXPECT_EQ(load_credentials(options)->access_key_id, "AKIDEFAULT");
  EXPECT_EQ(load_credentials(options)->session_token, "");

  environment.set("AWS_ACCESS_KEY_ID", "AKIENV");
  environment.set("AWS_SECRET_ACCESS_KEY", "env");
  EXPECT_EQ(load_credentials(options)->access_key_id, "AKIENV");
  EXPECT_EQ(load_credentials(options)->session_token, "stray");

  environment.set("AWS_ACCESS_KEY_ID", "");
  environment.set("AWS_SHARED_CREDENTIALS_FILE", folder.path() + "/none");
  EXPECT_EQ(load_credentials(options).error().code(), ErrorCode::NotFound);
}

struct Seen {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  ///< Names in lower case.
  std::string body;
};

/// Answers what the test tells it and keeps what it was asked.
class FakeS3 {
 public:
  FakeS3() {
    server_ = net::Server::listen({}, [this](net::Exchange& exchange) {
                return handle(exchange);
              }).value();
    server_->start();
    options_.endpoint = fmt::format("http://127.0.0.1:{}", server_->port());
    options_.access_key_id = "AKIDEXAMPLE";
    options_.secret_access_key = "secret";
    client_ = make_s3_client(options_, clock_).value();
  }
  ~FakeS3() { server_->stop(std::chrono::seconds(5)); }
  FakeS3(const FakeS3&) = delete;
  FakeS3& operator=(const FakeS3&) = delete;

  void answer(int status, std::string body = {}, net::Headers headers = {}) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    answers_.push_back({{.status = status, .headers = std::move(headers)}, std::move(body)});
  }
  std::vector<Seen> seen() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return std::exchange(seen_, {});
  }
  ObjectStore& client() { return *client_; }

 private:
  net::asio::awaitable<void> handle(net::Exchange& exchange) {
    constexpr std::size_t kBytesMax = 1 << 20;
    auto body = co_await exchange.read_all(kBytesMax);
    Seen seen;
    seen.method = exchange.request().method;
    seen.target = exchange.request().target;
    for (const auto& [name, value] : exchange.request().headers.fields()) {
      seen.headers[to_lower(name)] = value;
    }
    seen.body = body.value_or("broken");
    auto next = take(std::move(seen));
    static_cast<void>(co_await exchange.respond(std::move(next.first), std::move(next.second)));
  }

  std::pair<net::ResponseHead, std::string> take(Seen seen) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    seen_.push_back(std::move(seen));
    if (answers_.empty()) {
      return {{.status = 599, .headers = {}}, "not expected"};
    }
    auto next = std::move(answers_.front());
    answers_.erase(answers_.begin());
    return next;
  }

  io::FakeClock clock_{parse_iso("2026-11-24T08:46:13Z").value()};
  Mutex mutex_;
  std::vector<std::pair<net::ResponseHead, std::string>> answers_ GUARDED_BY(mutex_);
  std::vector<Seen> seen_ GUARDED_BY(mutex_);
  std::unique_ptr<net::Server> server_;
  S3ClientOptions options_;
  std::unique_ptr<ObjectStore> client_;
};

class S3ClientTest : public testing::Test {
 protected:
  FakeS3 s3_;
  ServicePrincipal who_{
      .service = "cloudtrail.amazonaws.com", .source_arn = "", .source_account = ""};
  PutRequest log_{.bucket = "logs",
                  .key = "AWSLogs/1/a b+c.json.gz",
                  .body = "gzip",
                  .content_encoding = "gzip",
                  .metadata = {{"signature", "00ff"}}};
};

TEST_F(S3ClientTest, PutIsSignedAndComplete) {
  s3_.answer(200);
  ASSERT_TRUE(s3_.client().put(log_, who_));
  const auto seen = s3_.seen();
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].method, "PUT");
  EXPECT_EQ(seen[0].target, "/logs/AWSLogs/1/a%20b%2Bc.json.gz");
  EXPECT_EQ(seen[0].body, "gzip");
  auto headers = seen[0].headers;
  EXPECT_EQ(headers["content-type"], "application/json");
  EXPECT_EQ(headers["content-encoding"], "gzip");
  EXPECT_EQ(headers["x-amz-acl"], "bucket-owner-full-control");
  EXPECT_EQ(headers["x-amz-server-side-encryption"], "AES256");
  EXPECT_EQ(headers["x-amz-meta-signature"], "00ff");
  EXPECT_EQ(headers["x-amz-date"], "20261124T084613Z");
  EXPECT_EQ(headers["x-amz-content-sha256"], crypto::sha256_hex("gzip"));
  EXPECT_EQ(headers["content-md5"], to_base64(crypto::md5(as_bytes("gzip"))));
  EXPECT_THAT(headers["authorization"],
              HasSubstr("Credential=AKIDEXAMPLE/20261124/us-east-1/s3/aws4_request"));
  for (const char* name :
       {"host", "x-amz-acl", "x-amz-meta-signature", "x-amz-server-side-encryption"}) {
    EXPECT_THAT(headers["authorization"], HasSubstr(name));
  }
}

TEST_F(S3ClientTest, PutGoesOnWithoutEncryptionWhereThereIsNone) {
  s3_.answer(501, error_xml("NotImplemented",
                            "Server side encryption specified but KMS is not configured"));
  s3_.answer(200);
  s3_.answer(200);
  ASSERT_TRUE(s3_.client().put(log_, who_));
  ASSERT_TRUE(s3_.client().put(log_, who_));
  const auto seen = s3_.seen();
  ASSERT_THAT(seen, SizeIs(3));
  EXPECT_TRUE(seen[0].headers.contains("x-amz-server-side-encryption"));
  EXPECT_FALSE(seen[1].headers.contains("x-amz-server-side-encryption"));
  EXPECT_FALSE(seen[2].headers.contains("x-amz-server-side-encryption"));
}

TEST_F(S3ClientTest, OtherRefusalsAreNotTriedAgain) {
  s3_.answer(400, error_xml("InvalidArgument", "Your metadata is odd"));
  EXPECT_EQ(s3_.client().put(log_, who_).error().reason(), "InvalidArgument");
  s3_.answer(403, error_xml("AccessDenied"));
  EXPECT_EQ(s3_.client().put(log_, who_).error().code(), ErrorCode::PermissionDenied);
  EXPECT_THAT(s3_.seen(), SizeIs(2));
  log_.metadata["a"] = "x\r\nInjected: y";
  EXPECT_EQ(s3_.client().put(log_, who_).error().code(), ErrorCode::InvalidArgument);
  EXPECT_THAT(s3_.seen(), SizeIs(0));
}

TEST_F(S3ClientTest, BucketAndAclChecks) {
  s3_.answer(200);
  EXPECT_TRUE(s3_.client().check_bucket("logs", who_));
  s3_.answer(404);
  EXPECT_EQ(s3_.client().check_bucket("logs", who_).error().reason(), "NoSuchBucket");
  s3_.answer(200, "<AccessControlPolicy/>");
  EXPECT_TRUE(s3_.client().check_acl_readable("logs", who_));
  s3_.answer(501, error_xml("NotImplemented"));
  EXPECT_TRUE(s3_.client().check_acl_readable("logs", who_));
  s3_.answer(501);
  EXPECT_TRUE(s3_.client().check_acl_readable("logs", who_));
  s3_.answer(403, error_xml("AccessDenied"));
  const Error denied = s3_.client().check_acl_readable("logs", who_).error();
  EXPECT_EQ(denied.code(), ErrorCode::PermissionDenied);
  EXPECT_EQ(denied.message(), "GET s3://logs/: 403 AccessDenied: what it means");
  const auto seen = s3_.seen();
  EXPECT_EQ(seen[0].method, "HEAD");
  EXPECT_EQ(seen[0].target, "/logs");
  EXPECT_EQ(seen[2].target, "/logs?acl=");
}

TEST_F(S3ClientTest, Get) {
  net::Headers headers;
  headers.add("Content-Type", "application/json");
  headers.add("Content-Encoding", "gzip");
  headers.add("ETag", "\"abc\"");
  headers.add("X-Amz-Meta-Signature", "00ff");
  s3_.answer(200, "body", headers);
  const ObjectBytes bytes = s3_.client().get("logs", "k", who_).value();
  EXPECT_EQ(bytes.body, "body");
  EXPECT_EQ(bytes.content_type, "application/json");
  EXPECT_EQ(bytes.content_encoding, "gzip");
  EXPECT_EQ(bytes.etag, "\"abc\"");
  EXPECT_EQ(bytes.metadata, (std::map<std::string, std::string>{{"signature", "00ff"}}));
  s3_.answer(404, error_xml("NoSuchKey"));
  EXPECT_EQ(s3_.client().get("logs", "k", who_).error().reason(), "NoSuchKey");
}

std::string listing(const std::vector<std::string>& keys, bool truncated) {
  std::string xml = fmt::format("<ListBucketResult><IsTruncated>{}</IsTruncated>", truncated);
  for (const std::string& key : keys) {
    xml += fmt::format(
        "<Contents><Key>{}</Key><LastModified>2026-11-24T08:46:13Z</LastModified>"
        "<ETag>\"e\"</ETag><Size>1</Size></Contents>",
        key);
  }
  return xml + "</ListBucketResult>";
}

TEST_F(S3ClientTest, ListGoesOnWhenAPageIsShort) {
  s3_.answer(200, listing({"p/a", "p/b"}, true));
  s3_.answer(200, listing({"p/c"}, false));
  const auto listed = s3_.client().list("logs", "p/", "p/0", who_).value();
  ASSERT_THAT(listed, SizeIs(3));
  EXPECT_EQ(listed[2].key, "p/c");
  const auto seen = s3_.seen();
  EXPECT_EQ(seen[0].target,
            "/logs?encoding-type=url&list-type=2&max-keys=1000&prefix=p%2F&start-after=p%2F0");
  EXPECT_THAT(seen[1].target, HasSubstr("max-keys=998&prefix=p%2F&start-after=p%2Fb"));
}

TEST_F(S3ClientTest, AListingThatWouldLoseTheCallersPlaceIsRefused) {
  for (const auto& [keys, truncated] : std::vector<std::pair<std::vector<std::string>, bool>>{
           {{"p/b", "p/a"}, false}, {{"q"}, false}, {{"p/0"}, false}, {{}, true}}) {
    s3_.answer(200, listing(keys, truncated));
    EXPECT_EQ(s3_.client().list("logs", "p/", "p/0", who_).error().code(), ErrorCode::Unavailable);
  }
}

TEST(S3Client, NobodyThereIsUnavailable) {
  S3ClientOptions options;
  options.endpoint = "http://127.0.0.1:1";
  const io::SystemClock clock;
  const auto client = make_s3_client(options, clock).value();
  EXPECT_EQ(client->check_bucket("logs", {}).error().code(), ErrorCode::Unavailable);
  options.endpoint = "not an address";
  EXPECT_EQ(make_s3_client(options, clock).error().code(), ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace opentrail::objects
