#pragma once
#include "base/error.h"
#include "objects/embedded_store.h"
#include "services/s3/s3_request.h"

/// An object's properties as header fields, both ways.
namespace opentrail::services::s3 {

/// The object that an upload's header describes. Errors: InvalidArgument; NotImplemented for what
/// this store does not offer (KMS, customer keys, tags, object lock, redirects, expiry),
/// InvalidStorageClass, AccessControlListNotSupported.
[[nodiscard]] Result<objects::NewObject> read_new_object(const S3Request& request);

/// Only those refusals, for requests whose properties come from elsewhere (CopyObject).
[[nodiscard]] Result<void> check_offered(const S3Request& request);

/// The properties of a read. `with_checksums`: they are of the bytes that are sent.
void write_object_headers(const objects::ObjectInfo& object, bool with_checksums,
                          net::Headers& headers);
/// GET's response-content-type and its like replace the stored values.
void override_headers(const S3Request& request, net::Headers& headers);

/// Encryption is always on and always with the store's own keys.
void write_encryption_header(net::Headers& headers);
/// What the record calls it: "SSE_S3" when the client asked, else "Default_SSE_S3".
[[nodiscard]] std::string_view sse_applied(const S3Request& request);

}  // namespace opentrail::services::s3
