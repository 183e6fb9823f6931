#include "objects/bucket_policy.h"
#include "services/s3/checksums.h"
#include "services/s3/operations.h"
#include "services/s3/s3_status.h"
#include "services/s3/xml_reader.h"
#include "services/s3/xml_writer.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::services::s3 {
namespace {

constexpr int kNoContent = 204;

constexpr std::string_view kPublicAccessSwitches[] = {"BlockPublicAcls", "IgnorePublicAcls",
                                                      "BlockPublicPolicy", "RestrictPublicBuckets"};

/// Text of a switch -> bool; absent is false. MalformedXML for other words.
Result<bool> parse_switch(const XmlBody::Element& element, std::string_view name) {
  const std::string text = element.text(name);
  if (!text.empty() && text != "true" && text != "false" && text != "TRUE" && text != "FALSE") {
    return refuse("MalformedXML");
  }
  return text == "true" || text == "TRUE";
}

/// What a bucket answers for a configuration that nobody can set here.
struct Unset {
  std::string_view operation;
  std::string_view error;  ///< S3's code for "there is none", or empty:
  std::string_view root;   ///< the root of a document,
  std::string_view child;  ///< which has one child,
  std::string_view text;   ///< of this text.
};

constexpr Unset kUnset[] = {
    {"GetBucketVersioning", "", "VersioningConfiguration", "", ""},
    {"GetBucketLogging", "", "BucketLoggingStatus", "", ""},
    {"GetBucketNotificationConfiguration", "", "NotificationConfiguration", "", ""},
    {"GetBucketAccelerateConfiguration", "", "AccelerateConfiguration", "", ""},
    {"GetBucketRequestPayment", "", "RequestPaymentConfiguration", "Payer", "BucketOwner"},
    {"GetBucketTagging", "NoSuchTagSet", "", "", ""},
    {"GetBucketCors", "NoSuchCORSConfiguration", "", "", ""},
    {"GetBucketLifecycleConfiguration", "NoSuchLifecycleConfiguration", "", "", ""},
    {"GetBucketWebsite", "NoSuchWebsiteConfiguration", "", "", ""},
    {"GetBucketReplication", "ReplicationConfigurationNotFoundError", "", "", ""},
    {"GetObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "", "", ""},
};

/// What is in force in every bucket, as in S3's new ones: ACLs are off.
std::string ownership_controls() {
  XmlWriter xml("OwnershipControls");
  xml.open("Rule").element("ObjectOwnership", "BucketOwnerEnforced");
  return xml.finish();
}

}  // namespace

Result<Outcome> get_bucket_policy(S3Call& call) {
  if (call.bucket.policy_json.empty()) {
    return refuse("NoSuchBucketPolicy");
  }
  Outcome outcome;
  outcome.head.headers.add("Content-Type", "application/json");
  outcome.body = call.bucket.policy_json;
  return outcome;
}

Result<Outcome> put_bucket_policy(S3Call& call) {
  OT_TRY_DO(check_body(call.headers(), call.call.body));
  if (call.call.body.empty()) {
    return refuse("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'");
  }
  OT_TRY_DO(call.store.set_bucket_policy(call.request.bucket, call.call.body));
  return empty_outcome(kNoContent);
}

Result<Outcome> delete_bucket_policy(S3Call& call) {
  OT_TRY_DO(call.store.set_bucket_policy(call.request.bucket, ""));
  return empty_outcome(kNoContent);
}

Result<Outcome> get_bucket_policy_status(S3Call& call) {
  if (call.bucket.policy_json.empty()) {
    return refuse("NoSuchBucketPolicy");
  }
  OT_TRY(const auto policy,
         objects::BucketPolicy::parse(call.bucket.policy_json, call.bucket.name));
  XmlWriter xml("PolicyStatus");
  xml.element("IsPublic", policy.is_public() ? "true" : "false");
  return xml_outcome(xml.finish());
}

Result<Outcome> get_public_access_block(S3Call& call) {
  if (call.bucket.public_access_block_json.empty()) {
    return refuse("NoSuchPublicAccessBlockConfiguration");
  }
  OT_TRY(const json::value stored, parse_json(call.bucket.public_access_block_json));
  XmlWriter xml("PublicAccessBlockConfiguration");
  for (const std::string_view name : kPublicAccessSwitches) {
    const bool on = stored.is_object() && bool_member(stored.get_object(), name, false);
    xml.element(name, on ? "true" : "false");
  }
  return xml_outcome(xml.finish());
}

Result<Outcome> put_public_access_block(S3Call& call) {
  OT_TRY_DO(check_body(call.headers(), call.call.body));
  OT_TRY(const XmlBody body, XmlBody::parse(call.call.body, "PublicAccessBlockConfiguration"));
  json::object stored;
  for (const std::string_view name : kPublicAccessSwitches) {
    OT_TRY(const bool on, parse_switch(body.root(), name));
    stored[name] = on;
  }
  OT_TRY_DO(call.store.set_public_access_block(call.request.bucket, to_text(stored)));
  return empty_outcome(200);
}

Result<Outcome> delete_public_access_block(S3Call& call) {
  OT_TRY_DO(call.store.set_public_access_block(call.request.bucket, ""));
  return empty_outcome(kNoContent);
}

/// Every object is encrypted with keys of the store itself, which S3 calls AES256.
Result<Outcome> get_bucket_encryption(S3Call& call) {
  bool bucket_key = false;
  if (!call.bucket.encryption_json.empty()) {
    OT_TRY(const json::value stored, parse_json(call.bucket.encryption_json));
    bucket_key = stored.is_object() && bool_member(stored.get_object(), "BucketKeyEnabled", false);
  }
  XmlWriter xml("ServerSideEncryptionConfiguration");
  xml.open("Rule");
  xml.open("ApplyServerSideEncryptionByDefault").element("SSEAlgorithm", "AES256").close();
  xml.element("BucketKeyEnabled", bucket_key ? "true" : "false");
  return xml_outcome(xml.finish());
}

Result<Outcome> put_bucket_encryption(S3Call& call) {
  OT_TRY_DO(check_body(call.headers(), call.call.body));
  OT_TRY(const XmlBody body, XmlBody::parse(call.call.body, "ServerSideEncryptionConfiguration"));
  const auto rules = body.root().children("Rule");
  if (rules.size() != 1) {
    return refuse("MalformedXML");
  }
  const std::string algorithm =
      rules[0].child("ApplyServerSideEncryptionByDefault").text("SSEAlgorithm");
  if (algorithm.starts_with("aws:kms")) {
    return refuse("NotImplemented",
                  "This object store has no KMS keys; ask for AES256, or for nothing");
  }
  if (algorithm != "AES256") {
    return refuse("MalformedXML");
  }
  OT_TRY(const bool bucket_key, parse_switch(rules[0], "BucketKeyEnabled"));
  const json::object stored = {{"SSEAlgorithm", algorithm}, {"BucketKeyEnabled", bucket_key}};
  OT_TRY_DO(call.store.set_bucket_encryption(call.request.bucket, to_text(stored)));
  return empty_outcome(200);
}

Result<Outcome> delete_bucket_encryption(S3Call& call) {
  OT_TRY_DO(call.store.set_bucket_encryption(call.request.bucket, ""));
  return empty_outcome(kNoContent);
}

Result<Outcome> get_unset_configuration(S3Call& call) {
  if (call.operation.name == "GetBucketOwnershipControls") {
    return xml_outcome(ownership_controls());
  }
  const auto unset = std::ranges::find(kUnset, call.operation.name, &Unset::operation);
  OT_CHECK(unset != std::end(kUnset));  // the table of handlers names none but these
  if (!unset->error.empty()) {
    return refuse(unset->error);
  }
  XmlWriter xml(unset->root);
  if (!unset->child.empty()) {
    xml.element(unset->child, unset->text);
  }
  return xml_outcome(xml.finish());
}

}  // namespace opentrail::services::s3
