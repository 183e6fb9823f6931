#include "services/s3/object_headers.h"

#include "base/text.h"
#include "services/aws_chunked.h"
#include "services/s3/acl.h"
#include "services/s3/checksums.h"
#include "services/s3/s3_status.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::services::s3 {
namespace {

constexpr std::string_view kMetadataPrefix = "x-amz-meta-";
constexpr std::string_view kEncryption = "x-amz-server-side-encryption";

/// Headers that would change what an object is, and that this store does not offer.
constexpr std::string_view kNotOffered[] = {
    "expires",
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-context",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-tagging",
    "x-amz-website-redirect-location",
    "x-amz-write-offset-bytes",
};

Result<void> read_metadata(const net::Headers& headers, objects::NewObject& object) {
  for (const auto& [name, value] : headers.fields()) {
    const std::string lower = to_lower(name);
    if (!lower.starts_with(kMetadataPrefix)) {
      continue;
    }
    if (!is_utf8(value)) {
      return refuse("InvalidArgument", "Header values must be UTF-8");
    }
    // Repeated fields are one value, as RFC 9110 §5.3 joins them.
    auto [field, is_new] = object.metadata.emplace(lower.substr(kMetadataPrefix.size()), value);
    if (!is_new) {
      field->second += "," + value;
    }
  }
  return {};
}

void set_if_given(std::string_view value, std::string& property) {
  if (!value.empty()) {
    property = value;
  }
}

}  // namespace

Result<void> check_offered(const S3Request& request) {
  const std::string_view encryption = request.header(kEncryption);
  if (encryption.starts_with("aws:kms")) {
    return refuse("NotImplemented",
                  "This object store has no KMS keys; ask for AES256, or for nothing");
  }
  if (!encryption.empty() && encryption != "AES256") {
    return refuse("InvalidArgument", "The encryption method specified is not supported");
  }
  for (const std::string_view name : kNotOffered) {
    if (request.headers->find(name)) {
      return refuse(
          "NotImplemented",
          fmt::format("The header {} implies functionality that is not implemented", name));
    }
  }
  const std::string_view storage_class = request.header("x-amz-storage-class");
  if (!storage_class.empty() && storage_class != "STANDARD") {
    return refuse("InvalidStorageClass");
  }
  const bool grants = std::ranges::any_of(request.headers->fields(), [](const auto& field) {
    return to_lower(field.first).starts_with("x-amz-grant-");
  });
  if (grants || !is_owner_acl(request.header("x-amz-acl"))) {
    return refuse("AccessControlListNotSupported");
  }
  return {};
}

Result<objects::NewObject> read_new_object(const S3Request& request) {
  OT_TRY_DO(check_offered(request));
  objects::NewObject object;
  object.bucket = request.bucket;
  object.key = request.key;
  set_if_given(request.header("content-type"), object.content_type);
  object.content_encoding = without_aws_chunked(request.header("content-encoding"));
  object.cache_control = request.header("cache-control");
  object.content_disposition = request.header("content-disposition");
  object.content_language = request.header("content-language");
  OT_TRY_DO(read_metadata(*request.headers, object));
  return object;
}

void write_object_headers(const objects::ObjectInfo& object, bool with_checksums,
                          net::Headers& headers) {
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) {
      headers.add(std::string(name), value);
    }
  };
  add("ETag", object.etag);
  add("Last-Modified", to_http_date(object.last_modified));
  add("Content-Type", object.content_type);
  add("Content-Encoding", object.content_encoding);
  add("Cache-Control", object.cache_control);
  add("Content-Disposition", object.content_disposition);
  add("Content-Language", object.content_language);
  add("Accept-Ranges", "bytes");
  write_encryption_header(headers);
  for (const auto& [name, value] : object.metadata) {
    headers.add(std::string(kMetadataPrefix) + name, value);
  }
  if (with_checksums) {
    add_checksum_headers(object.checksums, object.checksum_type, headers);
  }
}

void override_headers(const S3Request& request, net::Headers& headers) {
  constexpr std::pair<std::string_view, std::string_view> kOverrides[] = {
      {"response-content-type", "Content-Type"},
      {"response-content-encoding", "Content-Encoding"},
      {"response-content-language", "Content-Language"},
      {"response-content-disposition", "Content-Disposition"},
      {"response-cache-control", "Cache-Control"},
      {"response-expires", "Expires"},
  };
  for (const auto& [parameter, header] : kOverrides) {
    const std::string_view value = request.get(parameter);
    // A line break in it would be a header of the client's making.
    const bool one_line =
        std::ranges::none_of(value, [](unsigned char c) { return c < ' ' || c == '\x7F'; });
    if (!value.empty() && one_line) {
      headers.set(header, std::string(value));
    }
  }
}

void write_encryption_header(net::Headers& headers) { headers.set(kEncryption, "AES256"); }

std::string_view sse_applied(const S3Request& request) {
  return request.header(kEncryption).empty() ? "Default_SSE_S3" : "SSE_S3";
}

}  // namespace opentrail::services::s3
