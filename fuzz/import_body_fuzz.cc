// Property: whatever an import's body holds, gzip or not, within the limits each item is a record
// with an id and its line, and nothing is taken beyond the limits.
#include "services/ingest/import_body.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace ingest = opentrail::services::ingest;
  constexpr std::size_t kBytesMax = 1 << 20;
  constexpr std::size_t kRecordsMax = 100;
  ingest::ImportLimits limits;
  limits.body_bytes_max = kBytesMax;
  limits.records_max = kRecordsMax;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto* encoding : {"", "gzip"}) {
    const auto body = ingest::read_import_body(text, encoding, limits, opentrail::Timestamp());
    if (!body) {
      continue;
    }
    if (body->items.size() > kRecordsMax) {
      std::abort();
    }
    for (const auto& item : body->items) {
      if (item.line == 0 || item.record.id.empty() || item.record.json.empty()) {
        std::abort();
      }
    }
  }
  return 0;
}
