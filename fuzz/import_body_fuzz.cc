// Property: whatever an import's body holds, packed or not, and however it comes in pieces, each
// item is a record with an id and its line, in batches within their bound; how it was cut changes
// nothing.
// Input: one byte that chooses the coding and the size of the pieces, then the body.
#include "services/ingest/import_reader.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace ingest = opentrail::services::ingest;
using opentrail::collect::Coding;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

struct Seen {
  std::vector<std::string> items;
  bool failed = false;
  bool operator==(const Seen&) const = default;
};

void look(ingest::ImportBatch& batch, Seen& seen) {
  for (const auto& item : batch.items) {
    require(item.line > 0 && !item.record.id.empty() && !item.record.json.empty());
    seen.items.push_back(std::to_string(item.line) + item.record.json);
  }
  for (const auto& broken : batch.invalid) {
    require(!broken.message.empty() && broken.items_before <= batch.items.size());
  }
  batch = {};
}

Seen read(std::string_view body, Coding coding, std::size_t piece_bytes) {
  ingest::ImportLimits limits;
  limits.batch_records_max = 50;
  limits.unpacked_bytes_max = 1 << 20;
  ingest::ImportReader reader(coding, limits, opentrail::Timestamp());
  ingest::ImportBatch batch;
  Seen seen;
  while (!body.empty() && !seen.failed) {
    std::string_view piece = body.substr(0, piece_bytes);
    body.remove_prefix(piece.size());
    for (bool more = true; more && !seen.failed;) {
      const auto full = reader.take(piece, batch);
      seen.failed = !full;
      more = full && *full;
      look(batch, seen);
    }
  }
  if (!seen.failed) {
    seen.failed = !reader.finish(batch);
  }
  look(batch, seen);
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  constexpr Coding kCodings[] = {Coding::Identity, Coding::Gzip, Coding::Zstd};
  const Coding coding = kCodings[data[0] % 3];
  const std::size_t piece_bytes = std::max<std::size_t>(1, data[0] / 3);
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  require(read(body, coding, piece_bytes) == read(body, coding, body.size() + 1));
  return 0;
}
