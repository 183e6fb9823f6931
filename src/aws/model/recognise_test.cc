// Goal: each request is known for what it asks. Method: requests of all protocols as SDKs make
// them, and near misses.
#include "aws/model/recognise.h"

#include <gtest/gtest.h>

namespace opentrail::aws::model {
namespace {

net::RequestHead make_head(std::string method, std::string target,
                           std::vector<net::Headers::Field> fields = {}) {
  net::RequestHead head;
  head.method = std::move(method);
  head.target = std::move(target);
  for (auto& [name, value] : fields) {
    head.headers.add(std::move(name), std::move(value));
  }
  return head;
}

std::string name_of(const std::optional<RecognisedCall>& call) {
  return call ? std::string(call->service->id) + ":" + std::string(call->operation.name) : "";
}

std::string recognised(const net::RequestHead& head, std::string_view signing,
                       std::string_view body = "", std::string_view bucket = "") {
  return name_of(recognise(head, body, {signing, bucket}));
}

TEST(Recognise, JsonByItsTarget) {
  const auto with = [](std::string target) {
    return make_head("POST", "/", {{"X-Amz-Target", std::move(target)}});
  };
  EXPECT_EQ(recognised(with("DynamoDB_20120810.PutItem"), "dynamodb"), "dynamodb:PutItem");
  EXPECT_EQ(recognised(with("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.CreateTrail"),
                       "cloudtrail"),
            "cloudtrail:CreateTrail");
  EXPECT_EQ(recognised(with("CloudTrail_20131101.CreateTrail"), ""), "cloudtrail:CreateTrail");
  EXPECT_EQ(recognised(with("Timestream_20181101.CreateDatabase"), "timestream"),
            "timestream-write:CreateDatabase");
  EXPECT_EQ(recognised(with("DynamoDB_20120810.Nothing"), "dynamodb"), "");
  EXPECT_EQ(recognised(with("nothing"), "dynamodb"), "");
}

TEST(Recognise, QueryByActionAndVersion) {
  const auto form = make_head(
      "POST", "/", {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}});
  EXPECT_EQ(recognised(form, "iam", "Action=CreateUser&Version=2010-05-08&UserName=a"),
            "iam:CreateUser");
  EXPECT_EQ(recognised(form, "ec2", "Action=RunInstances&Version=2016-11-15"), "ec2:RunInstances");
  EXPECT_EQ(recognised(form, "rds", "Action=CreateDBInstance&Version=2014-10-31"),
            "rds:CreateDBInstance");
  EXPECT_EQ(
      recognised(form, "elasticloadbalancing", "Action=CreateLoadBalancer&Version=2015-12-01"),
      "elbv2:CreateLoadBalancer");
  EXPECT_EQ(
      recognised(form, "elasticloadbalancing", "Action=CreateLoadBalancer&Version=2012-06-01"),
      "elb:CreateLoadBalancer");
  EXPECT_EQ(recognised(make_head("GET", "/?Action=ListUsers&Version=2010-05-08"), ""),
            "iam:ListUsers");
  EXPECT_EQ(recognised(form, "iam", "Action=Nothing&Version=2010-05-08"), "");
}

TEST(Recognise, CborByItsPath) {
  const auto head =
      make_head("POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData",
                {{"smithy-protocol", "rpc-v2-cbor"}});
  EXPECT_EQ(recognised(head, "monitoring"), "cloudwatch:PutMetricData");
  EXPECT_EQ(recognise(head, "", {"monitoring", ""})->protocol, Protocol::Cbor);
}

TEST(Recognise, RestByItsPattern) {
  EXPECT_EQ(recognised(make_head("POST", "/2015-03-31/functions"), "lambda"),
            "lambda:CreateFunction");
  const auto invoke =
      recognise(make_head("POST", "/2015-03-31/functions/a%3Ab/invocations"), "", {"lambda", ""});
  EXPECT_EQ(name_of(invoke), "lambda:Invoke");
  ASSERT_EQ(invoke->labels.size(), 1U);
  EXPECT_EQ(invoke->labels[0].second, "a:b");
  EXPECT_EQ(recognised(make_head("GET", "/2015-03-31/functions/"), "lambda"),
            "lambda:ListFunctions");
  EXPECT_EQ(recognised(make_head("GET", "/restapis"), "apigateway"), "apigateway:GetRestApis");
  EXPECT_EQ(recognised(make_head("GET", "/v2/apis"), "apigateway"), "apigatewayv2:GetApis");
  EXPECT_EQ(recognised(make_head("DELETE", "/bots/a/"), "lex"), "lexv2-models:DeleteBot");
  EXPECT_EQ(recognised(make_head("DELETE", "/bots/a"), "lex"), "lex-models:DeleteBot");
  EXPECT_EQ(recognised(make_head("GET", "/nowhere/at/all"), "lambda"), "");
  EXPECT_EQ(recognised(make_head("GET", "/%zz"), "lambda"), "");
}

TEST(Recognise, S3ByPathQueryAndHeaders) {
  struct Case {
    const char* method;
    const char* target;
    const char* operation;
  };
  const Case cases[] = {
      {"GET", "/", "s3:ListBuckets"},
      {"PUT", "/b", "s3:CreateBucket"},
      {"GET", "/b", "s3:ListObjects"},
      {"GET", "/b/?list-type=2&prefix=x", "s3:ListObjectsV2"},
      {"GET", "/b?acl", "s3:GetBucketAcl"},
      {"GET", "/b?versions", "s3:ListObjectVersions"},
      {"GET", "/b?uploads", "s3:ListMultipartUploads"},
      {"PUT", "/b?policy", "s3:PutBucketPolicy"},
      {"POST", "/b?delete", "s3:DeleteObjects"},
      {"HEAD", "/b", "s3:HeadBucket"},
      {"GET", "/b/k/l", "s3:GetObject"},
      {"GET", "/b/k?uploadId=u", "s3:ListParts"},
      {"HEAD", "/b/k", "s3:HeadObject"},
      {"PUT", "/b/k", "s3:PutObject"},
      {"PUT", "/b/k?partNumber=1&uploadId=u", "s3:UploadPart"},
      {"POST", "/b/k?uploads", "s3:CreateMultipartUpload"},
      {"POST", "/b/k?uploadId=u", "s3:CompleteMultipartUpload"},
      {"DELETE", "/b/k?uploadId=u", "s3:AbortMultipartUpload"},
      {"DELETE", "/b/k", "s3:DeleteObject"},
      {"DELETE", "/b", "s3:DeleteBucket"},
      {"PUT", "/b/k?tagging", "s3:PutObjectTagging"},
      {"PUT", "/b?tagging", "s3:PutBucketTagging"},
      {"GET", "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=s", "s3:GetObject"},
  };
  for (const Case& expected : cases) {
    EXPECT_EQ(recognised(make_head(expected.method, expected.target), "s3"), expected.operation)
        << expected.method << " " << expected.target;
  }
  const auto copy = make_head("PUT", "/b/k", {{"x-amz-copy-source", "/b/l"}});
  EXPECT_EQ(recognised(copy, "s3"), "s3:CopyObject");
  const auto hosted = recognise(make_head("GET", "/k/l"), "", {"s3", "bucket"});
  EXPECT_EQ(name_of(hosted), "s3:GetObject");
  EXPECT_EQ(hosted->labels[0].second, "bucket");
  EXPECT_EQ(hosted->labels[1].second, "k/l");
}

TEST(Recognise, ReadsHosts) {
  const HostNames monitoring = read_host("monitoring.eu-west-1.amazonaws.com");
  EXPECT_EQ(monitoring.signing_name, "monitoring");
  EXPECT_EQ(monitoring.region, "eu-west-1");
  const HostNames bucket = read_host("my.bucket.s3.us-west-2.amazonaws.com:443");
  EXPECT_EQ(bucket.signing_name, "s3");
  EXPECT_EQ(bucket.bucket, "my.bucket");
  EXPECT_EQ(read_host("sqs.localhost:4747").signing_name, "sqs");
  EXPECT_EQ(read_host("127.0.0.1:4747").signing_name, "");
  EXPECT_EQ(read_host("[::1]:4747").signing_name, "");
  EXPECT_EQ(read_host("").signing_name, "");
}

TEST(Recognise, EveryRestPatternIsFoundAgain) {
  std::size_t tried = 0;
  std::size_t found = 0;
  for (const Service& service : services()) {
    for (std::size_t i = 0; i < service.operation_count; ++i) {
      const Operation operation = service.operation(i);
      if ((!service.speaks(Protocol::RestJson) && !service.speaks(Protocol::RestXml)) ||
          service.id == "s3") {
        continue;
      }
      std::string target;
      bool label = false;
      for (const char c : operation.uri) {
        label = c == '{' || (label && c != '}');
        target += c == '{' || c == '}' || c == '+' ? '-' : c;
      }
      ++tried;
      const auto call = recognise(make_head(std::string(operation.method), target), "",
                                  {service.signing_name, ""});
      found += call && call->operation.name == operation.name ? 1 : 0;
    }
  }
  // Some services share a signing name and a pattern; their names differ in nothing else.
  EXPECT_GT(static_cast<double>(found), 0.98 * static_cast<double>(tried)) << found << "/" << tried;
}

}  // namespace
}  // namespace opentrail::aws::model
