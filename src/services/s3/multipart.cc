#include "services/s3/multipart.h"

#include "base/text.h"
#include "services/s3/checksums.h"
#include "services/s3/s3_status.h"
#include "services/s3/xml_reader.h"

namespace opentrail::services::s3 {

Result<int> parse_part_number(std::string_view text) {
  const auto number = parse_int(text);
  if (!number || *number < 1 || *number > kPartNumberMax) {
    return refuse("InvalidArgument",
                  "Part number must be an integer between 1 and 10000, inclusive");
  }
  return static_cast<int>(*number);
}

Result<std::vector<objects::CompletedPart>> parse_completed_parts(std::string_view body) {
  OT_TRY(const XmlBody document, XmlBody::parse(body, "CompleteMultipartUpload"));
  const auto listed = document.root().children("Part");
  if (listed.empty() || listed.size() > static_cast<std::size_t>(kPartNumberMax)) {
    return refuse("MalformedXML");
  }
  std::vector<objects::CompletedPart> parts;
  for (const XmlBody::Element& element : listed) {
    objects::CompletedPart part;
    OT_TRY(part.number, parse_part_number(element.text("PartNumber")));
    part.etag = element.text("ETag");
    if (part.etag.empty()) {
      return refuse("MalformedXML");
    }
    for (const std::string_view algorithm : kChecksumAlgorithms) {
      std::string value = element.text(checksum_element(algorithm));
      if (!value.empty()) {
        part.checksums[std::string(algorithm)] = std::move(value);
      }
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace opentrail::services::s3
