#pragma once
#include "objects/embedded_store.h"
#include "services/s3/answer.h"
#include "services/s3/s3_request.h"
#include "services/s3/s3_service.h"
#include "services/service.h"

#include <string_view>

/// The operations of S3, one function each. Internal to services/s3.
namespace opentrail::services::s3 {

/// One identified, authorised call on its way. Lives in the coroutine that answers it.
struct S3Call {
  Call& call;
  const Operation& operation;
  const S3Request& request;
  objects::EmbeddedStore& store;
  asio::thread_pool& workers;
  const S3Options& options;
  objects::Bucket bucket;  ///< The addressed one, as enter() found it.
  Traffic traffic;
  /// Set instead of the operation's when the call touched other things.
  std::vector<record::ResourceItem> resources;

  [[nodiscard]] const net::Headers& headers() const { return *request.headers; }
};

/// Finds the bucket and checks that the caller's account owns it and that its policy does not deny
/// the call: NoSuchBucket, AccessDenied. Blocks.
[[nodiscard]] Result<void> enter(S3Call& call);
/// The same for another bucket that the call reads from (CopyObject).
[[nodiscard]] Result<void> check_source(S3Call& call, const CopySource& source);
/// True when IAM and the bucket's policy let the caller do `action` to the object.
[[nodiscard]] bool may_touch(const S3Call& call, std::string_view action, std::string_view key);

/// Runs on a worker thread and may block.
using BlockingOperation = Result<Outcome> (*)(S3Call&);
/// Runs on the connection's thread and offloads what blocks.
using StreamingOperation = asio::awaitable<Result<Outcome>> (*)(S3Call&);

// bucket_operations.cc
Result<Outcome> list_buckets(S3Call& call);
Result<Outcome> create_bucket(S3Call& call);
Result<Outcome> head_bucket(S3Call& call);
Result<Outcome> delete_bucket(S3Call& call);
Result<Outcome> get_bucket_location(S3Call& call);
Result<Outcome> get_bucket_acl(S3Call& call);
Result<Outcome> put_acl(S3Call& call);

// bucket_configuration.cc
Result<Outcome> get_bucket_policy(S3Call& call);
Result<Outcome> put_bucket_policy(S3Call& call);
Result<Outcome> delete_bucket_policy(S3Call& call);
Result<Outcome> get_bucket_policy_status(S3Call& call);
Result<Outcome> get_public_access_block(S3Call& call);
Result<Outcome> put_public_access_block(S3Call& call);
Result<Outcome> delete_public_access_block(S3Call& call);
Result<Outcome> get_bucket_encryption(S3Call& call);
Result<Outcome> put_bucket_encryption(S3Call& call);
Result<Outcome> delete_bucket_encryption(S3Call& call);
/// Reading a configuration that buckets here never have: S3's answer for one that was not set.
Result<Outcome> get_unset_configuration(S3Call& call);

// listing.cc
Result<Outcome> list_objects(S3Call& call);
Result<Outcome> list_objects_v2(S3Call& call);
Result<Outcome> list_object_versions(S3Call& call);

// object_operations.cc
Result<Outcome> head_object(S3Call& call);
Result<Outcome> get_object_acl(S3Call& call);
Result<Outcome> delete_object(S3Call& call);
Result<Outcome> delete_objects(S3Call& call);
Result<Outcome> get_object_tagging(S3Call& call);
asio::awaitable<Result<Outcome>> put_object(S3Call& call);

// get_object.cc
asio::awaitable<Result<Outcome>> get_object(S3Call& call);

// copy_operations.cc
asio::awaitable<Result<Outcome>> copy_object(S3Call& call);
asio::awaitable<Result<Outcome>> upload_part_copy(S3Call& call);

// multipart_operations.cc
Result<Outcome> create_multipart_upload(S3Call& call);
Result<Outcome> complete_multipart_upload(S3Call& call);
Result<Outcome> abort_multipart_upload(S3Call& call);
Result<Outcome> list_parts(S3Call& call);
Result<Outcome> list_multipart_uploads(S3Call& call);
asio::awaitable<Result<Outcome>> upload_part(S3Call& call);

}  // namespace opentrail::services::s3
