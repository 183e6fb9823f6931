// Goal: the policy that AWS documents for CloudTrail lets the trail in and nobody else; Deny wins;
// what is not a policy is refused with S3's code, never half understood. Method: one document, one
// edit a case.
#include "objects/bucket_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::objects {
namespace {

using testing::HasSubstr;

// CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail".
constexpr std::string_view kTrailPolicy = R"({
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "AWSCloudTrailAclCheck20150319",
      "Effect": "Allow",
      "Principal": {"Service": "cloudtrail.amazonaws.com"},
      "Action": "s3:GetBucketAcl",
      "Resource": "arn:aws:s3:::logs",
      "Condition": {"StringEquals": {
        "aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"}}
    },
    {
      "Sid": "AWSCloudTrailWrite20150319",
      "Effect": "Allow",
      "Principal": {"Service": ["cloudtrail.amazonaws.com"]},
      "Action": "s3:PutObject",
      "Resource": "arn:aws:s3:::logs/audit/AWSLogs/111122223333/*",
      "Condition": {"StringEquals": {
        "s3:x-amz-acl": "bucket-owner-full-control",
        "aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"}}
    }
  ]
})";

PolicyRequest write_request() {
  return {.principal = {.service = "cloudtrail.amazonaws.com", .arn = {}, .account_id = {}},
          .action = "s3:PutObject",
          .resource = "arn:aws:s3:::logs/audit/AWSLogs/111122223333/CloudTrail/x.json.gz",
          .context = {{"aws:sourcearn", "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"},
                      {"aws:sourceaccount", "111122223333"},
                      {"s3:x-amz-acl", "bucket-owner-full-control"}}};
}

PolicyDecision decide(std::string_view policy, const PolicyRequest& request) {
  const auto parsed = BucketPolicy::parse(policy, "logs");
  EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message());
  return parsed ? parsed->evaluate(request) : PolicyDecision::None;
}

PolicyRequest user_request(std::string action, std::string resource) {
  PolicyRequest request;
  request.principal.arn = "arn:aws:iam::111122223333:user/ann";
  request.principal.account_id = "111122223333";
  request.action = std::move(action);
  request.resource = std::move(resource);
  return request;
}

std::string statement(std::string_view members) {
  return R"({"Version":"2012-10-17","Statement":[{)" + std::string(members) + "}]}";
}

std::string allow_get_if(std::string_view condition) {
  return statement(R"("Effect":"Allow","Principal":"*","Action":"s3:GetObject",)"
                   R"("Resource":"arn:aws:s3:::logs/*","Condition":)" +
                   std::string(condition));
}

TEST(BucketPolicy, LetsTheTrailIn) {
  EXPECT_EQ(decide(kTrailPolicy, write_request()), PolicyDecision::Allow);
  PolicyRequest acl = write_request();
  acl.action = "s3:GetBucketAcl";
  acl.resource = "arn:aws:s3:::logs";
  acl.context.erase("s3:x-amz-acl");
  EXPECT_EQ(decide(kTrailPolicy, acl), PolicyDecision::Allow);
}

TEST(BucketPolicy, KeepsEverybodyElseOut) {
  const auto with = [](auto edit) {
    PolicyRequest request = write_request();
    edit(request);
    return decide(kTrailPolicy, request);
  };
  const auto none = PolicyDecision::None;
  EXPECT_EQ(with([](auto& r) { r.context["aws:sourcearn"] += "2"; }), none);
  EXPECT_EQ(with([](auto& r) { r.context.erase("aws:sourcearn"); }), none);
  EXPECT_EQ(with([](auto& r) { r.context["s3:x-amz-acl"] = "private"; }), none);
  EXPECT_EQ(with([](auto& r) { r.context.erase("s3:x-amz-acl"); }), none);
  EXPECT_EQ(with([](auto& r) { r.principal.service = "config.amazonaws.com"; }), none);
  EXPECT_EQ(with([](auto& r) { r.action = "s3:DeleteObject"; }), none);
  EXPECT_EQ(with([](auto& r) { r.resource = "arn:aws:s3:::logs/AWSLogs/111122223333/x"; }), none);
  EXPECT_EQ(with([](auto& r) { r.resource = "arn:aws:s3:::logs/audit/AWSLogs/999/x"; }), none);
  EXPECT_EQ(with([](auto& r) { r.resource = "arn:aws:s3:::logs"; }), none);
  EXPECT_EQ(with([](auto& r) {
              r.principal = {.service = {},
                             .arn = "arn:aws:iam::111122223333:root",
                             .account_id = "111122223333"};
            }),
            none);
}

TEST(BucketPolicy, DenyWinsWhereverItStands) {
  const std::string allow = R"({"Effect":"Allow","Principal":"*","Action":"s3:*",)"
                            R"("Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]})";
  const std::string deny = R"({"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:put*",)"
                           R"("Resource":"arn:aws:s3:::logs/locked/*"})";
  for (const std::string& both : {allow + "," + deny, deny + "," + allow}) {
    const std::string policy = R"({"Version":"2012-10-17","Statement":[)" + both + "]}";
    EXPECT_EQ(decide(policy, user_request("s3:PutObject", "arn:aws:s3:::logs/locked/a")),
              PolicyDecision::Deny);
    EXPECT_EQ(decide(policy, user_request("s3:PutObject", "arn:aws:s3:::logs/open/a")),
              PolicyDecision::Allow);
    EXPECT_EQ(decide(policy, user_request("s3:GetObject", "arn:aws:s3:::logs/locked/a")),
              PolicyDecision::Allow);
  }
}

TEST(BucketPolicy, TheUsualTlsAndEncryptionDeniesLetServicesPass) {
  const std::string policy = statement(
      R"("Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs/*",)"
      R"("Condition":{"Bool":{"aws:SecureTransport":"false"}})");
  PolicyRequest request = write_request();
  EXPECT_EQ(decide(policy, request), PolicyDecision::None);
  request.context["aws:securetransport"] = "true";
  EXPECT_EQ(decide(policy, request), PolicyDecision::None);
  request.context["aws:securetransport"] = "false";
  EXPECT_EQ(decide(policy, request), PolicyDecision::Deny);
}

TEST(BucketPolicy, PrincipalsInAllTheirForms) {
  struct Case {
    std::string_view principal;
    bool allows;
  };
  constexpr Case kCases[] = {
      {R"("*")", true},
      {R"({"AWS":"*"})", true},
      {R"({"AWS":"111122223333"})", true},
      {R"({"AWS":"arn:aws:iam::111122223333:root"})", true},
      {R"({"AWS":["444455556666","arn:aws:iam::111122223333:user/ann"]})", true},
      {R"({"AWS":"arn:aws:iam::111122223333:user/bob"})", false},
      {R"({"AWS":"444455556666"})", false},
      {R"({"Service":"cloudtrail.amazonaws.com"})", false},
  };
  for (const Case& one : kCases) {
    const std::string policy =
        statement(R"("Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::logs/*",)"
                  R"("Principal":)" +
                  std::string(one.principal));
    EXPECT_EQ(decide(policy, user_request("s3:GetObject", "arn:aws:s3:::logs/a")),
              one.allows ? PolicyDecision::Allow : PolicyDecision::None)
        << one.principal;
  }
}

TEST(BucketPolicy, TheNotForms) {
  const std::string policy =
      statement(R"("Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/ann"},)"
                R"("NotAction":"s3:GetObject","NotResource":"arn:aws:s3:::logs/free/*")");
  PolicyRequest bob = user_request("s3:PutObject", "arn:aws:s3:::logs/a");
  EXPECT_EQ(decide(policy, bob), PolicyDecision::None);  // it is Ann
  bob.principal.arn = "arn:aws:iam::111122223333:user/bob";
  EXPECT_EQ(decide(policy, bob), PolicyDecision::Deny);
  bob.action = "s3:GetObject";
  EXPECT_EQ(decide(policy, bob), PolicyDecision::None);
  bob.action = "s3:PutObject";
  bob.resource = "arn:aws:s3:::logs/free/a";
  EXPECT_EQ(decide(policy, bob), PolicyDecision::None);
}

TEST(BucketPolicy, ConditionOperators) {
  struct Case {
    std::string_view condition;
    std::map<std::string, std::string> context;
    bool holds;
  };
  const Case cases[] = {
      {R"({"StringEquals":{"a:k":"x"}})", {{"a:k", "x"}}, true},
      {R"({"StringEquals":{"A:K":["y","x"]}})", {{"a:k", "x"}}, true},
      {R"({"StringEquals":{"a:k":"x*"}})", {{"a:k", "xy"}}, false},
      {R"({"StringNotEquals":{"a:k":"x"}})", {{"a:k", "y"}}, true},
      {R"({"StringNotEquals":{"a:k":["x","y"]}})", {{"a:k", "y"}}, false},
      {R"({"StringNotEquals":{"a:k":"x"}})", {}, true},
      {R"({"StringEqualsIgnoreCase":{"a:k":"X"}})", {{"a:k", "x"}}, true},
      {R"({"StringLike":{"a:k":"x*z"}})", {{"a:k", "xyz"}}, true},
      {R"({"StringNotLike":{"a:k":"x*"}})", {{"a:k", "xyz"}}, false},
      {R"({"StringEqualsIfExists":{"a:k":"x"}})", {}, true},
      {R"({"StringEqualsIfExists":{"a:k":"x"}})", {{"a:k", "y"}}, false},
      {R"({"ArnLike":{"a:k":"arn:aws:cloudtrail:*:1:trail/*"}})",
       {{"a:k", "arn:aws:cloudtrail:us-east-1:1:trail/t"}},
       true},
      {R"({"ArnLike":{"a:k":"arn:aws:*"}})", {{"a:k", "arn:aws:s3:::b"}}, false},
      {R"({"ArnLike":{"a:k":"arn:aws:cloudtrail:*:trail/*"}})",
       {{"a:k", "arn:aws:cloudtrail:us-east-1:1:trail/t"}},
       false},
      {R"({"ArnNotEquals":{"a:k":"arn:aws:s3:::b"}})", {{"a:k", "arn:aws:s3:::c"}}, true},
      {R"({"Bool":{"a:k":true}})", {{"a:k", "true"}}, true},
      {R"({"Bool":{"a:k":"true"}})", {}, false},
      {R"({"Null":{"a:k":"true"}})", {}, true},
      {R"({"Null":{"a:k":"false"}})", {}, false},
      {R"({"ForAllValues:StringEquals":{"a:k":"x"}})", {}, true},
      {R"({"ForAnyValue:StringEquals":{"a:k":"x"}})", {}, false},
      {R"({"ForAnyValue:StringEquals":{"a:k":"x"}})", {{"a:k", "x"}}, true},
      {R"({"StringEquals":{"a:k":"x","a:m":"y"}})", {{"a:k", "x"}}, false},
      {R"({"StringEquals":{"a:k":"x"},"Null":{"a:m":"true"}})", {{"a:k", "x"}}, true},
  };
  for (const Case& one : cases) {
    PolicyRequest request = user_request("s3:GetObject", "arn:aws:s3:::logs/a");
    request.context = one.context;
    EXPECT_EQ(decide(allow_get_if(one.condition), request),
              one.holds ? PolicyDecision::Allow : PolicyDecision::None)
        << one.condition;
  }
}

TEST(BucketPolicy, RefusesWhatIsNotAPolicyOfTheBucket) {
  const std::string good = std::string(kTrailPolicy);
  const auto edit = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  struct Case {
    std::string text;
    std::string_view message;
  };
  const Case cases[] = {
      {"", "valid JSON"},
      {"[]", "valid JSON"},
      {"{", "valid JSON"},
      {"{}", "Missing required field Statement"},
      {R"({"Version":"2012-10-17","Statement":[]})", "Missing required field Statement"},
      {R"({"Version":"2012-10-17","Statement":["x"]})", "Statement is not valid"},
      {edit("2012-10-17", "2013-10-17"), "version"},
      {edit(R"("Version": "2012-10-17")", R"("Version": 1)"), "version"},
      {edit("\"Version\"", "\"version\""), "Unknown field version"},
      {edit("\"Sid\"", "\"sid\""), "Unknown field sid"},
      {edit("Allow", "allow"), "Invalid effect: allow"},
      {edit(R"("Effect": "Allow",)", ""), "Missing required field Effect"},
      {edit("s3:GetBucketAcl", "ec2:RunInstances"), "invalid action"},
      {edit(R"("s3:GetBucketAcl")", "[]"), "invalid action"},
      {edit(R"("s3:GetBucketAcl")", "7"), "invalid action"},
      {edit("\"Action\"", "\"NotAction\":\"s3:*\",\"Action\""), "both Action and NotAction"},
      {edit("\"arn:aws:s3:::logs\"", "\"arn:aws:s3:::other\""), "invalid resource"},
      {edit("\"arn:aws:s3:::logs\"", "\"*\""), "invalid resource"},
      {edit("arn:aws:s3:::logs/audit", "arn:aws:s3:::logsx/audit"), "invalid resource"},
      {edit("logs/audit", "logs/${aws:username}"), "variables"},
      {edit("{\"Service\": \"cloudtrail", "{\"Service\": \"*"), "Invalid principal"},
      {edit("\"Service\"", "\"Federated\""), "Invalid principal"},
      {edit(R"({"Service": "cloudtrail.amazonaws.com"})", R"("me")"), "Invalid principal"},
      {edit(R"({"Service": "cloudtrail.amazonaws.com"})", R"({"AWS":"12"})"), "Invalid principal"},
      {edit("StringEquals", "StringEqual"), "Invalid Condition type : StringEqual"},
      {edit("StringEquals", "IpAddress"), "Invalid Condition type : IpAddress"},
      {edit("aws:SourceArn", "SourceArn"), "condition key"},
      {edit("\"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main\"", "{}"), "condition value"},
      {edit("\"Principal\"", "\"NotPrincipal\""), "NotPrincipal"},
      {good + std::string(kPolicyBytesMax, ' '), "at most"},
      {edit("{\"Service\"", std::string(64, '[') + "\"Service\""), "valid JSON"},
  };
  for (const Case& one : cases) {
    const auto parsed = BucketPolicy::parse(one.text, "logs");
    ASSERT_FALSE(parsed.has_value()) << one.text;
    EXPECT_EQ(parsed.error().reason(), "MalformedPolicy") << one.text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::InvalidArgument);
    EXPECT_THAT(parsed.error().message(), HasSubstr(std::string(one.message))) << one.text;
  }
}

TEST(BucketPolicy, KnowsWhatIsPublic) {
  const auto is_public = [](std::string_view text) {
    return BucketPolicy::parse(text, "logs").value().is_public();
  };
  EXPECT_FALSE(is_public(kTrailPolicy));
  EXPECT_TRUE(is_public(allow_get_if(R"({"Bool":{"aws:SecureTransport":"true"}})")));
  EXPECT_FALSE(is_public(allow_get_if(R"({"StringEquals":{"aws:SourceAccount":"1"}})")));
  EXPECT_TRUE(is_public(allow_get_if(R"({"StringLike":{"aws:SourceAccount":"*"}})")));
  EXPECT_TRUE(is_public(allow_get_if(R"({"StringNotEquals":{"aws:SourceAccount":"1"}})")));
}

}  // namespace
}  // namespace opentrail::objects
