#include "history/query/verifier.h"

#include "journal/record_block.h"

#include <algorithm>
#include <future>

namespace opentrail::history {
namespace {

/// Fewer records than this are not worth a thread.
constexpr std::size_t kRecordsPerThreadMin = 256;

}  // namespace

Result<std::vector<char>> Verifier::matches(const BlockSource& blocks,
                                            std::span<const journal::Offset> offsets) const {
  std::vector<Asked> asked;
  asked.reserve(offsets.size());
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    asked.push_back({.offset = offsets[i], .place = static_cast<std::uint32_t>(i)});
  }
  std::ranges::sort(asked, {}, &Asked::offset);
  std::vector<char> flags(offsets.size(), 0);
  const std::size_t parts =
      std::clamp<std::size_t>(asked.size() / kRecordsPerThreadMin, 1, threads_);
  const std::size_t each = (asked.size() + parts - 1) / std::max<std::size_t>(parts, 1);
  std::vector<std::future<Result<void>>> others;
  for (std::size_t part = 1; part < parts; ++part) {
    const auto share =
        std::span(asked).subspan(part * each).first(std::min(each, asked.size() - part * each));
    // Each writes flags of its own records only.
    others.push_back(std::async(std::launch::async, [this, &blocks, share, &flags] {
      return check(blocks, share, flags);
    }));
  }
  Result<void> outcome = check(blocks, std::span(asked).first(std::min(each, asked.size())), flags);
  for (auto& other : others) {
    if (auto result = other.get(); !result && outcome) {
      outcome = std::move(result);
    }
  }
  if (!outcome) {
    return std::unexpected(std::move(outcome).error());
  }
  return flags;
}

Result<void> Verifier::check(const BlockSource& blocks, std::span<const Asked> asked,
                             std::vector<char>& flags) const {
  for (std::size_t i = 0; i < asked.size();) {
    OT_TRY(const journal::RawBlock raw, blocks.block_at(asked[i].offset));
    OT_TRY(const journal::DecodedBlock block, raw.decode());
    for (; i < asked.size() && asked[i].offset < raw.end(); ++i) {
      const std::size_t at = value(asked[i].offset) - value(raw.first);
      if (!matcher_.may_match(block.json(at))) {
        continue;
      }
      OT_TRY(const auto record, block.record(at));
      OT_TRY(const bool match, matcher_.matches(record));
      flags[asked[i].place] = match ? 1 : 0;
    }
  }
  return {};
}

}  // namespace opentrail::history
