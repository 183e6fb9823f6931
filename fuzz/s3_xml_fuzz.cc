// Property: XML from clients and from foreign stores is read within its bounds or refused with a
// reason; part numbers that come out are in S3's range.
#include "objects/s3_xml.h"
#include "services/s3/multipart.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace s3 = opentrail::services::s3;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parts = s3::parse_completed_parts(text);
  if (!parts && parts.error().reason().empty()) {
    std::abort();
  }
  if (parts) {
    for (const auto& part : *parts) {
      if (part.number < 1 || part.number > s3::kPartNumberMax) {
        std::abort();
      }
    }
  }
  const auto page = opentrail::objects::parse_list_answer(text);
  if (!page && page.error().message().empty()) {
    std::abort();
  }
  return 0;
}
