// Property: the items of a stream do not depend on how it is cut into pieces; whatever parses as a
// record keeps its bytes, gives its lookup fields and can be judged by selectors.
#include "record/record.h"
#include "record/selectors.h"
#include "record/splitter.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

namespace record = opentrail::record;

/// The items, and whether the stream ended well.
std::pair<std::vector<std::string>, bool> split(std::string_view text, std::size_t piece) {
  std::vector<std::string> items;
  record::RecordSplitter splitter([&](const record::RecordSplitter::Item& item) {
    items.emplace_back(item.json);
    return opentrail::Result<void>();
  });
  bool well = true;
  for (std::size_t at = 0; well && at < text.size(); at += piece) {
    well = splitter.feed(text.substr(at, piece)).has_value();
  }
  well = well && splitter.finish().has_value();
  return {std::move(items), well};
}

bool holds(const std::string& json) {
  auto parsed = record::parse_record(json, record::Origin::Import, opentrail::Timestamp());
  if (!parsed) {
    return !record::lookup_fields(json);
  }
  const auto fields = record::lookup_fields(parsed->json);
  return parsed->json == json && !parsed->id.empty() && fields && fields->event_id == parsed->id &&
         fields->resources.size() <= record::kResourceNamesMax &&
         record::selector_subject(*parsed).has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto whole = split(text, std::max<std::size_t>(size, 1));
  const auto bytes = split(text, 1);
  if (whole != bytes || !std::ranges::all_of(whole.first, holds)) {
    std::abort();
  }
  return 0;
}
