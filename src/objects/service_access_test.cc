// Goal: a trail gets into a bucket when and only when the bucket's policy lets it, as in AWS.
// Method: the store as delivery uses it, with CloudTrail's documented policy and edits of it.
#include "objects/service_access.h"

#include "objects/store_test_kit.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace opentrail::objects {
namespace {

using testing::SizeIs;

constexpr std::string_view kPolicy = R"({{"Version":"2012-10-17","Statement":[
  {{"Effect":"Allow","Principal":{{"Service":"cloudtrail.amazonaws.com"}},
    "Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::logs",
    "Condition":{{"StringEquals":{{"aws:SourceArn":"{0}"}}}}}},
  {{"Effect":"Allow","Principal":{{"Service":"cloudtrail.amazonaws.com"}},
    "Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/AWSLogs/111122223333/*",
    "Condition":{{"StringEquals":{{"s3:x-amz-acl":"bucket-owner-full-control",
      "aws:SourceArn":"{0}"}}}}}}{1}]}})";
constexpr std::string_view kTrail = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main";

class ServiceAccessTest : public StoreTest {
 protected:
  ServiceAccessTest() { EXPECT_TRUE(store_->create_bucket("logs", "eu-west-1", "111122223333")); }

  void set_policy(std::string_view more = "") {
    const auto set = store_->set_bucket_policy("logs", fmt::format(kPolicy, kTrail, more));
    ASSERT_TRUE(set.has_value()) << set.error().message();
  }
  std::string put_reason(const PutRequest& request) {
    return reason_of(store_->put(request, who_));
  }

  ServicePrincipal who_{.service = "cloudtrail.amazonaws.com",
                        .source_arn = std::string(kTrail),
                        .source_account = "111122223333"};
  PutRequest log_{.bucket = "logs",
                  .key = "AWSLogs/111122223333/CloudTrail/x.json.gz",
                  .body = "gzip",
                  .content_encoding = "gzip",
                  .metadata = {{"signature", "00ff"}}};
};

TEST_F(ServiceAccessTest, ThePolicyLetsTheTrailIn) {
  set_policy();
  EXPECT_TRUE(store_->check_bucket("logs", who_));
  EXPECT_TRUE(store_->check_acl_readable("logs", who_));
  ASSERT_EQ(put_reason(log_), "");
  const ObjectBytes bytes = store_->get("logs", log_.key, who_).value();
  EXPECT_EQ(bytes.body, "gzip");
  EXPECT_EQ(bytes.content_type, "application/json");
  EXPECT_EQ(bytes.content_encoding, "gzip");
  EXPECT_EQ(bytes.metadata, log_.metadata);
  EXPECT_EQ(bytes.etag, store_->head("logs", log_.key)->etag);
  const auto listed = store_->list("logs", "AWSLogs/", "", who_).value();
  ASSERT_THAT(listed, SizeIs(1));
  EXPECT_EQ(listed.front().key, log_.key);
  EXPECT_EQ(listed.front().size, 4U);
  EXPECT_THAT(store_->list("logs", "AWSLogs/", log_.key, who_).value(), SizeIs(0));
}

TEST_F(ServiceAccessTest, WithoutAPolicyTheOwnersOwnTrailStaysOut) {
  EXPECT_EQ(reason_of(store_->check_acl_readable("logs", who_)), "AccessDenied");
  EXPECT_EQ(store_->put(log_, who_).error().code(), ErrorCode::PermissionDenied);
  EXPECT_EQ(reason_of(store_->get("logs", log_.key, who_)), "NoSuchKey");
  EXPECT_TRUE(store_->list("logs", "", "", who_));
}

TEST_F(ServiceAccessTest, AnotherTrailAclOrPrefixStaysOut) {
  set_policy();
  PutRequest edited = log_;
  edited.key = "elsewhere/x";
  EXPECT_EQ(put_reason(edited), "AccessDenied");
  edited = log_;
  edited.canned_acl = "private";
  EXPECT_EQ(put_reason(edited), "AccessDenied");
  edited.canned_acl = "";
  EXPECT_EQ(put_reason(edited), "AccessDenied");
  who_.source_arn += "2";
  EXPECT_EQ(put_reason(log_), "AccessDenied");
  EXPECT_EQ(reason_of(store_->check_acl_readable("logs", who_)), "AccessDenied");
  who_.source_arn = kTrail;
  who_.service = "config.amazonaws.com";
  EXPECT_EQ(put_reason(log_), "AccessDenied");
  who_.service = "";
  EXPECT_EQ(put_reason(log_), "AccessDenied");
}

TEST_F(ServiceAccessTest, TheUsualDeniesForTlsAndEncryptionLetServicesPass) {
  set_policy(R"(,{"Effect":"Deny","Principal":"*","Action":"s3:*",
    "Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"],
    "Condition":{"BoolIfExists":{"aws:SecureTransport":"false"}}},
    {"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*",
    "Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"AES256"}}},
    {"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*",
    "Condition":{"Bool":{"aws:PrincipalIsAWSService":"false"}}})");
  EXPECT_EQ(put_reason(log_), "");
  EXPECT_TRUE(store_->check_acl_readable("logs", who_));
}

TEST_F(ServiceAccessTest, ADenyKeepsTheTrailOut) {
  set_policy(R"(,{"Effect":"Deny","Principal":"*","Action":"s3:PutObject",
    "Resource":"arn:aws:s3:::logs/*"})");
  EXPECT_EQ(put_reason(log_), "AccessDenied");
  EXPECT_TRUE(store_->check_acl_readable("logs", who_));
}

TEST_F(ServiceAccessTest, NoSuchBucket) {
  log_.bucket = "none";
  EXPECT_EQ(put_reason(log_), "NoSuchBucket");
  EXPECT_EQ(reason_of(store_->check_bucket("none", who_)), "NoSuchBucket");
  EXPECT_EQ(reason_of(store_->check_acl_readable("none", who_)), "NoSuchBucket");
  EXPECT_EQ(reason_of(store_->get("none", "k", who_)), "NoSuchBucket");
  EXPECT_EQ(reason_of(store_->list("none", "", "", who_)), "NoSuchBucket");
}

TEST_F(ServiceAccessTest, TheSamePutAgainChangesNothing) {
  set_policy();
  ASSERT_EQ(put_reason(log_), "");
  const ObjectInfo before = store_->head("logs", log_.key).value();
  const auto files = data_files();
  clock_.advance(std::chrono::minutes(5));
  ASSERT_EQ(put_reason(log_), "");
  EXPECT_EQ(store_->head("logs", log_.key)->last_modified, before.last_modified);
  EXPECT_EQ(data_files(), files);

  log_.metadata["signature"] = "11ff";
  ASSERT_EQ(put_reason(log_), "");
  EXPECT_EQ(store_->head("logs", log_.key)->last_modified, clock_.now());
}

TEST_F(ServiceAccessTest, TheSamePutAgainMendsWhatRotted) {
  set_policy();
  ASSERT_EQ(put_reason(log_), "");
  const std::string path = data_files().front();
  const std::string good = io::read_file(files_, path, 1000).value();
  files_.overwrite(path, good.size() - 1, std::string(1, static_cast<char>(good.back() ^ 1)));
  ASSERT_EQ(reason_of(store_->get("logs", log_.key, who_)), "");
  ASSERT_FALSE(store_->get("logs", log_.key, who_).has_value());
  ASSERT_EQ(put_reason(log_), "");
  EXPECT_EQ(store_->get("logs", log_.key, who_)->body, "gzip");
}

}  // namespace
}  // namespace opentrail::objects
