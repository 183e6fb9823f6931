// Goal: event selectors, tags and public keys are put, read and refused as CloudTrail does.
// Method: calls as the pipeline makes them, over real trails.
#include "services/cloudtrail/service_kit_test.h"

namespace opentrail::services::cloudtrail {
namespace {

constexpr auto kDefault =
    R"({"TrailARN":"arn:aws:cloudtrail:us-east-1:111122223333:trail/main","EventSelectors":[)"
    R"({"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[],)"
    R"("ExcludeManagementEventSources":[]}]})";

std::string put(const std::string& selectors) {
  return R"({"TrailName":"main","EventSelectors":)" + selectors + "}";
}

TEST_F(CloudTrailTest, AFreshTrailHasTheDefaultSelector) {
  create("main");
  EXPECT_EQ(call("GetEventSelectors", R"({"TrailName":"main"})").outcome.body, kDefault);
  EXPECT_EQ(call("GetEventSelectors", R"({"TrailName":"main"})", "us-west-2").message,
            "Unknown trail: " + arn("main", "us-west-2") + " for the user: 111122223333");
}

TEST_F(CloudTrailTest, SelectorsAreReplacedAsAWhole) {
  create("main");
  const auto done = call("PutEventSelectors", put(R"([{"ReadWriteType":"WriteOnly",
      "IncludeManagementEvents":false,"DataResources":[
        {"Type":"AWS::S3::Object","Values":["arn:aws:s3:::bucket/","arn:aws:s3"]},
        {"Type":"AWS::Lambda::Function","Values":["arn:aws:lambda"]}],
      "ExcludeManagementEventSources":["kms.amazonaws.com"]},{}])"));
  EXPECT_EQ(done.error_code, "") << done.message;
  EXPECT_EQ(done.outcome.body,
            R"({"TrailARN":"arn:aws:cloudtrail:us-east-1:111122223333:trail/main",)"
            R"("EventSelectors":[{"ReadWriteType":"WriteOnly","IncludeManagementEvents":false,)"
            R"("DataResources":[{"Type":"AWS::S3::Object",)"
            R"("Values":["arn:aws:s3:::bucket/","arn:aws:s3"]},)"
            R"({"Type":"AWS::Lambda::Function","Values":["arn:aws:lambda"]}],)"
            R"("ExcludeManagementEventSources":["kms.amazonaws.com"]},)"
            R"({"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[],)"
            R"("ExcludeManagementEventSources":[]}]})");
  EXPECT_EQ(call("GetEventSelectors", R"({"TrailName":"main"})").outcome.body, done.outcome.body);
  EXPECT_EQ(done.outcome.response_elements.at("eventSelectors").at(0).at("readWriteType"),
            json::value("WriteOnly"));
  // Even the default one counts as custom once it was put.
  EXPECT_EQ(call("PutEventSelectors", put("[{}]")).outcome.body, kDefault);
  EXPECT_TRUE(call("GetTrail", R"({"Name":"main"})")
                  .body.at("Trail")
                  .at("HasCustomEventSelectors")
                  .as_bool());
}

TEST_F(CloudTrailTest, WrongSelectorsAreRefused) {
  create("main");
  std::string many_values;
  for (int i = 0; i < 251; ++i) {
    many_values += (i > 0 ? "," : "") + ("\"arn:aws:s3:::bucket/" + std::to_string(i) + "\"");
  }
  const auto with_value = [](const std::string& type, const std::string& values) {
    return put(R"([{"DataResources":[{"Type":")" + type + R"(","Values":[)" + values + "]}]}]");
  };
  const struct {
    std::string input, message;
  } cases[] = {
      {put("[{},{},{},{},{},{}]"), "at most 5"},
      {put(R"([{"ReadWriteType":"all"}])"), "Value all for ReadWriteType is invalid."},
      {put(R"([{"ExcludeManagementEventSources":["iam.amazonaws.com"]}])"), "iam.amazonaws.com"},
      {put("[]"), "At least one"},
      {R"({"TrailName":"main"})", "At least one"},
      {R"({"TrailName":"main","EventSelectors":[{}],
           "AdvancedEventSelectors":[{"FieldSelectors":[]}]})",
       "not both"},
      {with_value("AWS::S3::Bucket", "\"arn:aws:s3\""), "Value AWS::S3::Bucket"},
      {with_value("AWS::S3::Object", "\"arn:aws:s3:::*\""),
       "Value arn:aws:s3:::* for DataResources.Values is invalid."},
      {with_value("AWS::S3::Object", "\"arn:aws:s3:::bucket\""), "is invalid."},
      {with_value("AWS::S3::Object", "\"arn:aws:s3:::B_/\""), "is invalid."},
      {with_value("AWS::S3::Object", "\"arn:aws:lambda\""), "is invalid."},
      {with_value("AWS::Lambda::Function", "\"arn:aws:lambda:us-east-1:1:layer:x\""),
       "is invalid."},
      {with_value("AWS::DynamoDB::Table", "\"arn:aws:dynamodb:us-east-1:1:table/\""),
       "is invalid."},
      {with_value("AWS::S3::Object", many_values), "at most 250"},
  };
  for (const auto& item : cases) {
    SCOPED_TRACE(item.input.substr(0, 100));
    const auto refused = call("PutEventSelectors", item.input);
    EXPECT_EQ(refused.error_code, "InvalidEventSelectorsException");
    EXPECT_NE(refused.message.find(item.message), std::string::npos) << refused.message;
  }
  for (const auto* value : {"arn:aws:lambda:us-east-1:111122223333:function:f",
                            "arn:aws:lambda:us-east-1:111122223333:function:f:alias"}) {
    EXPECT_EQ(call("PutEventSelectors",
                   with_value("AWS::Lambda::Function", "\"" + std::string(value) + "\""))
                  .error_code,
              "")
        << value;
  }
  EXPECT_EQ(call("PutEventSelectors", put("[{}]"), "us-west-2").error_code,
            "TrailNotFoundException");
}

TEST_F(CloudTrailTest, OneKindOfSelectorsTakesThePlaceOfTheOther) {
  create("main");
  const auto has_custom = [&] {
    return call("GetTrail", R"({"Name":"main"})")
        .body.at("Trail")
        .at("HasCustomEventSelectors")
        .as_bool();
  };
  const std::string advanced =
      R"([{"Name":"reads","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},)"
      R"({"Field":"resources.type","Equals":["AWS::S3::Object"]},)"
      R"({"Field":"eventName","StartsWith":["Get"],"NotEndsWith":["Acl"]}]},)"
      R"({"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]}])";
  const auto done = call("PutEventSelectors",
                         R"({"TrailName":"main","AdvancedEventSelectors":)" + advanced + "}");
  EXPECT_EQ(done.error_code, "") << done.message;
  EXPECT_EQ(done.outcome.body,
            R"({"TrailARN":"arn:aws:cloudtrail:us-east-1:111122223333:trail/main",)"
            R"("AdvancedEventSelectors":)" +
                advanced + "}");
  EXPECT_EQ(call("GetEventSelectors", R"({"TrailName":"main"})").outcome.body, done.outcome.body);
  EXPECT_TRUE(has_custom());
  const auto& recorded = done.operation.request_parameters.at("advancedEventSelectors").at(0);
  EXPECT_EQ(to_text(recorded.at("fieldSelectors").at(2)),
            R"({"field":"eventName","startsWith":["Get"],"notEndsWith":["Acl"]})");
  EXPECT_EQ(to_text(done.outcome.response_elements.at("advancedEventSelectors").at(0)),
            to_text(recorded));
  EXPECT_EQ(call("PutEventSelectors", put("[{}]")).outcome.body, kDefault);
  EXPECT_TRUE(has_custom());
  EXPECT_EQ(call("PutEventSelectors", R"({"TrailName":"main","EventSelectors":[],)"
                                      R"("AdvancedEventSelectors":)" +
                                          advanced + "}")
                .outcome.body,
            done.outcome.body);
  // As Terraform does when the last one is removed.
  EXPECT_EQ(
      call("PutEventSelectors", R"({"TrailName":"main","AdvancedEventSelectors":[]})").outcome.body,
      kDefault);
  EXPECT_FALSE(has_custom());
  EXPECT_EQ(call("PutEventSelectors",
                 R"({"TrailName":"main","EventSelectors":[{}],"AdvancedEventSelectors":[]})")
                .outcome.body,
            kDefault);
  EXPECT_TRUE(has_custom());
}

TEST_F(CloudTrailTest, RefusedSelectorsChangeNothing) {
  create("main");
  const auto refused = call("PutEventSelectors", R"({"TrailName":"main","AdvancedEventSelectors":[
          {"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]}]}]})");
  EXPECT_EQ(refused.error_code, "InvalidEventSelectorsException");
  EXPECT_EQ(call("GetEventSelectors", R"({"TrailName":"main"})").outcome.body, kDefault);
}

TEST_F(CloudTrailTest, TagsAreAddedListedAndRemoved) {
  create("main", R"(,"TagsList":[{"Key":"a","Value":"1"}])");
  const std::string id = R"({"ResourceId":")" + arn("main") + R"(","TagsList":)";
  const std::string list = R"({"ResourceIdList":[")" + arn("main") + R"("]})";
  const auto added = call("AddTags", id + R"([{"Key":"a","Value":"2"},{"Key":"b"}]})");
  EXPECT_EQ(added.outcome.body, "{}");
  EXPECT_TRUE(added.outcome.response_elements.is_null());
  EXPECT_EQ(to_text(call("ListTags", list).body.at("ResourceTagList").at(0).at("TagsList")),
            R"([{"Key":"a","Value":"2"},{"Key":"b","Value":""}])");
  EXPECT_EQ(call("RemoveTags", id + R"([{"Key":"a"},{"Key":"absent"}]})").error_code, "");
  EXPECT_EQ(call("RemoveTags", id + R"([{"Key":"b"}]})").error_code, "");
  EXPECT_EQ(call("ListTags", list).outcome.body,
            R"({"ResourceTagList":[{"ResourceId":")" + arn("main") + R"(","TagsList":[]}]})");
  std::string many;
  for (int i = 0; i < 51; ++i) {
    many += (i > 0 ? "," : "") + (R"({"Key":")" + std::to_string(i) + R"("})");
  }
  EXPECT_EQ(call("AddTags", id + "[" + many + "]}").error_code, "TagsLimitExceededException");
}

TEST_F(CloudTrailTest, TaggingRefusesWhatIsNoTrailHere) {
  create("main");
  const std::string prefix = "arn:aws:cloudtrail:us-east-1:111122223333:";
  const struct {
    std::string resource, code;
  } cases[] = {
      {"main", "CloudTrailARNInvalidException"},
      {"arn:aws:s3:::a:b", "CloudTrailARNInvalidException"},
      {prefix + "trail/nobody", "ResourceNotFoundException"},
      {prefix + "eventdatastore/x", "EventDataStoreNotFoundException"},
      {prefix + "channel/x", "ChannelNotFoundException"},
      {prefix + "dashboard/x", "ResourceNotFoundException"},
      {prefix + "teapot/x", "ResourceTypeNotSupportedException"},
      {arn("main", "us-west-2"), "CloudTrailARNInvalidException"},
      {"arn:aws:cloudtrail:us-east-1:999999999999:trail/main", "CloudTrailARNInvalidException"},
  };
  for (const auto& item : cases) {
    SCOPED_TRACE(item.resource);
    const std::string id = R"({"ResourceId":")" + item.resource + R"(","TagsList":[{"Key":"a"}]})";
    EXPECT_EQ(call("AddTags", id).error_code, item.code);
    EXPECT_EQ(call("RemoveTags", id).error_code, item.code);
    EXPECT_EQ(call("ListTags", R"({"ResourceIdList":[")" + item.resource + R"("]})").error_code,
              item.code);
  }
  std::string ids;
  for (int i = 0; i < 21; ++i) {
    ids += (i > 0 ? ",\"" : "\"") + arn("main") + "\"";
  }
  EXPECT_EQ(call("ListTags", R"({"ResourceIdList":[)" + ids + "]}").error_code,
            "ValidationException");
  EXPECT_EQ(call("ListTags", R"({"ResourceIdList":[],"NextToken":"x"})").error_code,
            "InvalidTokenException");
}

TEST_F(CloudTrailTest, PublicKeysAreThoseOfTheRegionAndTime) {
  EXPECT_EQ(
      call("ListPublicKeys", R"({"StartTime":1794000000.5,"EndTime":1794000001})", "eu-west-1")
          .outcome.body,
      R"({"PublicKeyList":[{"Value":"a2V5IG9mIGV1LXdlc3QtMQ==",)"
      R"("ValidityStartTime":1794000000.500,"ValidityEndTime":1794000001,)"
      R"("Fingerprint":"finger"}]})");
  const auto now = call("ListPublicKeys", "");
  EXPECT_EQ(now.body.at("PublicKeyList").at(0).at("ValidityStartTime").as_int64(), 1'795'000'000);
  EXPECT_TRUE(now.operation.request_parameters.is_null());
  EXPECT_EQ(call("ListPublicKeys", R"({"StartTime":2,"EndTime":1})").error_code,
            "InvalidTimeRangeException");
  EXPECT_EQ(call("ListPublicKeys", R"({"NextToken":"x"})").error_code, "InvalidTokenException");
}

}  // namespace
}  // namespace opentrail::services::cloudtrail
