#include "base/text.h"
#include "objects/bucket_policy.h"
#include "services/s3/operations.h"
#include "services/s3/s3_status.h"

#include <algorithm>

/// Who may enter a bucket, beyond what IAM has decided in the pipeline.
namespace opentrail::services::s3 {
namespace {

/// The condition keys that a policy may ask for. Source: Service Authorization Reference, "Actions,
/// resources, and condition keys for Amazon S3".
std::map<std::string, std::string> policy_context(const S3Call& call) {
  const net::RequestHead& head = call.call.exchange.request();
  const iam::Caller& caller = call.call.caller;
  std::map<std::string, std::string> context = {
      {"aws:securetransport", head.tls ? "true" : "false"},
      {"aws:sourceip", head.peer_address},
      {"aws:principalarn", caller.arn},
      {"aws:principalaccount", caller.account_id},
      {"aws:principaltype", caller.root ? "Account" : "User"},
      {"aws:principalisawsservice", "false"},
      {"aws:userid", caller.principal_id},
      {"aws:viaawsservice", "false"},
      {"aws:requestedregion", call.call.region},
      {"aws:resourceaccount", call.bucket.owner_account_id},
      {"s3:resourceaccount", call.bucket.owner_account_id},
      {"s3:signatureversion", "AWS4-HMAC-SHA256"},
      {"s3:authtype", call.call.claim.presigned ? "REST-QUERY-STRING" : "REST-HEADER"},
  };
  if (!caller.user_name.empty()) {
    context["aws:username"] = caller.user_name;
  }
  if (const auto user_agent = head.headers.find("user-agent")) {
    context["aws:useragent"] = *user_agent;
  }
  if (const auto referer = head.headers.find("referer")) {
    context["aws:referer"] = *referer;
  }
  for (const auto& [name, value] : head.headers.fields()) {
    if (const std::string lower = to_lower(name); lower.starts_with("x-amz-")) {
      context.emplace("s3:" + lower, value);
    }
  }
  for (const std::string_view name : {"prefix", "delimiter", "max-keys"}) {
    if (call.request.has(name)) {
      context["s3:" + std::string(name)] = call.request.get(name);
    }
  }
  return context;
}

/// A stored policy that no longer parses denies: it cannot be known what it was to forbid.
bool policy_denies(const S3Call& call, const objects::Bucket& bucket, std::string_view action,
                   std::string_view resource) {
  if (bucket.policy_json.empty()) {
    return false;
  }
  const auto policy = objects::BucketPolicy::parse(bucket.policy_json, bucket.name);
  if (!policy) {
    return true;
  }
  objects::PolicyRequest request;
  request.principal = {{}, call.call.caller.arn, call.call.caller.account_id};
  request.action = action;
  request.resource = resource;
  request.context = policy_context(call);
  return policy->evaluate(request) == objects::PolicyDecision::Deny;
}

/// The owner's root user can always take back a policy that locks everybody out.
bool is_way_out(const S3Call& call) {
  const std::string& name = call.operation.name;
  return call.call.caller.root &&
         (name == "GetBucketPolicy" || name == "PutBucketPolicy" || name == "DeleteBucketPolicy");
}

std::string object_arn(std::string_view bucket, std::string_view key) {
  return "arn:aws:s3:::" + std::string(bucket) + "/" + std::string(key);
}

/// The record of a call on another account's bucket does not tell whose it is (spec records §1.7).
void hide_owner(S3Call& call) {
  call.resources = call.operation.resources;
  for (record::ResourceItem& item : call.resources) {
    if (!item.account_id.empty()) {
      item.account_id = record::kHiddenForSecurity;
    }
  }
}

}  // namespace

Result<void> enter(S3Call& call) {
  OT_TRY(call.bucket, call.store.bucket(call.request.bucket));
  if (call.bucket.owner_account_id != call.call.account_id) {
    hide_owner(call);
    return refuse("AccessDenied");
  }
  const std::string_view expected = call.request.header("x-amz-expected-bucket-owner");
  if (!expected.empty() && expected != call.bucket.owner_account_id) {
    return refuse("AccessDenied");
  }
  const Operation& operation = call.operation;
  // Each key of DeleteObjects is judged by itself.
  if (operation.name != "DeleteObjects" && !is_way_out(call) &&
      policy_denies(call, call.bucket, operation.action, operation.resource)) {
    return refuse("AccessDenied");
  }
  return {};
}

Result<void> check_source(S3Call& call, const CopySource& source) {
  OT_TRY(const objects::Bucket bucket, call.store.bucket(source.bucket));
  const std::string_view expected = call.request.header("x-amz-source-expected-bucket-owner");
  const std::string resource = object_arn(source.bucket, source.key);
  const bool wrong_owner = bucket.owner_account_id != call.call.account_id ||
                           (!expected.empty() && expected != bucket.owner_account_id);
  if (wrong_owner || !call.options.is_allowed(call.call.caller, "s3:GetObject", resource) ||
      policy_denies(call, bucket, "s3:GetObject", resource)) {
    return refuse("AccessDenied");
  }
  return {};
}

bool may_touch(const S3Call& call, std::string_view action, std::string_view key) {
  const std::string resource = object_arn(call.bucket.name, key);
  return call.options.is_allowed(call.call.caller, action, resource) &&
         !policy_denies(call, call.bucket, action, resource);
}

}  // namespace opentrail::services::s3
