#include "base/text.h"
#include "io/offload.h"
#include "objects/checksums.h"
#include "services/s3/acl.h"
#include "services/s3/checksums.h"
#include "services/s3/list_parameters.h"
#include "services/s3/multipart.h"
#include "services/s3/object_headers.h"
#include "services/s3/operations.h"
#include "services/s3/payload.h"
#include "services/s3/s3_status.h"
#include "services/s3/xml_writer.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace opentrail::services::s3 {
namespace {

constexpr int kNoContent = 204;

std::string upload_id(const S3Call& call) { return std::string(call.request.get("uploadId")); }

Result<std::string> checksum_type(const S3Call& call) {
  const std::string_view type = call.request.header("x-amz-checksum-type");
  if (!type.empty() && type != objects::kComposite && type != objects::kFullObject) {
    return refuse("InvalidRequest", "Value for x-amz-checksum-type header is invalid.");
  }
  return std::string(type);
}

/// The parts that the client lists, as the store has them. Those it lacks are left out: the store
/// refuses them by itself.
Result<std::vector<objects::PartInfo>> listed_parts(
    S3Call& call, const std::vector<objects::CompletedPart>& completed) {
  OT_TRY(const auto stored,
         call.store.parts(call.request.bucket, call.request.key, upload_id(call)));
  std::map<int, objects::PartInfo> by_number;
  for (const objects::PartInfo& part : stored) {
    by_number.emplace(part.number, part);
  }
  std::vector<objects::PartInfo> listed;
  for (const objects::CompletedPart& part : completed) {
    if (const auto found = by_number.find(part.number); found != by_number.end()) {
      listed.push_back(found->second);
    }
  }
  return listed;
}

/// A checksum of the whole that the client sends is checked before the object is there.
Result<void> check_whole(S3Call& call, const std::vector<objects::CompletedPart>& completed) {
  OT_TRY(const objects::Checksums sent, sent_checksums(call.headers()));
  const std::string_view size = call.request.header("x-amz-mp-object-size");
  if (sent.empty() && size.empty()) {
    return {};
  }
  OT_TRY(const auto parts, listed_parts(call, completed));
  std::uint64_t bytes = 0;
  std::vector<objects::PartChecksum> checksums;
  for (const objects::PartInfo& part : parts) {
    bytes += part.size;
    const auto own = sent.empty() ? part.checksums.end() : part.checksums.find(sent.begin()->first);
    checksums.push_back({own == part.checksums.end() ? "" : own->second, part.size});
  }
  if (!size.empty() && size != fmt::to_string(bytes)) {
    return refuse("InvalidRequest",
                  "The provided 'x-amz-mp-object-size' header does not match what was computed.");
  }
  if (sent.empty()) {
    return {};
  }
  const auto& [algorithm, value] = *sent.begin();
  const std::string_view type =
      value.find('-') == std::string::npos ? objects::kFullObject : objects::kComposite;
  if (objects::combine_checksums(algorithm, type, checksums) != value) {
    return refuse("BadDigest", fmt::format("The {} you specified did not match the calculated "
                                           "checksum.",
                                           algorithm));
  }
  return {};
}

void write_checksums(XmlWriter& xml, const objects::Checksums& checksums, std::string_view type) {
  for (const auto& [algorithm, value] : checksums) {
    xml.element(checksum_element(algorithm), value);
  }
  if (!checksums.empty() && !type.empty()) {
    xml.element("ChecksumType", type);
  }
}

/// One page of the uploads of a bucket.
struct UploadPage {
  std::vector<objects::UploadInfo> uploads;
  std::set<std::string> common_prefixes;
  bool truncated = false;
  std::string next_key;
  std::string next_upload_id;
};

UploadPage page_of(std::vector<objects::UploadInfo> uploads, const S3Call& call,
                   std::size_t uploads_max) {
  const std::string_view prefix = call.request.get("prefix");
  const std::string_view delimiter = call.request.get("delimiter");
  const std::string key_marker(call.request.get("key-marker"));
  const std::string id_marker(call.request.get("upload-id-marker"));
  std::ranges::sort(uploads, {}, [](const objects::UploadInfo& upload) {
    return std::pair(upload.key, upload.upload_id);
  });
  UploadPage page;
  for (objects::UploadInfo& upload : uploads) {
    const bool behind =
        upload.key > key_marker ||
        (upload.key == key_marker && !id_marker.empty() && upload.upload_id > id_marker);
    if (!upload.key.starts_with(prefix) || (!key_marker.empty() && !behind)) {
      continue;
    }
    const std::size_t cut =
        delimiter.empty() ? std::string::npos : upload.key.find(delimiter, prefix.size());
    std::string rolled =
        cut == std::string::npos ? "" : upload.key.substr(0, cut + delimiter.size());
    const bool shown = !rolled.empty() && page.common_prefixes.contains(rolled);
    if (!shown && page.uploads.size() + page.common_prefixes.size() == uploads_max) {
      page.truncated = uploads_max > 0;
      break;
    }
    page.next_key = upload.key;
    page.next_upload_id = upload.upload_id;
    if (!rolled.empty()) {
      page.common_prefixes.insert(std::move(rolled));
    } else {
      page.uploads.push_back(std::move(upload));
    }
  }
  return page;
}

}  // namespace

Result<Outcome> create_multipart_upload(S3Call& call) {
  OT_TRY(objects::NewObject object, read_new_object(call.request));
  OT_TRY(object.checksum_type, checksum_type(call));
  const std::string_view named = call.request.header("x-amz-checksum-algorithm");
  if (!named.empty()) {
    OT_TRY_DO(parse_algorithm(named));
  }
  OT_TRY(const std::string id, call.store.create_upload(object));
  XmlWriter xml("InitiateMultipartUploadResult");
  xml.element("Bucket", call.request.bucket)
      .element("Key", call.request.key)
      .element("UploadId", id);
  Outcome outcome = xml_outcome(xml.finish());
  write_encryption_header(outcome.head.headers);
  if (!named.empty()) {
    const bool full = named == "CRC64NVME";
    outcome.head.headers.add("x-amz-checksum-algorithm", std::string(named));
    outcome.head.headers.add("x-amz-checksum-type",
                             !object.checksum_type.empty()
                                 ? object.checksum_type
                                 : std::string(full ? objects::kFullObject : objects::kComposite));
  }
  call.traffic.sse_applied = sse_applied(call.request);
  outcome.response_elements = {{"x-amz-server-side-encryption", "AES256"},
                               {"bucket", call.request.bucket},
                               {"key", call.request.key},
                               {"uploadId", id}};
  return outcome;
}

asio::awaitable<Result<Outcome>> upload_part(S3Call& call) {
  OT_CO_TRY_DO(check_offered(call.request));
  OT_CO_TRY(const int number, parse_part_number(call.request.get("partNumber")));
  OT_CO_TRY(PayloadPlan plan, plan_payload(call.call.exchange.request()));
  auto begin = [&]() {
    return call.store.begin_part(call.request.bucket, call.request.key, upload_id(call), number,
                                 plan.algorithms);
  };
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
  add_checksum_headers(stored->checksums, {}, outcome.head.headers);
  outcome.response_elements = {{"x-amz-server-side-encryption", "AES256"}};
  co_return outcome;
}

Result<Outcome> complete_multipart_upload(S3Call& call) {
  if (call.headers().find("if-none-match") || call.headers().find("if-match")) {
    return refuse("NotImplemented",
                  "Conditional completions are not offered here; leave the If-* headers out");
  }
  OT_TRY(const auto parts, parse_completed_parts(call.call.body));
  OT_TRY_DO(check_whole(call, parts));
  OT_TRY(const objects::ObjectInfo object,
         call.store.complete_upload(call.request.bucket, call.request.key, upload_id(call), parts));
  XmlWriter xml("CompleteMultipartUploadResult");
  xml.element("Location",
              fmt::format("{}://{}/{}/{}", call.call.exchange.request().tls ? "https" : "http",
                          to_valid_utf8(call.request.header("host")), call.request.bucket,
                          uri_encode(call.request.key, true)));
  xml.element("Bucket", call.request.bucket)
      .element("Key", call.request.key)
      .element("ETag", object.etag);
  write_checksums(xml, object.checksums, object.checksum_type);
  Outcome outcome = xml_outcome(xml.finish());
  write_encryption_header(outcome.head.headers);
  call.traffic.sse_applied = "SSE_S3";
  outcome.response_elements = {{"x-amz-server-side-encryption", "AES256"},
                               {"bucket", call.request.bucket},
                               {"key", call.request.key},
                               {"eTag", object.etag}};
  return outcome;
}

Result<Outcome> abort_multipart_upload(S3Call& call) {
  OT_TRY_DO(call.store.abort_upload(call.request.bucket, call.request.key, upload_id(call)));
  return empty_outcome(kNoContent);
}

Result<Outcome> list_parts(S3Call& call) {
  OT_TRY(const std::size_t parts_max, parse_page_size(call.request, "max-parts"));
  OT_TRY(const NameEncoding encode, NameEncoding::parse(call.request));
  const auto marker = parse_int(call.request.get("part-number-marker")).value_or(0);
  OT_TRY(auto parts, call.store.parts(call.request.bucket, call.request.key, upload_id(call)));
  std::erase_if(parts, [&](const objects::PartInfo& part) { return part.number <= marker; });
  std::ranges::sort(parts, {}, &objects::PartInfo::number);
  const std::size_t shown = std::min(parts.size(), parts_max);
  const bool truncated = shown < parts.size() && parts_max > 0;
  XmlWriter xml("ListPartsResult");
  xml.element("Bucket", call.request.bucket)
      .element("Key", encode(call.request.key))
      .element("UploadId", call.request.get("uploadId"));
  write_owner(xml, call.bucket.owner_account_id, "Initiator");
  write_owner(xml, call.bucket.owner_account_id);
  xml.element("StorageClass", "STANDARD").element("PartNumberMarker", fmt::to_string(marker));
  xml.element("NextPartNumberMarker", fmt::to_string(shown > 0 ? parts[shown - 1].number : 0));
  xml.element("MaxParts", fmt::to_string(parts_max))
      .element("IsTruncated", truncated ? "true" : "false");
  for (std::size_t i = 0; i < shown; ++i) {
    xml.open("Part").element("PartNumber", fmt::to_string(parts[i].number));
    xml.element("LastModified", to_iso_millis(parts[i].last_modified))
        .element("ETag", parts[i].etag)
        .element("Size", fmt::to_string(parts[i].size));
    write_checksums(xml, parts[i].checksums, {});
    xml.close();
  }
  return xml_outcome(xml.finish());
}

Result<Outcome> list_multipart_uploads(S3Call& call) {
  OT_TRY(const std::size_t uploads_max, parse_page_size(call.request, "max-uploads"));
  OT_TRY(const NameEncoding encode, NameEncoding::parse(call.request));
  OT_TRY(auto uploads, call.store.uploads(call.request.bucket));
  const UploadPage page = page_of(std::move(uploads), call, uploads_max);
  XmlWriter xml("ListMultipartUploadsResult");
  xml.element("Bucket", call.request.bucket);
  xml.element("KeyMarker", encode(call.request.get("key-marker")));
  xml.element("UploadIdMarker", call.request.get("upload-id-marker"));
  if (page.truncated) {
    xml.element("NextKeyMarker", encode(page.next_key));
    xml.element("NextUploadIdMarker", page.next_upload_id);
  }
  xml.element("Prefix", encode(call.request.get("prefix")));
  if (call.request.has("delimiter")) {
    xml.element("Delimiter", encode(call.request.get("delimiter")));
  }
  if (encode.is_url()) {
    xml.element("EncodingType", "url");
  }
  xml.element("MaxUploads", fmt::to_string(uploads_max))
      .element("IsTruncated", page.truncated ? "true" : "false");
  for (const objects::UploadInfo& upload : page.uploads) {
    xml.open("Upload").element("Key", encode(upload.key)).element("UploadId", upload.upload_id);
    write_owner(xml, call.bucket.owner_account_id, "Initiator");
    write_owner(xml, call.bucket.owner_account_id);
    xml.element("StorageClass", "STANDARD")
        .element("Initiated", to_iso_millis(upload.initiated))
        .close();
  }
  for (const std::string& prefix : page.common_prefixes) {
    xml.open("CommonPrefixes").element("Prefix", encode(prefix)).close();
  }
  return xml_outcome(xml.finish());
}

}  // namespace opentrail::services::s3
