// Goal: the trail operations answer, change and record as CloudTrail's do, and every change is in
// force from the right record on. Method: calls as the pipeline makes them, over real trails and
// iam; the n-th call's record has the n-th place in the journal.
#include "services/cloudtrail/operations.h"
#include "services/cloudtrail/service_kit_test.h"

#include <set>

namespace opentrail::services::cloudtrail {
namespace {

TEST_F(CloudTrailTest, CreateTrailAnswersAndRecordsItsSettings) {
  const auto made = call("CreateTrail",
                         R"({"Name":"main","S3BucketName":"logs","S3KeyPrefix":"pre",
                             "EnableLogFileValidation":true,"TagsList":[{"Key":"Team","Value":"a"}],
                             "Unknown":1})");
  EXPECT_EQ(made.outcome.body,
            R"({"Name":"main","S3BucketName":"logs","S3KeyPrefix":"pre",)"
            R"("IncludeGlobalServiceEvents":true,"IsMultiRegionTrail":false,)"
            R"("TrailARN":"arn:aws:cloudtrail:us-east-1:111122223333:trail/main",)"
            R"("LogFileValidationEnabled":true,"IsOrganizationTrail":false})");
  EXPECT_EQ(to_text(made.operation.request_parameters),
            R"({"name":"main","s3BucketName":"logs","s3KeyPrefix":"pre",)"
            R"("enableLogFileValidation":true,"tagsList":[{"key":"Team","value":"a"}]})");
  EXPECT_EQ(to_text(made.outcome.response_elements),
            R"({"name":"main","s3BucketName":"logs","s3KeyPrefix":"pre",)"
            R"("includeGlobalServiceEvents":true,"isMultiRegionTrail":false,)"
            R"("trailARN":"arn:aws:cloudtrail:us-east-1:111122223333:trail/main",)"
            R"("logFileValidationEnabled":true,"isOrganizationTrail":false})");
  EXPECT_FALSE(made.operation.read_only);
  EXPECT_EQ(made.operation.action, "cloudtrail:CreateTrail");
  EXPECT_EQ(made.operation.resource, arn("main"));
  EXPECT_EQ(made.outcome.head.headers.get("content-type"), "application/x-amz-json-1.1");
  EXPECT_EQ(delivery_.checked_, (std::vector<std::string>{"logs/pre"}));
  const auto trail = trails_->find("111122223333", "us-east-1", "main").value();
  EXPECT_FALSE(trail.config.logging);
  EXPECT_EQ(trail.config.selectors, std::vector<record::EventSelector>(1));
  EXPECT_EQ(trail.tags, (catalog::Tags{{"Team", "a"}}));
}

TEST_F(CloudTrailTest, CreateTrailRefusesInOrder) {
  create("taken");
  const struct {
    std::string_view input, code, message;
  } cases[] = {
      {R"({"Name":"x","S3BucketName":"B","IsMultiRegionTrail":true,
           "IncludeGlobalServiceEvents":false})",
       "InvalidParameterCombinationException",
       "Multi-Region trail must include global service events."},
      {R"({"Name":"x","S3BucketName":"B"})", "InvalidTrailNameException", "Trail name too short."},
      {R"({"Name":"main","S3BucketName":"B"})", "InvalidS3BucketNameException", ""},
      {R"({"Name":"main","S3BucketName":"logs","S3KeyPrefix":"/a"})", "InvalidS3PrefixException",
       ""},
      {R"({"Name":"main","S3BucketName":"logs","KmsKeyId":"alias/x"})",
       "UnsupportedOperationException", "KMS"},
      {R"({"Name":"main","S3BucketName":"logs","TagsList":[{"Key":"a"},{"Key":"a"}]})",
       "InvalidTagParameterException", ""},
      {R"({"Name":"taken","S3BucketName":"missing"})", "TrailAlreadyExistsException",
       "Trail taken already exists for customer: 111122223333"},
      {R"({"Name":"main","S3BucketName":"missing"})", "S3BucketDoesNotExistException",
       "S3 bucket missing does not exist!"},
      {R"({"Name":"main","S3BucketName":"closed"})", "InsufficientS3BucketPolicyException",
       "Incorrect S3 bucket policy is detected for bucket: closed"},
      {R"({"Name":"main"})", "ValidationException", "'s3BucketName'"},
      {R"({"Name":1,"S3BucketName":"logs"})", "SerializationException", "NUMBER_VALUE"},
      {R"({"Name")", "SerializationException", "byte"},
  };
  for (const auto& item : cases) {
    SCOPED_TRACE(item.input);
    const auto refused = call("CreateTrail", std::string(item.input));
    EXPECT_EQ(refused.error_code, item.code);
    EXPECT_NE(refused.message.find(item.message), std::string::npos) << refused.message;
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(refused.outcome.head.headers.get("x-amzn-errortype"), item.code);
    EXPECT_TRUE(refused.outcome.response_elements.is_null());
  }
  const auto unavailable = call("CreateTrail", R"({"Name":"main","S3BucketName":"slow"})");
  EXPECT_EQ(unavailable.error_code, "ServiceUnavailable");
  EXPECT_EQ(unavailable.status, 503);
  EXPECT_EQ(trails_->trails("111122223333").size(), 1U);
}

TEST_F(CloudTrailTest, ASixthTrailIsRefused) {
  for (int i = 1; i <= 5; ++i) {
    create("trail" + std::to_string(i));
  }
  const auto sixth = call("CreateTrail", R"({"Name":"trail6","S3BucketName":"logs"})");
  EXPECT_EQ(sixth.error_code, "MaximumNumberOfTrailsExceededException");
  EXPECT_EQ(sixth.message, "User: 111122223333 already has 5 trails in us-east-1.");
  create("trail6", "", "us-west-2");
}

TEST_F(CloudTrailTest, ChangesAreInForceFromTheRightRecord) {
  create("main");                                               // record 100
  call("StartLogging", R"({"Name":"main"})");                   // 101
  call("StartLogging", R"({"Name":"main"})");                   // 102: changes nothing
  call("UpdateTrail", R"({"Name":"main","S3KeyPrefix":"p"})");  // 103
  call("UpdateTrail", R"({"Name":"main","S3KeyPrefix":"p"})");  // 104: changes nothing
  call("PutEventSelectors",                                     // 105
       R"({"TrailName":"main","EventSelectors":[{"ReadWriteType":"WriteOnly"}]})");
  call("StopLogging", R"({"Name":"main"})");                       // 106
  call("StopLogging", R"({"Name":"main"})");                       // 107: changes nothing
  const auto removed = call("DeleteTrail", R"({"Name":"main"})");  // 108
  EXPECT_EQ(removed.outcome.body, "{}");
  EXPECT_TRUE(removed.outcome.response_elements.is_null());
  std::vector<std::uint64_t> places;
  std::vector<bool> logging;
  for (const auto& version : versions("main").versions) {
    places.push_back(version.effective_from.value());
    logging.push_back(version.config.logging);
  }
  EXPECT_EQ(places, (std::vector<std::uint64_t>{100, 101, 104, 106, 107, 109}));
  EXPECT_EQ(logging, (std::vector<bool>{false, true, true, true, false, false}));
  EXPECT_EQ(call("DeleteTrail", R"({"Name":"main"})").error_code, "TrailNotFoundException");
}

TEST_F(CloudTrailTest, AChangeWhoseRecordHasNoPlaceYetIsPending) {
  create("main");
  std::int64_t version = 0;
  catalog::Trail other = trails_->find("111122223333", "us-east-1", "main").value();
  other.name = "other";
  ASSERT_TRUE(trails_->create(other, clock_.now(), version).has_value());
  EXPECT_FALSE(versions("other").versions.at(0).effective_from.has_value());
  EXPECT_TRUE(versions("main").versions.at(0).effective_from.has_value());
}

TEST_F(CloudTrailTest, StatusShowsTimesAsBothKindsOfMember) {
  create("main");
  constexpr auto kFresh =
      R"({"IsLogging":false,"LatestDeliveryAttemptTime":"","LatestNotificationAttemptTime":"",)"
      R"("LatestNotificationAttemptSucceeded":"","LatestDeliveryAttemptSucceeded":"",)"
      R"("TimeLoggingStarted":"","TimeLoggingStopped":""})";
  EXPECT_EQ(call("GetTrailStatus", R"({"Name":"main"})").outcome.body, kFresh);
  call("StartLogging", R"({"Name":"main"})");
  const Timestamp started = clock_.now();
  clock_.advance(std::chrono::milliseconds{1500});
  call("StartLogging", R"({"Name":"main"})");  // does not move the time of the first
  call("StopLogging", R"({"Name":"main"})");
  delivery_.status_ = {clock_.now(), started, "NoSuchBucket", started, "AccessDenied"};
  const auto status = call("GetTrailStatus", R"({"Name":"main"})");
  EXPECT_EQ(status.outcome.body,
            R"({"IsLogging":false,"LatestDeliveryError":"NoSuchBucket",)"
            R"("LatestDeliveryTime":1795000000,"StartLoggingTime":1795000000,)"
            R"("StopLoggingTime":1795000001.500,"LatestDigestDeliveryTime":1795000000,)"
            R"("LatestDigestDeliveryError":"AccessDenied",)"
            R"("LatestDeliveryAttemptTime":")" +
                to_iso_seconds(clock_.now()) +
                R"(","LatestNotificationAttemptTime":"","LatestNotificationAttemptSucceeded":"",)"
                R"("LatestDeliveryAttemptSucceeded":")" +
                to_iso_seconds(started) + R"(","TimeLoggingStarted":")" + to_iso_seconds(started) +
                R"(","TimeLoggingStopped":")" + to_iso_seconds(clock_.now()) + R"("})");
  EXPECT_TRUE(status.operation.read_only);
  EXPECT_TRUE(status.outcome.response_elements.is_null());
}

TEST_F(CloudTrailTest, UpdateTrailChangesOnlyWhatIsSent) {
  create("main", R"(,"S3KeyPrefix":"pre","EnableLogFileValidation":true)");
  delivery_.checked_.clear();
  const auto updated =
      call("UpdateTrail", R"({"Name":")" + arn("main") + R"(","IsMultiRegionTrail":true})");
  EXPECT_EQ(updated.error_code, "");
  EXPECT_TRUE(delivery_.checked_.empty());
  EXPECT_EQ(updated.body.at("S3KeyPrefix").as_string(), "pre");
  EXPECT_TRUE(updated.body.at("IsMultiRegionTrail").as_bool());
  EXPECT_TRUE(updated.body.at("LogFileValidationEnabled").as_bool());
  const auto cleared = call("UpdateTrail", R"({"Name":"main","S3KeyPrefix":""})");
  EXPECT_FALSE(cleared.body.as_object().contains("S3KeyPrefix"));
  EXPECT_EQ(delivery_.checked_, (std::vector<std::string>{"logs/"}));
  EXPECT_EQ(call("UpdateTrail", R"({"Name":"main","IncludeGlobalServiceEvents":false})").error_code,
            "InvalidParameterCombinationException");
  EXPECT_EQ(call("UpdateTrail", R"({"Name":"main","S3BucketName":"missing"})").error_code,
            "S3BucketDoesNotExistException");
  EXPECT_EQ(call("UpdateTrail", R"({"Name":"nobody"})").error_code, "TrailNotFoundException");
}

TEST_F(CloudTrailTest, ATrailCannotBecomeMultiRegionOverAnotherOfItsName) {
  create("main");
  create("main", "", "us-west-2");
  EXPECT_EQ(call("UpdateTrail", R"({"Name":"main","IsMultiRegionTrail":true})").error_code,
            "TrailAlreadyExistsException");
}

TEST_F(CloudTrailTest, UnknownTrailsAreNamedAsAwsNamesThem) {
  const std::string by_arn = "Unknown trail: " + arn("nobody") + " for the user: 111122223333";
  EXPECT_EQ(call("GetTrail", R"({"Name":"nobody"})").message,
            "Unknown trail: nobody for the user: 111122223333");
  for (const auto* operation : {"GetTrailStatus", "StartLogging", "StopLogging", "DeleteTrail"}) {
    EXPECT_EQ(call(operation, R"({"Name":"nobody"})").message, by_arn) << operation;
  }
  EXPECT_EQ(call("GetEventSelectors", R"({"TrailName":"nobody"})").message, by_arn);
}

TEST_F(CloudTrailTest, ShadowsAreSeenElsewhereButChangedAtHomeOnly) {
  create("multi", R"(,"IsMultiRegionTrail":true)");
  create("single");
  const std::string here = "us-west-2";
  const auto name_of = [](const std::string& name) { return R"({"Name":")" + name + R"("})"; };
  const auto multi = call("GetTrail", name_of(arn("multi")), here);
  EXPECT_EQ(multi.body.at("Trail").at("HomeRegion").as_string(), "us-east-1");
  EXPECT_EQ(call("GetTrail", name_of("multi"), here).error_code, "");
  EXPECT_EQ(call("GetTrailStatus", name_of(arn("multi")), here).error_code, "");
  EXPECT_EQ(call("GetTrailStatus", name_of("multi"), here).message,
            "Unknown trail: " + arn("multi", here) + " for the user: 111122223333");
  EXPECT_EQ(call("GetTrail", name_of("single"), here).error_code, "TrailNotFoundException");
  const auto wrong = call("GetTrail", name_of(arn("single")), here);
  EXPECT_EQ(wrong.error_code, "CloudTrailARNInvalidException");
  EXPECT_EQ(wrong.message,
            "Region in ARN is wrong, you can only access resources in region us-west-2.");
  for (const auto* operation : {"StartLogging", "StopLogging", "DeleteTrail", "UpdateTrail"}) {
    SCOPED_TRACE(operation);
    EXPECT_EQ(call(operation, name_of("multi"), here).error_code, "InvalidHomeRegionException");
    EXPECT_EQ(call(operation, name_of(arn("multi")), here).error_code,
              "InvalidHomeRegionException");
    EXPECT_EQ(call(operation, name_of("single"), here).error_code, "TrailNotFoundException");
    EXPECT_EQ(call(operation, name_of(arn("single")), here).error_code,
              "CloudTrailARNInvalidException");
  }
  const auto foreign =
      call("GetTrail", name_of("arn:aws:cloudtrail:us-east-1:999999999999:trail/multi"));
  EXPECT_EQ(foreign.error_code, "CloudTrailARNInvalidException");
  EXPECT_EQ(foreign.message,
            "AccountID in ARN is wrong, you can only access resources with AccountID "
            "111122223333.");
}

TEST_F(CloudTrailTest, DescribeAndListTrails) {
  create("multi", R"(,"IsMultiRegionTrail":true)");
  create("single");
  create("west", "", "us-west-2");
  const auto names = [&](const std::string& input, const std::string& region) {
    std::string joined;
    for (const auto& trail :
         call("DescribeTrails", input, region).body.at("trailList").as_array()) {
      joined += std::string(trail.at("Name").as_string()) + " ";
    }
    return joined;
  };
  EXPECT_EQ(names("{}", "us-east-1"), "multi single ");
  EXPECT_EQ(names("", "us-west-2"), "multi west ");
  EXPECT_EQ(names(R"({"includeShadowTrails":false})", "us-west-2"), "west ");
  EXPECT_EQ(names(R"({"trailNameList":["west","multi","nobody","west"]})", "us-west-2"), "west ");
  const std::string by_arn = R"({"trailNameList":[")" + arn("multi") + R"(","west"])";
  EXPECT_EQ(names(by_arn + "}", "us-west-2"), "multi west ");
  EXPECT_EQ(names(by_arn + R"(,"includeShadowTrails":false})", "us-west-2"), "west ");
  EXPECT_EQ(call("DescribeTrails", R"({"trailNameList":["a"]})").error_code,
            "InvalidTrailNameException");
  EXPECT_EQ(call("DescribeTrails", R"({"trailNameList":["arn:x"]})").error_code,
            "CloudTrailARNInvalidException");
  EXPECT_EQ(to_text(call("DescribeTrails", R"({"trailNameList":["west"]})", "us-west-2").body),
            R"({"trailList":[{"Name":"west","S3BucketName":"logs",)"
            R"("IncludeGlobalServiceEvents":true,"IsMultiRegionTrail":false,)"
            R"("HomeRegion":"us-west-2",)"
            R"("TrailARN":"arn:aws:cloudtrail:us-west-2:111122223333:trail/west",)"
            R"("LogFileValidationEnabled":false,"HasCustomEventSelectors":false,)"
            R"("HasInsightSelectors":false,"IsOrganizationTrail":false}]})");
  const auto listed = call("ListTrails", "", "eu-west-1");
  ASSERT_EQ(listed.body.at("Trails").as_array().size(), 3U);
  EXPECT_EQ(to_text(listed.body.at("Trails").at(2)),
            R"({"TrailARN":"arn:aws:cloudtrail:us-west-2:111122223333:trail/west","Name":"west",)"
            R"("HomeRegion":"us-west-2"})");
}

TEST_F(CloudTrailTest, UnknownAndUnofferedOperationsAreToldApart) {
  const auto unknown = call("MakeTea", "{}");
  EXPECT_EQ(unknown.error_code, "UnknownOperationException");
  EXPECT_EQ(unknown.operation.event_name, "MakeTea");
  const auto bad = call("Make tea", "{}");
  EXPECT_EQ(bad.error_code, "UnknownOperationException");
  EXPECT_EQ(bad.operation.event_name, "Unknown");
  const auto known = call("CreateEventDataStore", R"({"Name":"store","MultiRegionEnabled":true})");
  EXPECT_EQ(known.error_code, "UnsupportedOperationException");
  EXPECT_EQ(known.operation.event_name, "CreateEventDataStore");
  EXPECT_FALSE(known.operation.error.has_value());  // authorised first, then refused
  EXPECT_EQ(to_text(known.operation.request_parameters),
            R"({"name":"store","multiRegionEnabled":true})");
}

TEST(CloudTrailOperations, AreAllOfAwssModel) {
  constexpr std::size_t kOperations = 60;
  std::set<std::string_view> names;
  std::size_t offered = 0;
  for (const auto& operation : cloudtrail_operations()) {
    names.insert(operation.name);
    offered += operation.run != nullptr ? 1U : 0U;
  }
  EXPECT_EQ(names.size(), kOperations);
  EXPECT_EQ(cloudtrail_operations().size(), kOperations);
  EXPECT_EQ(offered, 16U);
  EXPECT_EQ(find_cloudtrail_operation("createtrail"), nullptr);
  EXPECT_TRUE(find_cloudtrail_operation("LookupEvents")->read_only);
  EXPECT_FALSE(find_cloudtrail_operation("StartQuery")->read_only);
}

}  // namespace
}  // namespace opentrail::services::cloudtrail
