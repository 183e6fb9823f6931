#pragma once
#include "objects/object_store.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace opentrail::delivery {

/// Buckets in memory, for tests, that fail on demand. One thread at a time.
class FakeBucketStore final : public objects::ObjectStore {
 public:
  struct Stored {
    objects::PutRequest request;
    objects::ServicePrincipal who;
    int puts = 0;
  };
  /// What becomes of a put: nothing is wrong, or it fails before or after the object was stored.
  struct Fault {
    std::optional<Error> error;
    bool stored = false;
  };

  std::map<std::string, Stored> objects;  ///< By "bucket/key".
  std::map<std::string, bool> buckets = {{"logs", true}};
  std::function<Fault(const objects::PutRequest&)> fault;
  int different_bytes = 0;  ///< Puts that replaced an object by other bytes.

  Result<void> check_bucket(const std::string& bucket, const objects::ServicePrincipal&) override {
    if (!buckets.contains(bucket)) {
      return fail(ErrorCode::NotFound, "no such bucket", "NoSuchBucket");
    }
    return {};
  }
  Result<void> check_acl_readable(const std::string& bucket,
                                  const objects::ServicePrincipal&) override {
    if (!buckets.at(bucket)) {
      return fail(ErrorCode::PermissionDenied, "not allowed", "AccessDenied");
    }
    return {};
  }
  Result<void> put(const objects::PutRequest& request,
                   const objects::ServicePrincipal& who) override {
    const Fault now = fault ? fault(request) : Fault{};
    OT_TRY_DO(check_bucket(request.bucket, who));
    if (!now.error || now.stored) {
      Stored& stored = objects[request.bucket + "/" + request.key];
      if (stored.puts > 0 && stored.request.body != request.body) {
        ++different_bytes;
      }
      stored = {request, who, stored.puts + 1};
    }
    if (now.error) {
      return std::unexpected(*now.error);
    }
    return {};
  }
  Result<objects::ObjectBytes> get(const std::string& bucket, const std::string& key,
                                   const objects::ServicePrincipal&) override {
    const auto found = objects.find(bucket + "/" + key);
    if (found == objects.end()) {
      return fail(ErrorCode::NotFound, "no such key", "NoSuchKey");
    }
    const auto& request = found->second.request;
    return objects::ObjectBytes{request.body, request.content_type, request.content_encoding, "",
                                request.metadata};
  }
  Result<std::vector<objects::ListedObject>> list(const std::string& bucket,
                                                  const std::string& prefix,
                                                  const std::string& start_after,
                                                  const objects::ServicePrincipal&) override {
    std::vector<objects::ListedObject> listed;
    for (const auto& [name, stored] : objects) {
      const std::string& key = stored.request.key;
      if (stored.request.bucket == bucket && key.starts_with(prefix) && key > start_after) {
        listed.push_back({key, stored.request.body.size(), "", {}});
      }
    }
    return listed;
  }
};

}  // namespace opentrail::delivery
