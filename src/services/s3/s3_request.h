#pragma once
#include "base/error.h"
#include "net/http.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace opentrail::services::s3 {

/// A request's target, path style: /bucket/key?query. Everything is set by the client.
struct S3Request {
  std::string method;
  std::string bucket;                                      ///< Decoded; empty: the service itself.
  std::string key;                                         ///< Decoded; empty: the bucket itself.
  std::vector<std::pair<std::string, std::string>> query;  ///< Decoded, in order.
  const net::Headers* headers = nullptr;                   ///< Of the request it was read from.

  /// Errors: InvalidURI when an escape is broken, the text is not UTF-8, or the query has too
  /// many fields.
  static Result<S3Request> parse(const net::RequestHead& head);

  [[nodiscard]] bool has(std::string_view name) const;
  /// The first parameter of that name, or "".
  [[nodiscard]] std::string_view get(std::string_view name) const;
  /// The first header of that name, or "".
  [[nodiscard]] std::string_view header(std::string_view name) const;

  [[nodiscard]] std::string bucket_arn() const;  ///< arn:aws:s3:::bucket
  [[nodiscard]] std::string object_arn() const;  ///< arn:aws:s3:::bucket/key
};

/// True for the query parameters of a presigned URL (X-Amz-Signature, ...): they belong to the
/// signature, not to the operation.
[[nodiscard]] bool is_signing_parameter(std::string_view name);

/// Where a copy takes its bytes from.
struct CopySource {
  std::string bucket;
  std::string key;
};
/// Reads x-amz-copy-source: "[/]bucket/key[?versionId=null]", encoded. Errors: InvalidArgument;
/// NoSuchVersion when another version than "null" is asked for.
[[nodiscard]] Result<CopySource> parse_copy_source(std::string_view header);

}  // namespace opentrail::services::s3
