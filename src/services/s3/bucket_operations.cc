#include "aws/regions.h"
#include "base/text.h"
#include "services/s3/acl.h"
#include "services/s3/checksums.h"
#include "services/s3/operations.h"
#include "services/s3/s3_status.h"
#include "services/s3/xml_reader.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::services::s3 {
namespace {

constexpr int kNoContent = 204;
constexpr std::size_t kBucketsMax = 10000;  // S3's own bound of max-buckets

/// The region that a CreateBucket asks for. S3 makes a bucket elsewhere only when asked at the
/// endpoint of us-east-1; every other endpoint wants to hear its own name.
Result<std::string> region_of_new_bucket(const S3Call& call) {
  std::string constraint;
  if (!call.call.body.empty()) {
    OT_TRY(const XmlBody body, XmlBody::parse(call.call.body, "CreateBucketConfiguration"));
    constraint = body.root().text("LocationConstraint");
  }
  const std::string& endpoint = call.call.region;
  if (constraint == "EU") {
    constraint = "eu-west-1";  // what the name meant before there were more regions
  }
  const bool known =
      std::ranges::find(call.options.regions, constraint) != call.options.regions.end();
  if (constraint == aws::kGlobalRegion || (!constraint.empty() && !known)) {
    return refuse("InvalidLocationConstraint");
  }
  if (endpoint != aws::kGlobalRegion && constraint != endpoint) {
    return refuse("IllegalLocationConstraintException",
                  fmt::format("The {} location constraint is incompatible for the region specific "
                              "endpoint this request was sent to.",
                              constraint.empty() ? "unspecified" : constraint));
  }
  return constraint.empty() ? std::string(aws::kGlobalRegion) : constraint;
}

/// What a new bucket could be asked for but cannot have here.
Result<void> check_new_bucket(const S3Call& call) {
  OT_TRY_DO(check_body(call.headers(), call.call.body));
  if (to_lower(call.request.header("x-amz-bucket-object-lock-enabled")) == "true") {
    return refuse("NotImplemented",
                  "This object store has no Object Lock; make the bucket without it");
  }
  const std::string_view ownership = call.request.header("x-amz-object-ownership");
  const bool grants = std::ranges::any_of(call.headers().fields(), [](const auto& field) {
    return to_lower(field.first).starts_with("x-amz-grant-");
  });
  if (grants || !is_owner_acl(call.request.header("x-amz-acl")) ||
      (!ownership.empty() && ownership != "BucketOwnerEnforced")) {
    return refuse("AccessControlListNotSupported");
  }
  return {};
}

Outcome created(const S3Call& call) {
  Outcome outcome = empty_outcome(200);
  outcome.head.headers.add("Location", "/" + call.request.bucket);
  outcome.head.headers.add("x-amz-bucket-arn", call.request.bucket_arn());
  return outcome;
}

}  // namespace

Result<Outcome> list_buckets(S3Call& call) {
  const std::string_view prefix = call.request.get("prefix");
  const std::string_view region = call.request.get("bucket-region");
  std::size_t buckets_max = kBucketsMax;
  if (call.request.has("max-buckets")) {
    const auto wanted = parse_int(call.request.get("max-buckets"));
    if (!wanted || *wanted < 1 || *wanted > static_cast<std::int64_t>(kBucketsMax)) {
      return refuse("InvalidArgument", "max-buckets must be between 1 and 10000");
    }
    buckets_max = static_cast<std::size_t>(*wanted);
  }
  const auto behind = from_base64(call.request.get("continuation-token"));
  if (!behind) {
    return refuse("InvalidArgument", "The continuation token provided is incorrect");
  }
  OT_TRY(std::vector<objects::Bucket> buckets, call.store.buckets(call.call.account_id));
  std::erase_if(buckets, [&](const objects::Bucket& bucket) {
    return !bucket.name.starts_with(prefix) || bucket.name <= *behind ||
           (!region.empty() && bucket.region != region);
  });
  std::ranges::sort(buckets, {}, &objects::Bucket::name);
  XmlWriter xml("ListAllMyBucketsResult");
  xml.open("Buckets");
  const std::size_t shown = std::min(buckets.size(), buckets_max);
  for (std::size_t i = 0; i < shown; ++i) {
    xml.open("Bucket")
        .element("Name", buckets[i].name)
        .element("CreationDate", to_iso_millis(buckets[i].created_at));
    xml.element("BucketRegion", buckets[i].region).close();
  }
  xml.close();
  write_owner(xml, call.call.account_id);
  if (shown < buckets.size()) {
    xml.element("ContinuationToken", to_base64(as_bytes(buckets[shown - 1].name)));
  }
  if (!prefix.empty()) {
    xml.element("Prefix", prefix);
  }
  return xml_outcome(xml.finish());
}

Result<Outcome> create_bucket(S3Call& call) {
  OT_TRY_DO(check_new_bucket(call));
  OT_TRY(const std::string region, region_of_new_bucket(call));
  const auto bucket = call.store.create_bucket(call.request.bucket, region, call.call.account_id);
  if (bucket) {
    return created(call);
  }
  // us-east-1 keeps S3's first behaviour: making one's own bucket again succeeds.
  if (bucket.error().reason() == "BucketAlreadyOwnedByYou" &&
      call.call.region == aws::kGlobalRegion && region == aws::kGlobalRegion) {
    return created(call);
  }
  return std::unexpected(bucket.error());
}

Result<Outcome> head_bucket(S3Call& call) {
  Outcome outcome = empty_outcome(200);
  outcome.head.headers.add("Content-Type", "application/xml");
  outcome.head.headers.add("x-amz-bucket-region", call.bucket.region);
  outcome.head.headers.add("x-amz-bucket-arn", call.request.bucket_arn());
  outcome.head.headers.add("x-amz-access-point-alias", "false");
  return outcome;
}

Result<Outcome> delete_bucket(S3Call& call) {
  OT_TRY_DO(call.store.delete_bucket(call.request.bucket));
  return empty_outcome(kNoContent);
}

Result<Outcome> get_bucket_location(S3Call& call) {
  XmlWriter xml("LocationConstraint");
  if (call.bucket.region != aws::kGlobalRegion) {  // us-east-1 is told by its absence
    xml.text(call.bucket.region);
  }
  return xml_outcome(xml.finish());
}

Result<Outcome> get_bucket_acl(S3Call& call) {
  return xml_outcome(owner_acl(call.bucket.owner_account_id));
}

/// ACLs are off, as in every new bucket of S3: only the one that is in force can be put.
Result<Outcome> put_acl(S3Call& call) {
  const std::string_view canned = call.request.header("x-amz-acl");
  if (canned.empty() || !is_owner_acl(canned) || !call.call.body.empty()) {
    return refuse("AccessControlListNotSupported");
  }
  return empty_outcome(200);
}

}  // namespace opentrail::services::s3
