#include "history/query/part_scan.h"

#include <algorithm>
#include <bit>

namespace opentrail::history {
namespace {

constexpr Doc kWordBits = 64;
/// The first page of a search that has to read records reads few; a long one reads many at a time.
constexpr std::size_t kBatchMin = 256;
constexpr std::size_t kBatchMax = 32 << 10;

}  // namespace

Result<void> PartScan::open(const PartPlan::FindId& find_id) {
  OT_TRY(low_, keys_.count_below(bounds_.first_key()));
  OT_TRY(high_, keys_.count_below(bounds_.end_key()));
  if (low_ >= high_) {
    low_ = high_;
    return {};
  }
  OT_TRY(plan_, PartPlan::make(expression_, *part_.index, find_id));
  batch_ = kBatchMin;
  return {};
}

Result<std::optional<EntryKey>> PartScan::next() {
  while (given_ == found_.size()) {
    OT_TRY(const bool more, fill());
    if (!more) {
      return std::nullopt;
    }
  }
  return found_[given_++];
}

/// Finds some more; false when nothing is left to look at.
Result<bool> PartScan::fill() {
  found_.clear();
  given_ = 0;
  if (low_ == high_ || plan_->is_empty()) {
    return false;
  }
  std::vector<Doc> docs;
  OT_TRY(const bool more, next_candidates(plan_->is_exact() ? 1 : batch_, docs));
  OT_TRY_DO(keep_matches(docs));
  batch_ = std::min(2 * batch_, kBatchMax);
  return more || !found_.empty();
}

/// Candidates from window after window, until there are enough or none are left (false).
Result<bool> PartScan::next_candidates(std::size_t docs_max, std::vector<Doc>& docs) {
  while (docs.size() < docs_max) {
    if (low_ == high_) {
      return false;
    }
    OT_TRY(const auto at, backwards() ? plan_->last_below(high_) : plan_->first_from(low_));
    if (!at || *at < low_ || *at >= high_) {
      low_ = high_;
      return false;
    }
    const Doc first = DocWindow::first_of(*at);
    OT_TRY(const auto words, plan_->window(first));
    take_window(words, first, docs);
    if (backwards()) {
      high_ = std::max(first, low_);
    } else {
      low_ = std::min(first + DocWindow::kDocs, high_);
    }
  }
  return true;
}

/// Those of the window that are in [low_, high_), in the direction of the search.
void PartScan::take_window(const DocWindow::Words& words, Doc first, std::vector<Doc>& docs) const {
  const std::size_t before = docs.size();
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (std::uint64_t word = words[i]; word != 0; word &= word - 1) {
      const Doc doc =
          first + static_cast<Doc>(i * kWordBits) + static_cast<Doc>(std::countr_zero(word));
      if (doc >= low_ && doc < high_) {
        docs.push_back(doc);
      }
    }
  }
  if (backwards()) {
    std::ranges::reverse(docs.begin() + static_cast<std::ptrdiff_t>(before), docs.end());
  }
}

Result<void> PartScan::keep_matches(const std::vector<Doc>& docs) {
  const bool all_in_time = part_.meta().end <= bounds_.end;
  for (const Doc doc : docs) {
    OT_TRY(const EntryKey key, keys_.at(doc));
    if (all_in_time || key.offset < bounds_.end) {
      found_.push_back(key);
    }
  }
  if (plan_->is_exact() || found_.empty()) {
    return {};
  }
  std::vector<journal::Offset> offsets(found_.size());
  std::ranges::transform(found_, offsets.begin(), &EntryKey::offset);
  OT_TRY(const std::vector<char> flags, verifier_.matches(blocks_, offsets));
  std::size_t kept = 0;
  for (std::size_t i = 0; i < found_.size(); ++i) {
    if (flags[i] != 0) {
      found_[kept++] = found_[i];
    }
  }
  found_.resize(kept);
  return {};
}

Result<std::uint64_t> PartScan::count_rest() {
  if (!plan_) {
    return 0;
  }
  if (plan_->is_exact() && part_.meta().end <= bounds_.end) {
    std::uint64_t count = found_.size() - given_;
    given_ = found_.size();
    if (plan_->is_all()) {
      return count + (high_ - std::exchange(low_, high_));
    }
    while (low_ < high_) {
      OT_TRY(const auto at, plan_->first_from(low_));
      if (!at || *at >= high_) {
        break;
      }
      const Doc first = DocWindow::first_of(*at);
      OT_TRY(auto words, plan_->window(first));
      for (std::size_t i = 0; i < words.size(); ++i) {
        const Doc from = first + static_cast<Doc>(i * kWordBits);
        if (from >= low_ && from + kWordBits <= high_) {
          count += static_cast<std::uint64_t>(std::popcount(words[i]));
          continue;
        }
        for (std::uint64_t word = words[i]; word != 0; word &= word - 1) {
          const Doc doc = from + static_cast<Doc>(std::countr_zero(word));
          count += doc >= low_ && doc < high_ ? 1 : 0;
        }
      }
      low_ = std::min(first + DocWindow::kDocs, high_);
    }
    low_ = high_;
    return count;
  }
  std::uint64_t count = 0;
  for (;;) {
    OT_TRY(const auto key, next());
    if (!key) {
      return count;
    }
    ++count;
  }
}

}  // namespace opentrail::history
