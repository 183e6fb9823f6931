#include "services/s3/routing.h"

#include "base/text.h"
#include "services/s3/answer.h"
#include "services/s3/s3_status.h"
#include "services/s3/xml_reader.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::services::s3 {
namespace {

constexpr std::size_t kRecordedTextBytesMax = 1 << 10;

/// Headers that are recorded as parameters when they are sent.
constexpr std::string_view kRecordedHeaders[] = {
    "x-amz-acl",
    "x-amz-bucket-object-lock-enabled",
    "x-amz-copy-source",
    "x-amz-copy-source-range",
    "x-amz-expected-bucket-owner",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
    "x-amz-metadata-directive",
    "x-amz-object-ownership",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
};

/// Operations whose XML body is recorded: a bucket's configuration. Lists of keys and parts are
/// not, as in CloudTrail.
bool records_body(const Route& route, const Call& call) {
  return route.target == Target::Bucket && route.method == "PUT" && !call.body.empty();
}

json::string recorded_text(std::string_view text) {
  return json::string(cut_utf8(to_valid_utf8(text), kRecordedTextBytesMax));
}

void record_body(const Route& route, const Call& call, json::object& recorded) {
  if (route.name == "PutBucketPolicy") {
    if (auto policy = parse_json(call.body)) {
      recorded["bucketPolicy"] = *std::move(policy);
    }
  } else if (const auto body = XmlBody::parse(call.body, "")) {
    for (const auto& member : body->to_json()) {
      recorded[member.key()] = member.value();
    }
  }
}

json::object recorded_parameters(const S3Request& request, const Route& route, const Call& call) {
  json::object recorded;
  for (const auto& [name, value] : request.query) {
    if (!is_signing_parameter(name)) {
      recorded[recorded_text(name)] = recorded_text(value);
    }
  }
  for (const std::string_view name : kRecordedHeaders) {
    if (const auto value = request.headers->find(name)) {
      recorded[name] = recorded_text(*value);
    }
  }
  if (records_body(route, call)) {
    record_body(route, call, recorded);
  }
  // Last, so that no query parameter can stand in for what the call was really about.
  if (!request.bucket.empty()) {
    recorded["bucketName"] = recorded_text(request.bucket);
  }
  if (!request.key.empty()) {
    recorded["key"] = recorded_text(request.key);
  }
  recorded["Host"] = recorded_text(request.header("host"));
  return recorded;
}

/// Whose bucket it is does not matter yet: handle() replaces the items when it is another
/// account's.
std::vector<record::ResourceItem> resources_of(const S3Request& request, const Route& route,
                                               const std::string& account_id) {
  std::vector<record::ResourceItem> items;
  if (route.target == Target::Service) {
    return items;
  }
  if (route.target == Target::Object) {
    items.push_back({{}, "AWS::S3::Object", request.object_arn()});
  } else if (route.category == record::Category::Data) {
    items.push_back({{}, "AWS::S3::Object", request.bucket_arn() + "/"});
  }
  items.push_back({account_id, "AWS::S3::Bucket", request.bucket_arn()});
  return items;
}

std::string authorised_resource(const S3Request& request, const Route& route) {
  if (route.target == Target::Service) {
    return "*";
  }
  if (route.name == "DeleteObjects" || route.name == "PostObject") {
    return request.bucket_arn() + "/*";
  }
  return route.target == Target::Object ? request.object_arn() : request.bucket_arn();
}

ApiError error_of(std::unexpected<Error> refused) { return to_api_error(refused.error()); }

std::optional<ApiError> find_fault(const S3Request& request, const Route& route) {
  if (route.target == Target::Service && !request.key.empty()) {
    return error_of(refuse("InvalidURI"));
  }
  const std::string_view version = request.get("versionId");
  if (!version.empty() && version != "null") {
    return error_of(refuse("NoSuchVersion"));
  }
  if (route.name == "ListObjectsV2" && request.get("list-type") != "2") {
    return error_of(refuse("InvalidArgument", "Invalid list-type parameter"));
  }
  return std::nullopt;
}

/// A call that is no operation of S3: recorded by its method, answered with `error`.
Operation unknown_operation(const net::RequestHead& head, ApiError error) {
  Operation operation;
  operation.name = operation.event_name = "Unknown";
  operation.action = "s3:Unknown";
  operation.resource = "*";
  operation.request_parameters = {
      {"Host", recorded_text(head.headers.get("host"))},
      {"method", recorded_text(head.method)},
      {"path", recorded_text(head.path())},
  };
  operation.error = std::move(error);
  return operation;
}

}  // namespace

bool is_upload(const net::RequestHead& head) {
  const auto request = S3Request::parse(head);
  const Route* route = request ? find_route(*request) : nullptr;
  return route != nullptr && (route->name == "PutObject" || route->name == "UploadPart");
}

Operation identify(const Call& call) {
  const net::RequestHead& head = call.exchange.request();
  const auto request = S3Request::parse(head);
  Operation operation;
  if (!request) {
    operation = unknown_operation(head, to_api_error(request.error()));
  } else if (const Route* route = find_route(*request); route == nullptr) {
    operation = unknown_operation(head, error_of(refuse("MethodNotAllowed")));
  } else {
    operation.name = route->name;
    operation.event_name = route->event_name;
    operation.action = route->action;
    operation.resource = authorised_resource(*request, *route);
    operation.read_only = route->read_only;
    operation.category = route->category;
    operation.request_parameters = recorded_parameters(*request, *route, call);
    operation.resources = resources_of(*request, *route, call.account_id);
    operation.error = find_fault(*request, *route);
  }
  operation.additional_event_data = additional_data(call, {});
  return operation;
}

}  // namespace opentrail::services::s3
