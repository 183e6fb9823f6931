// Goal: a policy allows what it names, on the resources it names, and nothing else. Method: a table
// of actions beside what each policy says to them.
#include "iam/managed_policies.h"

#include "iam/iam.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace opentrail::iam {
namespace {

constexpr std::string_view kAdministrator = kKnownPolicies[0];
constexpr std::string_view kFullAccess = kKnownPolicies[1];
constexpr std::string_view kReadOnly = kKnownPolicies[2];
constexpr std::string_view kUnknown = "arn:aws:iam::aws:policy/PowerUserAccess";

TEST(ManagedPolicies, AllowWhatTheyNameAndNothingElse) {
  constexpr std::string_view kLogBucket = "arn:aws:s3:::aws-cloudtrail-logs-1";
  constexpr std::string_view kLogObject = "arn:aws:s3:::aws-cloudtrail-logs-1/AWSLogs/1";
  constexpr struct {
    std::string_view action, resource;
    bool full, read_only;
  } kCases[] = {
      {"cloudtrail:CreateTrail", "arn:aws:cloudtrail:us-east-1:1:trail/t", true, false},
      {"cloudtrail:StopLogging", "arn:aws:cloudtrail:us-east-1:1:trail/t", true, false},
      {"cloudtrail:DescribeTrails", "*", true, true},
      {"cloudtrail:GetTrailStatus", "*", true, true},
      {"cloudtrail:ListTags", "*", true, true},
      {"cloudtrail:LookupEvents", "*", true, true},
      {"CloudTrail:lookupevents", "*", true, true},
      {"cloudtrail:LookupEventsAndMore", "*", true, false},
      {"cloudtrail-data:PutAuditEvents", "*", false, false},
      {"s3:ListAllMyBuckets", "*", true, false},
      {"s3:GetBucketLocation", "arn:aws:s3:::any", true, false},
      {"s3:GetBucketPolicy", "arn:aws:s3:::any", true, false},
      {"s3:CreateBucket", kLogBucket, true, false},
      {"s3:PutBucketPolicy", kLogBucket, true, false},
      {"s3:PutBucketPublicAccessBlock", kLogBucket, true, false},
      {"s3:CreateBucket", "arn:aws:s3:::other", false, false},
      {"s3:CreateBucket", "*", false, false},
      {"s3:GetObject", kLogObject, false, false},
      {"s3:DeleteObject", kLogObject, false, false},
      {"iam:GetUser", "*", true, false},
      {"iam:CreateUser", "*", false, false},
      {"iam:AttachUserPolicy", "*", false, false},
      {"opentrail:Import", "*", false, false},
      {"", "", false, false},
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(fmt::format("{} {}", one.action, one.resource));
    EXPECT_EQ(policy_allows(kFullAccess, one.action, one.resource), one.full);
    EXPECT_EQ(policy_allows(kReadOnly, one.action, one.resource), one.read_only);
    EXPECT_TRUE(policy_allows(kAdministrator, one.action, one.resource));
    EXPECT_FALSE(policy_allows(kUnknown, one.action, one.resource));
  }
}

TEST(ManagedPolicies, AreKnownByTheirExactArn) {
  for (const auto arn : kKnownPolicies) {
    EXPECT_TRUE(is_known_policy(arn));
  }
  EXPECT_FALSE(is_known_policy(kUnknown));
  EXPECT_FALSE(is_known_policy("arn:aws:iam::aws:policy/administratoraccess"));
  EXPECT_FALSE(is_known_policy(""));
}

}  // namespace
}  // namespace opentrail::iam
