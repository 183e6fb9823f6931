#pragma once
#include "base/error.h"
#include "base/time.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// Where delivery puts its files: the embedded store, or any S3. Blocking; any thread.
/// Errors carry S3's own code in reason(): "NoSuchBucket", "AccessDenied", "SlowDown", ...
namespace opentrail::objects {

/// On whose behalf a service acts; the embedded store checks the bucket's policy against it.
struct ServicePrincipal {
  std::string service;         ///< "cloudtrail.amazonaws.com".
  std::string source_arn;      ///< aws:SourceArn: the trail's ARN.
  std::string source_account;  ///< aws:SourceAccount.
};

struct PutRequest {
  std::string bucket;
  std::string key;
  std::string body;
  std::string content_type = "application/json";
  std::string content_encoding;  ///< "gzip", or empty.
  std::string canned_acl = "bucket-owner-full-control";
  /// User metadata, lower-case names without "x-amz-meta-" (spec records §4.1).
  std::map<std::string, std::string> metadata;
};

/// The most that get() reads: a log file has at most 50 MB before compression.
inline constexpr std::size_t kWholeObjectBytesMax = 64 << 20;

struct ObjectBytes {
  std::string body;
  std::string content_type;
  std::string content_encoding;
  std::string etag;  ///< With quotes.
  std::map<std::string, std::string> metadata;
};

struct ListedObject {
  std::string key;
  std::uint64_t size = 0;
  std::string etag;
  Timestamp last_modified;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  /// NotFound (reason "NoSuchBucket") when there is no such bucket.
  virtual Result<void> check_bucket(const std::string& bucket, const ServicePrincipal& who) = 0;
  /// What CloudTrail does before it accepts a bucket (spec records §3.3): GetBucketAcl.
  /// PermissionDenied when the bucket's policy does not allow it.
  virtual Result<void> check_acl_readable(const std::string& bucket,
                                          const ServicePrincipal& who) = 0;
  /// Durable when it returns. The same key and bytes again change nothing that can be seen.
  virtual Result<void> put(const PutRequest& request, const ServicePrincipal& who) = 0;
  /// ResourceExhausted when it is larger than kWholeObjectBytesMax.
  virtual Result<ObjectBytes> get(const std::string& bucket, const std::string& key,
                                  const ServicePrincipal& who) = 0;
  /// At most 1000 keys with `prefix` behind `start_after`, in byte order.
  virtual Result<std::vector<ListedObject>> list(const std::string& bucket,
                                                 const std::string& prefix,
                                                 const std::string& start_after,
                                                 const ServicePrincipal& who) = 0;
};

}  // namespace opentrail::objects
