#include "services/s3/acl.h"
#include "services/s3/list_parameters.h"
#include "services/s3/operations.h"
#include "services/s3/s3_status.h"
#include "services/s3/xml_writer.h"

#include <fmt/format.h>

namespace opentrail::services::s3 {
namespace {

/// What the three listings of objects share.
struct Listing {
  objects::ListQuery query;
  NameEncoding encode;
  objects::ListPage page;
};

Result<Listing> parse_listing(const S3Call& call) {
  Listing listing;
  listing.query.bucket = call.request.bucket;
  listing.query.prefix = call.request.get("prefix");
  listing.query.delimiter = call.request.get("delimiter");
  OT_TRY(listing.query.keys_max, parse_page_size(call.request, "max-keys"));
  OT_TRY(listing.encode, NameEncoding::parse(call.request));
  return listing;
}

Result<void> load(S3Call& call, Listing& listing, std::string start_after) {
  listing.query.start_after = std::move(start_after);
  if (listing.query.keys_max > 0) {  // S3 answers an empty page to max-keys=0
    OT_TRY(listing.page, call.store.list_page(listing.query));
  }
  return {};
}

void write_head(XmlWriter& xml, const Listing& listing) {
  xml.element("Name", listing.query.bucket);
  xml.element("Prefix", listing.encode(listing.query.prefix));
  if (!listing.query.delimiter.empty()) {
    xml.element("Delimiter", listing.encode(listing.query.delimiter));
  }
  xml.element("MaxKeys", fmt::to_string(listing.query.keys_max));
  if (listing.encode.is_url()) {
    xml.element("EncodingType", "url");
  }
  xml.element("IsTruncated", listing.page.truncated ? "true" : "false");
}

void write_object(XmlWriter& xml, const Listing& listing, const objects::ObjectInfo& object) {
  xml.element("Key", listing.encode(object.key))
      .element("LastModified", to_iso_millis(object.last_modified))
      .element("ETag", object.etag)
      .element("Size", fmt::to_string(object.size))
      .element("StorageClass", "STANDARD");
}

void write_contents(XmlWriter& xml, const Listing& listing, const std::string* owner) {
  for (const objects::ObjectInfo& object : listing.page.objects) {
    xml.open("Contents");
    write_object(xml, listing, object);
    if (owner != nullptr) {
      write_owner(xml, *owner);
    }
    xml.close();
  }
}

void write_common_prefixes(XmlWriter& xml, const Listing& listing) {
  for (const std::string& prefix : listing.page.common_prefixes) {
    xml.open("CommonPrefixes").element("Prefix", listing.encode(prefix)).close();
  }
}

}  // namespace

Result<Outcome> list_objects(S3Call& call) {
  OT_TRY(Listing listing, parse_listing(call));
  const std::string marker(call.request.get("marker"));
  OT_TRY_DO(load(call, listing, marker));
  XmlWriter xml("ListBucketResult");
  write_head(xml, listing);
  xml.element("Marker", listing.encode(marker));
  // Without a delimiter the last key is the next marker, and S3 leaves it to the client to see.
  if (listing.page.truncated && !listing.query.delimiter.empty()) {
    xml.element("NextMarker", listing.encode(listing.page.next_start_after));
  }
  write_contents(xml, listing, &call.bucket.owner_account_id);
  write_common_prefixes(xml, listing);
  return xml_outcome(xml.finish());
}

Result<Outcome> list_objects_v2(S3Call& call) {
  OT_TRY(Listing listing, parse_listing(call));
  const std::string start_after(call.request.get("start-after"));
  const std::string_view token = call.request.get("continuation-token");
  std::string behind = start_after;
  if (call.request.has("continuation-token")) {
    OT_TRY(behind, parse_continuation_token(token));
  }
  OT_TRY_DO(load(call, listing, std::move(behind)));
  XmlWriter xml("ListBucketResult");
  write_head(xml, listing);
  xml.element("KeyCount",
              fmt::to_string(listing.page.objects.size() + listing.page.common_prefixes.size()));
  if (call.request.has("continuation-token")) {
    xml.element("ContinuationToken", token);
  }
  if (listing.page.truncated) {
    xml.element("NextContinuationToken", make_continuation_token(listing.page.next_start_after));
  }
  if (!start_after.empty()) {
    xml.element("StartAfter", listing.encode(start_after));
  }
  const bool with_owner = call.request.get("fetch-owner") == "true";
  write_contents(xml, listing, with_owner ? &call.bucket.owner_account_id : nullptr);
  write_common_prefixes(xml, listing);
  return xml_outcome(xml.finish());
}

/// Buckets are not versioned: each object has its one version, "null".
Result<Outcome> list_object_versions(S3Call& call) {
  OT_TRY(Listing listing, parse_listing(call));
  const std::string marker(call.request.get("key-marker"));
  OT_TRY_DO(load(call, listing, marker));
  XmlWriter xml("ListVersionsResult");
  write_head(xml, listing);
  xml.element("KeyMarker", listing.encode(marker));
  xml.element("VersionIdMarker", call.request.get("version-id-marker"));
  if (listing.page.truncated) {
    xml.element("NextKeyMarker", listing.encode(listing.page.next_start_after));
    xml.element("NextVersionIdMarker", "null");
  }
  for (const objects::ObjectInfo& object : listing.page.objects) {
    xml.open("Version").element("VersionId", "null").element("IsLatest", "true");
    write_object(xml, listing, object);
    write_owner(xml, call.bucket.owner_account_id);
    xml.close();
  }
  write_common_prefixes(xml, listing);
  return xml_outcome(xml.finish());
}

}  // namespace opentrail::services::s3
