#include "services/s3/s3_service.h"

#include "io/offload.h"
#include "services/s3/operations.h"
#include "services/s3/routing.h"
#include "services/s3/s3_status.h"
#include "services/s3/xml_reader.h"

#include <algorithm>

namespace opentrail::services {
namespace {

using namespace s3;

struct Handler {
  std::string_view operation;
  BlockingOperation blocking;
  StreamingOperation streaming;
  bool without_bucket = false;  ///< There is no bucket to be entered before it runs.
};

constexpr bool kWithoutBucket = true;

// What is routed but not named here is not offered.
constexpr Handler kHandlers[] = {
    {"ListBuckets", list_buckets, nullptr, kWithoutBucket},
    {"CreateBucket", create_bucket, nullptr, kWithoutBucket},
    {"HeadBucket", head_bucket, nullptr},
    {"DeleteBucket", delete_bucket, nullptr},
    {"GetBucketLocation", get_bucket_location, nullptr},
    {"GetBucketAcl", get_bucket_acl, nullptr},
    {"PutBucketAcl", put_acl, nullptr},
    {"GetBucketPolicy", get_bucket_policy, nullptr},
    {"PutBucketPolicy", put_bucket_policy, nullptr},
    {"DeleteBucketPolicy", delete_bucket_policy, nullptr},
    {"GetBucketPolicyStatus", get_bucket_policy_status, nullptr},
    {"GetPublicAccessBlock", get_public_access_block, nullptr},
    {"PutPublicAccessBlock", put_public_access_block, nullptr},
    {"DeletePublicAccessBlock", delete_public_access_block, nullptr},
    {"GetBucketEncryption", get_bucket_encryption, nullptr},
    {"PutBucketEncryption", put_bucket_encryption, nullptr},
    {"DeleteBucketEncryption", delete_bucket_encryption, nullptr},
    {"GetBucketVersioning", get_unset_configuration, nullptr},
    {"GetBucketOwnershipControls", get_unset_configuration, nullptr},
    {"GetBucketTagging", get_unset_configuration, nullptr},
    {"GetBucketCors", get_unset_configuration, nullptr},
    {"GetBucketLifecycleConfiguration", get_unset_configuration, nullptr},
    {"GetBucketWebsite", get_unset_configuration, nullptr},
    {"GetBucketLogging", get_unset_configuration, nullptr},
    {"GetBucketNotificationConfiguration", get_unset_configuration, nullptr},
    {"GetBucketReplication", get_unset_configuration, nullptr},
    {"GetBucketAccelerateConfiguration", get_unset_configuration, nullptr},
    {"GetBucketRequestPayment", get_unset_configuration, nullptr},
    {"GetObjectLockConfiguration", get_unset_configuration, nullptr},
    {"ListObjects", list_objects, nullptr},
    {"ListObjectsV2", list_objects_v2, nullptr},
    {"ListObjectVersions", list_object_versions, nullptr},
    {"HeadObject", head_object, nullptr},
    {"GetObject", nullptr, get_object},
    {"GetObjectAcl", get_object_acl, nullptr},
    {"PutObjectAcl", put_acl, nullptr},
    {"GetObjectTagging", get_object_tagging, nullptr},
    {"PutObject", nullptr, put_object},
    {"CopyObject", nullptr, copy_object},
    {"DeleteObject", delete_object, nullptr},
    {"DeleteObjects", delete_objects, nullptr},
    {"CreateMultipartUpload", create_multipart_upload, nullptr},
    {"UploadPart", nullptr, upload_part},
    {"UploadPartCopy", nullptr, upload_part_copy},
    {"CompleteMultipartUpload", complete_multipart_upload, nullptr},
    {"AbortMultipartUpload", abort_multipart_upload, nullptr},
    {"ListParts", list_parts, nullptr},
    {"ListMultipartUploads", list_multipart_uploads, nullptr},
};

const Handler* find_handler(std::string_view operation) {
  const auto found = std::ranges::find(kHandlers, operation, &Handler::operation);
  return found == std::end(kHandlers) ? nullptr : found;
}

/// Only uploads are read in chunks; a body that the pipeline has read must be a plain one.
Result<void> check_framing(const S3Call& call) {
  const std::string_view declared = call.request.header("x-amz-content-sha256");
  if (declared.starts_with("STREAMING-") && !is_upload(call.call.exchange.request())) {
    return refuse("NotImplemented",
                  "This operation accepts no aws-chunked body; send it in one piece");
  }
  return {};
}

asio::awaitable<Result<Outcome>> run(S3Call& call) {
  const Handler* handler = find_handler(call.operation.name);
  if (handler == nullptr) {
    co_return refuse("NotImplemented", "The operation " + call.operation.name +
                                           " is not offered by this object store");
  }
  OT_CO_TRY_DO(check_framing(call));
  auto job = [&]() -> Result<Outcome> {
    if (!handler->without_bucket) {
      OT_TRY_DO(enter(call));
    }
    return handler->blocking != nullptr ? handler->blocking(call) : Outcome();
  };
  auto outcome = co_await io::offload(call.workers, std::move(job));
  if (!outcome || handler->streaming == nullptr) {
    co_return outcome;
  }
  co_return co_await handler->streaming(call);
}

/// Body bytes that the answer sends; a HEAD request has none.
void count_traffic(S3Call& call, const Outcome& outcome) {
  Traffic& traffic = call.traffic;
  traffic.bytes_in = traffic.bytes_in.value_or(call.call.body.size());
  if (!traffic.bytes_out) {
    traffic.bytes_out = call.request.method == "HEAD" ? 0 : outcome.body.size();
  }
}

}  // namespace

std::unique_ptr<S3Service> S3Service::make(objects::EmbeddedStore& store,
                                           asio::thread_pool& workers, S3Options options) {
  return std::unique_ptr<S3Service>(new S3Service(store, workers, std::move(options)));
}

bool S3Service::streams(const net::RequestHead& head) const { return is_upload(head); }

std::size_t S3Service::body_bytes_max() const { return kXmlBodyBytesMax; }

Operation S3Service::identify(const Call& call) const { return s3::identify(call); }

asio::awaitable<Outcome> S3Service::handle(Call& call, const Operation& operation) {
  const net::RequestHead& head = call.exchange.request();
  const auto request = S3Request::parse(head);
  OT_CHECK(request.has_value());  // identify() has let it through
  S3Call s3_call{.call = call,
                 .operation = operation,
                 .request = *request,
                 .store = store_,
                 .workers = workers_,
                 .options = options_,
                 .bucket = {},
                 .traffic = {},
                 .resources = {}};
  auto result = co_await run(s3_call);
  Outcome outcome;
  if (result) {
    outcome = *std::move(result);
  } else {
    const ApiError error = to_api_error(result.error());
    outcome = error_answer(head, error, call.request_id);
    outcome.error = error;
  }
  outcome.head.headers.set("x-amz-id-2", host_id(call.request_id));
  count_traffic(s3_call, outcome);
  outcome.additional_event_data = additional_data(call, s3_call.traffic);
  outcome.resources = std::move(s3_call.resources);
  co_return outcome;
}

Outcome S3Service::error_answer(const net::RequestHead& request, const ApiError& error,
                                std::string_view request_id) const {
  return error_outcome(request, error, request_id);
}

}  // namespace opentrail::services
