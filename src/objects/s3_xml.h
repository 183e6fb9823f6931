#pragma once
#include "base/error.h"
#include "objects/object_store.h"

#include <string_view>
#include <vector>

/// What a foreign S3 answers, as values. Pure; any thread. Internal to objects.
/// Source: S3 API reference, "Error responses" and ListObjectsV2.
namespace opentrail::objects {

/// The error that an answer of status 300 or above stands for: S3's code as the reason, and what a
/// caller can do about it. 5xx and SlowDown are Unavailable, NoSuchBucket is NotFound, AccessDenied
/// is PermissionDenied. Without a readable body (HEAD, a proxy's page) the status alone decides.
[[nodiscard]] Error error_of_answer(int status, std::string_view body);

struct ForeignPage {
  std::vector<ListedObject> objects;
  bool truncated = false;
};
/// Reads a ListBucketResult. Unavailable when it is not one: what answered is not an S3.
[[nodiscard]] Result<ForeignPage> parse_list_answer(std::string_view body);

}  // namespace opentrail::objects
