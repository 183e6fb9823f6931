// Property: a policy document is understood whole or refused as MalformedPolicy; one that is
// understood never allows what it denies, and asking it twice gives the same answer.
#include "objects/bucket_policy.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace objects = opentrail::objects;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto policy = objects::BucketPolicy::parse(text, "trail-logs");
  if (!policy) {
    if (policy.error().reason() != "MalformedPolicy") {
      std::abort();
    }
    return 0;
  }
  objects::PolicyRequest request;
  request.principal.service = "cloudtrail.amazonaws.com";
  request.action = "s3:PutObject";
  request.resource = "arn:aws:s3:::trail-logs/AWSLogs/123456789012/x";
  request.context = {{"aws:sourcearn", "arn:aws:cloudtrail:us-east-1:123456789012:trail/t"},
                     {"s3:x-amz-acl", "bucket-owner-full-control"}};
  const auto first = policy->evaluate(request);
  if (first != policy->evaluate(request)) {
    std::abort();
  }
  static_cast<void>(policy->is_public());
  return 0;
}
