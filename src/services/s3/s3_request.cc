#include "services/s3/s3_request.h"

#include "base/text.h"
#include "services/s3/s3_status.h"

#include <algorithm>

namespace opentrail::services::s3 {
namespace {

/// Every name that picks an operation is looked for among them.
constexpr std::size_t kQueryFieldsMax = 256;

}  // namespace

Result<S3Request> S3Request::parse(const net::RequestHead& head) {
  S3Request request;
  request.method = head.method;
  request.headers = &head.headers;
  std::string_view path = head.path();
  path.remove_prefix(path.starts_with('/') ? 1 : 0);
  const std::size_t slash = path.find('/');
  auto bucket = uri_decode(path.substr(0, slash));
  auto key = uri_decode(slash == std::string_view::npos ? "" : path.substr(slash + 1));
  auto query = net::parse_query(head.query(), /*plus_is_space=*/true);
  if (!bucket || !key || !query || !is_utf8(*bucket) || !is_utf8(*key)) {
    return refuse("InvalidURI");
  }
  if (query->size() > kQueryFieldsMax) {
    return refuse("InvalidURI");
  }
  for (const auto& [name, value] : *query) {
    if (!is_utf8(name) || !is_utf8(value)) {
      return refuse("InvalidURI");
    }
  }
  request.bucket = *std::move(bucket);
  request.key = *std::move(key);
  request.query = *std::move(query);
  return request;
}

bool S3Request::has(std::string_view name) const {
  return std::ranges::any_of(query, [&](const auto& field) { return field.first == name; });
}

std::string_view S3Request::get(std::string_view name) const {
  const auto found =
      std::ranges::find_if(query, [&](const auto& field) { return field.first == name; });
  return found == query.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view S3Request::header(std::string_view name) const { return headers->get(name); }

std::string S3Request::bucket_arn() const { return "arn:aws:s3:::" + bucket; }

std::string S3Request::object_arn() const { return bucket_arn() + "/" + key; }

bool is_signing_parameter(std::string_view name) {
  constexpr std::string_view kNames[] = {
      "x-amz-algorithm",     "x-amz-credential", "x-amz-date",          "x-amz-expires",
      "x-amz-signedheaders", "x-amz-signature",  "x-amz-security-token"};
  return std::ranges::find(kNames, to_lower(name)) != std::end(kNames);
}

Result<CopySource> parse_copy_source(std::string_view header) {
  const std::size_t question = header.find('?');
  if (question != std::string_view::npos) {
    const std::string_view version = header.substr(question + 1);
    if (version != "versionId=null" && !version.empty()) {
      return refuse("NoSuchVersion");
    }
  }
  const auto decoded = uri_decode(header.substr(0, question));
  std::string_view path = decoded ? std::string_view(*decoded) : std::string_view();
  path.remove_prefix(path.starts_with('/') ? 1 : 0);
  const std::size_t slash = path.find('/');
  const bool whole = slash != std::string_view::npos && slash > 0 && slash + 1 < path.size();
  if (!whole || !is_utf8(path)) {
    return refuse("InvalidArgument",
                  "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
  }
  return CopySource{std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

}  // namespace opentrail::services::s3
