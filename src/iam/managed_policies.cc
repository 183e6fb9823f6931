#include "iam/managed_policies.h"

#include "base/text.h"
#include "iam/iam.h"

#include <algorithm>
#include <span>

namespace opentrail::iam {
namespace {

/// One allowed action: both are patterns; the action is in lower case.
struct Allow {
  std::string_view action;
  std::string_view resource = "*";
};

constexpr std::string_view kLogBuckets = "arn:aws:s3:::aws-cloudtrail-logs*";
constexpr std::string_view kLogTopics = "arn:aws:sns:*:*:aws-cloudtrail-logs*";
constexpr std::string_view kLogGroups = "arn:aws:logs:*:*:log-group:aws-cloudtrail-logs*";

constexpr Allow kAdministrator[] = {{"*"}};

// Whoever may look events up may search and count them: the same history, asked otherwise. AWS has
// no such actions.
// iam:PassRole stands there under a condition on the service it is passed to; conditions are not
// known here, so it is left out.
constexpr Allow kCloudTrailFull[] = {
    {"cloudtrail:*"},
    {"opentrail:searchevents"},
    {"opentrail:countevents"},
    {"sns:addpermission", kLogTopics},
    {"sns:createtopic", kLogTopics},
    {"sns:settopicattributes", kLogTopics},
    {"sns:gettopicattributes", kLogTopics},
    {"sns:listtopics"},
    {"s3:createbucket", kLogBuckets},
    {"s3:putbucketpolicy", kLogBuckets},
    {"s3:putbucketpublicaccessblock", kLogBuckets},
    {"s3:listallmybuckets"},
    {"s3:getbucketlocation"},
    {"s3:getbucketpolicy"},
    {"logs:createloggroup", kLogGroups},
    {"iam:listroles"},
    {"iam:getrolepolicy"},
    {"iam:getuser"},
    {"kms:createkey"},
    {"kms:createalias"},
    {"kms:listkeys"},
    {"kms:listaliases"},
    {"lambda:listfunctions"},
    {"dynamodb:listglobaltables"},
    {"dynamodb:listtables"},
};

constexpr Allow kCloudTrailReadOnly[] = {{"cloudtrail:get*"},        {"cloudtrail:describe*"},
                                         {"cloudtrail:list*"},       {"cloudtrail:lookupevents"},
                                         {"opentrail:searchevents"}, {"opentrail:countevents"}};

struct Policy {
  std::string_view arn;
  std::span<const Allow> allows;
};

/// In the order of kKnownPolicies.
constexpr Policy kPolicies[] = {
    {kKnownPolicies[0], kAdministrator},
    {kKnownPolicies[1], kCloudTrailFull},
    {kKnownPolicies[2], kCloudTrailReadOnly},
};
static_assert(std::size(kPolicies) == std::size(kKnownPolicies));

}  // namespace

bool is_known_policy(std::string_view policy_arn) {
  return std::ranges::find(kPolicies, policy_arn, &Policy::arn) != std::end(kPolicies);
}

bool policy_allows(std::string_view policy_arn, std::string_view action,
                   std::string_view resource) {
  const auto* policy = std::ranges::find(kPolicies, policy_arn, &Policy::arn);
  if (policy == std::end(kPolicies)) {
    return false;
  }
  const std::string lower = to_lower(action);
  return std::ranges::any_of(policy->allows, [&](const Allow& allow) {
    return glob_match(allow.action, lower) && glob_match(allow.resource, resource);
  });
}

}  // namespace opentrail::iam
