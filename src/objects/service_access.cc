#include "objects/service_access.h"

#include "objects/bucket_policy.h"
#include "objects/s3_errors.h"

#include <map>

namespace opentrail::objects {
namespace {

std::map<std::string, std::string> context_of(const ServicePrincipal& who,
                                              const ServiceAction& what) {
  std::map<std::string, std::string> context = {
      {"aws:principalisawsservice", "true"}, {"aws:principalservicename", who.service},
      {"aws:principaltype", "AssumedRole"},  {"aws:securetransport", "true"},
      {"aws:viaawsservice", "false"},
  };
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) {
      context.emplace(key, value);
    }
  };
  add("aws:sourcearn", who.source_arn);
  add("aws:sourceaccount", who.source_account);
  add("s3:x-amz-acl", what.canned_acl);
  if (what.action == "s3:PutObject") {
    context.emplace("s3:x-amz-server-side-encryption", "AES256");
  }
  return context;
}

}  // namespace

Result<void> check_service_access(const Bucket& bucket, const ServicePrincipal& who,
                                  const ServiceAction& what) {
  if (bucket.policy_json.empty() || who.service.empty()) {
    return s3_fail("AccessDenied");
  }
  OT_TRY(const auto policy, BucketPolicy::parse(bucket.policy_json, bucket.name));
  std::string resource = "arn:aws:s3:::" + bucket.name;
  if (!what.key.empty()) {
    resource += "/" + what.key;
  }
  const PolicyRequest request{
      .principal = {.service = who.service, .arn = {}, .account_id = {}},
      .action = what.action,
      .resource = std::move(resource),
      .context = context_of(who, what),
  };
  if (policy.evaluate(request) != PolicyDecision::Allow) {
    return s3_fail("AccessDenied");
  }
  return {};
}

}  // namespace opentrail::objects
