#include "objects/multipart.h"

#include "objects/checksums.h"
#include "objects/s3_errors.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace opentrail::objects {
namespace {

std::string_view without_quotes(std::string_view etag) {
  if (etag.size() > 1 && etag.starts_with('"') && etag.ends_with('"')) {
    etag.remove_prefix(1);
    etag.remove_suffix(1);
  }
  return etag;
}

/// What the client says of a part is what came in.
bool agrees(const CompletedPart& wanted, const PartInfo& stored) {
  return without_quotes(wanted.etag) == without_quotes(stored.etag) &&
         std::ranges::all_of(wanted.checksums, [&](const auto& checksum) {
           const auto found = stored.checksums.find(checksum.first);
           return found != stored.checksums.end() && found->second == checksum.second;
         });
}

Result<std::vector<StoredPart>> choose(const std::vector<StoredPart>& stored,
                                       const std::vector<CompletedPart>& wanted) {
  std::vector<StoredPart> chosen;
  int before = 0;
  for (const CompletedPart& part : wanted) {
    if (part.number <= before) {
      return s3_fail("InvalidPartOrder");
    }
    before = part.number;
    const auto found = std::ranges::lower_bound(
        stored, part.number, {}, [](const StoredPart& known) { return known.info.number; });
    if (found == stored.end() || found->info.number != part.number || !agrees(part, found->info)) {
      return s3_fail("InvalidPart");
    }
    chosen.push_back(*found);
  }
  return chosen;
}

Result<std::uint64_t> total_bytes(const std::vector<StoredPart>& parts) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i + 1 < parts.size() && parts[i].info.size < kPartBytesMin) {
      return s3_fail("EntityTooSmall");
    }
    total += parts[i].info.size;  // at most 10000 parts of 5 GiB: no overflow
    if (total > kObjectBytesMax) {
      return s3_fail("EntityTooLarge");
    }
  }
  return total;
}

/// The algorithms that every part has a checksum of.
std::vector<std::string> common_algorithms(const std::vector<StoredPart>& parts) {
  std::vector<std::string> common;
  for (const auto& [algorithm, value] : parts.front().info.checksums) {
    const bool everywhere = std::ranges::all_of(
        parts, [&](const StoredPart& part) { return part.info.checksums.contains(algorithm); });
    if (everywhere) {
      common.push_back(algorithm);
    }
  }
  return common;
}

void set_checksums(ObjectInfo& info, const std::vector<StoredPart>& parts, std::string type) {
  const auto algorithms = common_algorithms(parts);
  if (type.empty()) {  // S3 offers crc64nvme for whole objects only
    const bool whole = algorithms == std::vector<std::string>{"crc64nvme"};
    type = whole ? kFullObject : kComposite;
  }
  for (const std::string& algorithm : algorithms) {
    std::vector<PartChecksum> values;
    values.reserve(parts.size());
    for (const StoredPart& part : parts) {
      values.push_back({.base64 = part.info.checksums.at(algorithm), .size = part.info.size});
    }
    if (auto combined = combine_checksums(algorithm, type, values)) {
      info.checksums[algorithm] = *std::move(combined);
    }
  }
  info.checksum_type = info.checksums.empty() ? "" : std::move(type);
}

}  // namespace

Result<void> check_part_number(int number) {
  if (number < 1 || number > kPartNumberMax) {
    return s3_fail(
        "InvalidArgument",
        fmt::format("Part number must be an integer between 1 and {}, inclusive", kPartNumberMax));
  }
  return {};
}

Result<void> check_checksum_type(const std::string& type) {
  if (!type.empty() && type != kComposite && type != kFullObject) {
    return s3_fail("InvalidRequest", "Value for x-amz-checksum-type header is invalid.");
  }
  return {};
}

Result<Completion> complete(const Upload& upload, const std::vector<StoredPart>& stored,
                            const std::vector<CompletedPart>& wanted, std::string id,
                            Timestamp now) {
  if (wanted.empty()) {
    return s3_fail("MalformedXML");
  }
  Completion completion;
  OT_TRY(completion.parts, choose(stored, wanted));
  ObjectInfo& info = completion.object.info;
  OT_TRY(info.size, total_bytes(completion.parts));
  std::vector<std::string> etags;
  etags.reserve(completion.parts.size());
  for (const StoredPart& part : completion.parts) {
    etags.push_back(part.info.etag);
  }
  info.etag = multipart_etag(etags);
  info.last_modified = now;
  completion.object.id = std::move(id);
  const NewObject& object = upload.object;
  info.key = object.key;
  info.content_type = object.content_type;
  info.content_encoding = object.content_encoding;
  info.cache_control = object.cache_control;
  info.content_disposition = object.content_disposition;
  info.content_language = object.content_language;
  info.metadata = object.metadata;
  set_checksums(info, completion.parts, object.checksum_type);
  return completion;
}

}  // namespace opentrail::objects
