// Property: the items of a stream depend neither on how it is cut into pieces nor on the method;
// what is a record, and what its terms, its lookup fields and what selectors look at are, agrees
// with simdjson's tree; whatever parses as a record keeps its bytes.
#include "record/record.h"
#include "record/record_reference.h"
#include "record/splitter.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

namespace record = opentrail::record;

struct Items {
  std::vector<std::pair<std::string, std::uint64_t>> all;  ///< With their lines.
  std::uint64_t digests = 0;
  std::string error;
  bool operator==(const Items&) const = default;
};

Items split(std::string_view text, std::size_t piece, record::SplitMethod method, bool tell) {
  Items items;
  record::RecordSplitter::OnBroken on_broken;
  if (tell) {
    on_broken = [&](const record::RecordSplitter::BrokenLines& lines) {
      if (lines.first > lines.last) {
        std::abort();
      }
      items.all.emplace_back(lines.what, lines.last);
      return opentrail::Result<void>();
    };
  }
  record::RecordSplitter splitter(
      [&](const record::RecordSplitter::Item& item) {
        items.all.emplace_back(item.json, item.line);
        return opentrail::Result<void>();
      },
      on_broken, method);
  opentrail::Result<void> result;
  for (std::size_t at = 0; result && at < text.size(); at += piece) {
    result = splitter.feed(text.substr(at, piece));
  }
  if (result) {
    result = splitter.finish();
  }
  items.digests = splitter.digests_seen();
  items.error = result ? "" : result.error().message();
  return items;
}

bool holds(const std::string& json) {
  if (!record::reference::disagreement(json).empty()) {
    return false;
  }
  auto parsed = record::parse_record(json, record::Origin::Import, opentrail::Timestamp());
  if (!parsed) {
    return !record::lookup_fields(json);
  }
  const auto fields = record::lookup_fields(parsed->json);
  return parsed->json == json && !parsed->id.empty() && fields && fields->event_id == parsed->id &&
         fields->resources.size() <= record::kResourceNamesMax;
}

Items split_by_all_methods(std::string_view text, bool tell) {
  const std::size_t whole = std::max<std::size_t>(text.size(), 1);
  Items expected = split(text, whole, record::SplitMethod::ByteWise, tell);
  for (const auto method : {record::SplitMethod::Sse2, record::best_split_method()}) {
    for (const std::size_t piece : {whole, std::size_t{1}, std::size_t{70}}) {
      if (split(text, piece, method, tell) != expected) {
        std::abort();
      }
    }
  }
  return expected;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  split_by_all_methods(text, true);
  const Items items = split_by_all_methods(text, false);
  // Not only what the splitter lets through: a record can come from elsewhere.
  if (!holds(std::string(text)) ||
      !std::ranges::all_of(items.all, [](const auto& item) { return holds(item.first); })) {
    std::abort();
  }
  return 0;
}
