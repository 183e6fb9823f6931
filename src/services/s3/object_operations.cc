#include "base/json_writer.h"
#include "base/text.h"
#include "io/offload.h"
#include "services/s3/acl.h"
#include "services/s3/checksums.h"
#include "services/s3/conditions.h"
#include "services/s3/object_headers.h"
#include "services/s3/operations.h"
#include "services/s3/payload.h"
#include "services/s3/s3_status.h"
#include "services/s3/xml_reader.h"

#include <fmt/format.h>

namespace opentrail::services::s3 {
namespace {

constexpr int kNoContent = 204;
constexpr int kNotModified = 304;
constexpr std::size_t kDeletesMax = 1000;  // S3's own bound of one DeleteObjects
/// Of the ARNs in the record of one DeleteObjects: what is left of record::kOwnRecordBytesMax is
/// for the rest of it.
constexpr std::size_t kDeletedArnsBytesMax = 240 << 10;

/// Conditions of a write: only "If-None-Match: *" can be kept while the bytes come in.
Result<bool> wants_new_key(const S3Call& call) {
  const std::string_view none_match = call.request.header("if-none-match");
  if ((!none_match.empty() && none_match != "*") || call.headers().find("if-match")) {
    return refuse("NotImplemented",
                  "Of the conditions of a write only If-None-Match: * is implemented");
  }
  return none_match == "*";
}

/// The deletions that a DeleteObjects body lists.
struct Deletions {
  std::vector<std::string> keys;
  bool quiet = false;
};

Result<Deletions> parse_deletions(const S3Call& call) {
  OT_TRY(const XmlBody body, XmlBody::parse(call.call.body, "Delete"));
  Deletions deletions;
  deletions.quiet = body.root().text("Quiet") == "true";
  const auto listed = body.root().children("Object");
  if (listed.empty() || listed.size() > kDeletesMax) {
    return refuse("MalformedXML");
  }
  for (const XmlBody::Element& object : listed) {
    const std::string version = object.text("VersionId");
    if (!version.empty() && version != "null") {
      return refuse("NoSuchVersion");
    }
    if (object.has("ETag") || object.has("Size") || object.has("LastModifiedTime")) {
      return refuse("NotImplemented",
                    "Conditional deletes are not offered here; leave the If-Match headers out");
    }
    std::string key = object.raw_text("Key");
    if (key.empty()) {
      return refuse("MalformedXML");
    }
    deletions.keys.push_back(std::move(key));
  }
  return deletions;
}

/// A record that is too large gives up resources: keys could be deleted unseen by the trails that
/// ask for them. So no more are taken than its record names.
Result<void> check_recordable(const S3Call& call, const std::vector<std::string>& keys) {
  constexpr std::size_t kItemBytes = 40;  // {"type":"AWS::S3::Object","ARN":...},
  std::string shown;
  for (const std::string& key : keys) {
    append_json_string(shown, call.request.bucket_arn() + "/" + key);
  }
  if (shown.size() + keys.size() * kItemBytes > kDeletedArnsBytesMax) {
    return refuse("InvalidRequest",
                  "The keys are too long for the record of this call; send fewer at once");
  }
  return {};
}

Result<void> remove_one(S3Call& call, const std::string& key) {
  if (!may_touch(call, "s3:DeleteObject", key)) {
    return refuse("AccessDenied");
  }
  return call.store.remove(call.request.bucket, key);
}

}  // namespace

Result<Outcome> head_object(S3Call& call) {
  if (call.request.has("partNumber")) {
    return refuse("NotImplemented", "Objects are not read by part number here; use Range");
  }
  OT_TRY(const objects::ObjectInfo object, call.store.head(call.request.bucket, call.request.key));
  const Verdict verdict = judge(read_conditions(call.headers()), object);
  if (verdict == Verdict::Failed) {
    return refuse("PreconditionFailed");
  }
  OT_TRY(const auto range, parse_range(call.request.header("range"), object.size));
  const bool whole = !range;
  const bool wants_checksums =
      equals_ignore_case(call.request.header("x-amz-checksum-mode"), "ENABLED");
  Outcome outcome = empty_outcome(verdict == Verdict::NotModified ? kNotModified : 200);
  net::Headers& headers = outcome.head.headers;
  write_object_headers(object, wants_checksums && whole, headers);
  if (verdict == Verdict::Proceed) {
    constexpr int kPartialContent = 206;
    headers.set("Content-Length", fmt::to_string(whole ? object.size : range->length));
    if (!whole) {
      outcome.head.status = kPartialContent;
      headers.set("Content-Range", fmt::format("bytes {}-{}/{}", range->first,
                                               range->first + range->length - 1, object.size));
    }
  }
  call.traffic.sse_applied = "SSE_S3";
  return outcome;
}

Result<Outcome> get_object_acl(S3Call& call) {
  OT_TRY_DO(call.store.head(call.request.bucket, call.request.key));
  return xml_outcome(owner_acl(call.bucket.owner_account_id));
}

/// Tags cannot be put, so that every object has none.
Result<Outcome> get_object_tagging(S3Call& call) {
  OT_TRY_DO(call.store.head(call.request.bucket, call.request.key));
  XmlWriter xml("Tagging");
  xml.open("TagSet");
  return xml_outcome(xml.finish());
}

Result<Outcome> delete_object(S3Call& call) {
  if (call.headers().find("if-match")) {
    return refuse("NotImplemented",
                  "Conditional deletes are not offered here; leave the If-Match headers out");
  }
  OT_TRY_DO(call.store.remove(call.request.bucket, call.request.key));
  return empty_outcome(kNoContent);
}

/// The record names every key: what was deleted is what its reader wants to know.
Result<Outcome> delete_objects(S3Call& call) {
  OT_TRY_DO(check_body(call.headers(), call.call.body));
  OT_TRY(const Deletions deletions, parse_deletions(call));
  OT_TRY_DO(check_recordable(call, deletions.keys));
  XmlWriter xml("DeleteResult");
  for (const std::string& key : deletions.keys) {
    call.resources.push_back({{}, "AWS::S3::Object", call.request.bucket_arn() + "/" + key});
    if (const auto removed = remove_one(call, key); !removed) {
      const ApiError error = to_api_error(removed.error());
      xml.open("Error").element("Key", key).element("Code", error.code);
      xml.element("Message", error.message).close();
    } else if (!deletions.quiet) {
      xml.open("Deleted").element("Key", key).close();
    }
  }
  call.resources.push_back(
      {call.bucket.owner_account_id, "AWS::S3::Bucket", call.request.bucket_arn()});
  return xml_outcome(xml.finish());
}

asio::awaitable<Result<Outcome>> put_object(S3Call& call) {
  OT_CO_TRY(const objects::NewObject object, read_new_object(call.request));
  OT_CO_TRY(PayloadPlan plan, plan_payload(call.call.exchange.request()));
  OT_CO_TRY(plan.expected.if_none_match, wants_new_key(call));
  auto begin = [&]() { return call.store.begin_put(object, plan.algorithms); };
  OT_CO_TRY(const std::unique_ptr<objects::ObjectWriter> writer,
            co_await io::offload(call.workers, std::move(begin)));
  call.traffic.sse_applied = sse_applied(call.request);
  std::uint64_t bytes_in = 0;
  const auto stored = co_await receive(call.call, *writer, std::move(plan), call.workers, bytes_in);
  call.traffic.bytes_in = bytes_in;
  if (!stored) {
    co_return std::unexpected(stored.error());
  }
  Outcome outcome = empty_outcome(200);
  outcome.head.headers.add("ETag", stored->etag);
  write_encryption_header(outcome.head.headers);
  add_checksum_headers(stored->checksums, stored->checksum_type, outcome.head.headers);
  outcome.response_elements = {{"x-amz-server-side-encryption", "AES256"}};
  co_return outcome;
}

}  // namespace opentrail::services::s3
