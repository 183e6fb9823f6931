// Goal: the table says what botocore's models say. Method: calls whose shape is well known.
#include "aws/model/service_table.h"

#include <gtest/gtest.h>

namespace opentrail::aws::model {
namespace {

TEST(ServiceTable, KnowsServicesAndHowTheySign) {
  EXPECT_GT(services().size(), 300U);
  const Service* cloudwatch = find_service("cloudwatch");
  ASSERT_NE(cloudwatch, nullptr);
  EXPECT_EQ(cloudwatch->event_source, "monitoring.amazonaws.com");
  EXPECT_TRUE(cloudwatch->speaks(Protocol::Cbor));
  EXPECT_EQ(find_service("no-such-service"), nullptr);
  EXPECT_GE(services_signing_as("rds").size(), 2U);
  EXPECT_TRUE(services_signing_as("nobody").empty());
}

TEST(ServiceTable, FindsEveryOperationByItsName) {
  for (const Service& service : services()) {
    for (std::size_t i = 0; i < service.operation_count; ++i) {
      const Operation operation = service.operation(i);
      const auto found = service.find_operation(operation.name);
      ASSERT_TRUE(found) << service.id << " " << operation.name;
      EXPECT_EQ(found->event_name, operation.event_name);
    }
    EXPECT_FALSE(service.find_operation("NoSuchOperation"));
  }
}

TEST(ServiceTable, SpellsNamesAsCloudTrailDoes) {
  const auto name = [](std::string_view service, std::string_view operation) {
    return find_service(service)->find_operation(operation)->event_name;
  };
  EXPECT_EQ(name("lambda", "CreateFunction"), "CreateFunction20150331");
  EXPECT_EQ(name("lambda", "UpdateFunctionCode"), "UpdateFunctionCode20150331v2");
  EXPECT_EQ(name("lambda", "CreateFunctionUrlConfig"), "CreateFunctionUrlConfig");
  EXPECT_EQ(name("lambda", "Invoke"), "Invoke");
  EXPECT_EQ(name("s3", "ListObjectsV2"), "ListObjects");
  EXPECT_EQ(name("s3", "PutBucketLifecycleConfiguration"), "PutBucketLifecycle");
}

TEST(ServiceTable, SaysWhatReadsAndWhatIsData) {
  const auto find = [](std::string_view service, std::string_view operation) {
    return *find_service(service)->find_operation(operation);
  };
  EXPECT_TRUE(find("iam", "GetUser").read_only);
  EXPECT_FALSE(find("iam", "CreateUser").read_only);
  EXPECT_TRUE(find("kms", "Decrypt").read_only);
  EXPECT_TRUE(find("sts", "AssumeRole").read_only);
  EXPECT_TRUE(find("sts", "AssumeRole").output);
  EXPECT_FALSE(find("sts", "GetSessionToken").read_only);
  EXPECT_FALSE(find("iam", "GetUser").output);
  EXPECT_TRUE(find("s3", "PutObject").data_event);
  EXPECT_EQ(find("dynamodb", "PutItem").data_resource_type, "AWS::DynamoDB::Table");
  EXPECT_FALSE(find("s3", "PutBucketPolicy").data_event);
}

TEST(ServiceTable, ReadsShapes) {
  const Shape input = find_service("secretsmanager")->find_operation("CreateSecret")->input;
  ASSERT_TRUE(input);
  EXPECT_EQ(input.kind(), Kind::Structure);
  const auto secret = input.find("SecretString");
  ASSERT_TRUE(secret);
  EXPECT_TRUE(secret->shape.sensitive());
  EXPECT_FALSE(input.find("Nothing"));
  const auto tags = input.find("Tags");
  ASSERT_TRUE(tags);
  EXPECT_EQ(tags->shape.kind(), Kind::List);
  EXPECT_EQ(tags->shape.item().find("Key")->shape.kind(), Kind::String);
}

TEST(ServiceTable, ReadsShapesThatContainThemselves) {
  const Shape input = find_service("dynamodb")->find_operation("PutItem")->input;
  const Shape value = input.find("Item")->shape.value();
  const Shape list = value.find("L")->shape;
  EXPECT_EQ(list.kind(), Kind::List);
  EXPECT_EQ(list.item().find("L")->shape.kind(), Kind::List);
}

}  // namespace
}  // namespace opentrail::aws::model
