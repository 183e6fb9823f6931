// Goal: every request is called what S3 calls it and recorded as CloudTrail records it. Method:
// tables of request lines.
#include "services/s3/routing.h"

#include "services/s3/s3_test_kit.h"

#include <gtest/gtest.h>

namespace opentrail::services::s3 {
namespace {

Operation identify(FakeExchange& exchange) {
  const Call call = make_call(exchange);
  return s3::identify(call);
}

Operation identify(std::string method, std::string target, std::string body = {}) {
  FakeExchange exchange(std::move(method), std::move(target), std::move(body));
  return identify(exchange);
}

TEST(Routing, NamesEveryOperation) {
  struct Case {
    std::string method;
    std::string target;
    std::string name;
    std::string event_name;
    std::string action;
    std::string resource;
    bool read_only;
    record::Category category;
  };
  using enum record::Category;
  const std::string bucket = "arn:aws:s3:::b";
  const std::string object = "arn:aws:s3:::b/a/k";
  const Case cases[] = {
      {"GET", "/", "ListBuckets", "ListBuckets", "s3:ListAllMyBuckets", "*", true, Management},
      {"PUT", "/b", "CreateBucket", "CreateBucket", "s3:CreateBucket", bucket, false, Management},
      {"HEAD", "/b/", "HeadBucket", "HeadBucket", "s3:ListBucket", bucket, true, Management},
      {"DELETE", "/b", "DeleteBucket", "DeleteBucket", "s3:DeleteBucket", bucket, false,
       Management},
      {"GET", "/b?location", "GetBucketLocation", "GetBucketLocation", "s3:GetBucketLocation",
       bucket, true, Management},
      {"GET", "/b?acl", "GetBucketAcl", "GetBucketAcl", "s3:GetBucketAcl", bucket, true,
       Management},
      {"GET", "/b?policyStatus", "GetBucketPolicyStatus", "GetBucketPolicyStatus",
       "s3:GetBucketPolicyStatus", bucket, true, Management},
      {"PUT", "/b?publicAccessBlock", "PutPublicAccessBlock", "PutBucketPublicAccessBlock",
       "s3:PutBucketPublicAccessBlock", bucket, false, Management},
      {"DELETE", "/b?encryption", "DeleteBucketEncryption", "DeleteBucketEncryption",
       "s3:PutEncryptionConfiguration", bucket, false, Management},
      {"PUT", "/b?lifecycle", "PutBucketLifecycleConfiguration", "PutBucketLifecycle",
       "s3:PutLifecycleConfiguration", bucket, false, Management},
      {"GET", "/b?prefix=x", "ListObjects", "ListObjects", "s3:ListBucket", bucket, true, Data},
      {"GET", "/b?list-type=2", "ListObjectsV2", "ListObjects", "s3:ListBucket", bucket, true,
       Data},
      {"GET", "/b?versions", "ListObjectVersions", "ListObjectVersions", "s3:ListBucketVersions",
       bucket, true, Data},
      {"POST", "/b?delete", "DeleteObjects", "DeleteObjects", "s3:DeleteObject", bucket + "/*",
       false, Data},
      {"PUT", "/b/a/k", "PutObject", "PutObject", "s3:PutObject", object, false, Data},
      {"GET", "/b/a/k", "GetObject", "GetObject", "s3:GetObject", object, true, Data},
      {"HEAD", "/b/a/k", "HeadObject", "HeadObject", "s3:GetObject", object, true, Data},
      {"DELETE", "/b/a/k", "DeleteObject", "DeleteObject", "s3:DeleteObject", object, false, Data},
      {"POST", "/b/a/k?uploads", "CreateMultipartUpload", "CreateMultipartUpload", "s3:PutObject",
       object, false, Data},
      {"PUT", "/b/a/k?partNumber=1&uploadId=u", "UploadPart", "UploadPart", "s3:PutObject", object,
       false, Data},
      {"POST", "/b/a/k?uploadId=u", "CompleteMultipartUpload", "CompleteMultipartUpload",
       "s3:PutObject", object, false, Data},
      {"DELETE", "/b/a/k?uploadId=u", "AbortMultipartUpload", "AbortMultipartUpload",
       "s3:AbortMultipartUpload", object, false, Data},
      {"GET", "/b/a/k?uploadId=u", "ListParts", "ListParts", "s3:ListMultipartUploadParts", object,
       true, Data},
  };
  for (const Case& expected : cases) {
    const Operation operation = identify(expected.method, expected.target);
    EXPECT_EQ(operation.name, expected.name) << expected.target;
    EXPECT_EQ(operation.event_name, expected.event_name) << expected.target;
    EXPECT_EQ(operation.action, expected.action) << expected.target;
    EXPECT_EQ(operation.resource, expected.resource) << expected.target;
    EXPECT_EQ(operation.read_only, expected.read_only) << expected.target;
    EXPECT_EQ(operation.category, expected.category) << expected.target;
    EXPECT_FALSE(operation.error.has_value()) << expected.target;
  }
}

TEST(Routing, RecordsRawNames) {
  FakeExchange exchange("GET", "/b?list-type=2&prefix=a%20b&encoding-type=url&X-Amz-Signature=s");
  const Operation operation = identify(exchange.with("x-amz-expected-bucket-owner", "1"));
  EXPECT_EQ(to_text(operation.request_parameters),
            R"({"list-type":"2","prefix":"a b","encoding-type":"url",)"
            R"("x-amz-expected-bucket-owner":"1","bucketName":"b","Host":"127.0.0.1:4747"})");
  ASSERT_EQ(operation.resources.size(), 2U);
  EXPECT_EQ(operation.resources[0].type, "AWS::S3::Object");
  EXPECT_EQ(operation.resources[1].type, "AWS::S3::Bucket");
  EXPECT_EQ(operation.resources[1].arn, "arn:aws:s3:::b");
  EXPECT_EQ(operation.resources[1].account_id, kTestAccount);
}

TEST(Routing, RecordsTheKeyAndItsObject) {
  const Operation operation = identify("PUT", "/b/a%2Fb%20%C3%A4?bucketName=other&key=other");
  EXPECT_EQ(operation.request_parameters.at("key").as_string(), "a/b \xC3\xA4");
  EXPECT_EQ(operation.request_parameters.at("bucketName").as_string(), "b");
  ASSERT_EQ(operation.resources.size(), 2U);
  EXPECT_EQ(operation.resources[0].arn, "arn:aws:s3:::b/a/b \xC3\xA4");
  EXPECT_TRUE(operation.resources[0].account_id.empty());
}

TEST(Routing, RecordsABucketsConfiguration) {
  const Operation created =
      identify("PUT", "/b",
               "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>"
               "</CreateBucketConfiguration>");
  EXPECT_EQ(to_text(created.request_parameters.at("CreateBucketConfiguration")),
            R"({"LocationConstraint":"eu-west-1"})");
  const Operation policy = identify("PUT", "/b?policy", R"({"Version":"2012-10-17"})");
  EXPECT_EQ(to_text(policy.request_parameters.at("bucketPolicy")), R"({"Version":"2012-10-17"})");
  EXPECT_EQ(policy.request_parameters.at("policy").as_string(), "");
}

TEST(Routing, CopiesAreToldByTheirHeader) {
  FakeExchange copy("PUT", "/b/k");
  copy.with("x-amz-copy-source", "/s/k");
  EXPECT_EQ(identify(copy).name, "CopyObject");
  EXPECT_FALSE(is_upload(copy.request()));
  FakeExchange part("PUT", "/b/k?partNumber=1&uploadId=u");
  EXPECT_TRUE(is_upload(part.request()));
  part.with("x-amz-copy-source", "/s/k");
  EXPECT_EQ(identify(part).name, "UploadPartCopy");
  EXPECT_FALSE(is_upload(part.request()));
}

TEST(Routing, FaultsAreOperationsWithAnError) {
  std::string many_fields;
  for (int i = 0; i < 1000; ++i) {
    many_fields += "&a";
  }
  const std::tuple<std::string, std::string, std::string, int> cases[] = {
      {"GET", "/b/%zz", "InvalidURI", 400},
      {"GET", "/b/%ff", "InvalidURI", 400},
      {"GET", "/b?prefix=%ff", "InvalidURI", 400},
      {"GET", "/b?" + many_fields, "InvalidURI", 400},
      {"GET", "//key", "InvalidURI", 400},
      {"PATCH", "/b/k", "MethodNotAllowed", 405},
      {"POST", "/", "MethodNotAllowed", 405},
      {"GET", "/b/k?versionId=v", "NoSuchVersion", 404},
      {"GET", "/b?list-type=3", "InvalidArgument", 400},
  };
  for (const auto& [method, target, code, status] : cases) {
    const Operation operation = identify(method, target);
    ASSERT_TRUE(operation.error.has_value()) << method << target;
    EXPECT_EQ(operation.error->code, code) << target;
    EXPECT_EQ(operation.error->status, status) << target;
    EXPECT_FALSE(operation.event_name.empty());
  }
}

TEST(Routing, CopySources) {
  EXPECT_EQ(parse_copy_source("/b/a%20k")->key, "a k");
  EXPECT_EQ(parse_copy_source("b/a/k?versionId=null")->bucket, "b");
  EXPECT_EQ(parse_copy_source("b/k?versionId=x").error().reason(), "NoSuchVersion");
  for (const std::string_view broken : {"", "/", "b", "b/", "/b", "//k", "b/%zz", "b/%ff"}) {
    EXPECT_EQ(parse_copy_source(broken).error().reason(), "InvalidArgument") << broken;
  }
}

}  // namespace
}  // namespace opentrail::services::s3
