#pragma once
#include "base/error.h"
#include "history/index/index.h"
#include "history/query/part_plan.h"
#include "history/query/search_query.h"
#include "history/query/verifier.h"
#include "history/store/block_source.h"
#include "history/store/event_store.h"

#include <deque>
#include <optional>

namespace opentrail::history {

/// The matches in one part, one after the other in the direction of the search. One thread.
class PartScan {
 public:
  /// All outlive it. `verifier` is asked when the index alone cannot tell.
  PartScan(const Part& part, const search::Expression& expression, const ScanBounds& bounds,
           const BlockSource& blocks, const Verifier& verifier)
      : part_(part),
        expression_(expression),
        bounds_(bounds),
        blocks_(blocks),
        verifier_(verifier),
        keys_(*part.index) {}

  [[nodiscard]] const Part& part() const { return part_; }
  /// Makes the plan. Errors: Corruption.
  Result<void> open(const PartPlan::FindId& find_id);
  /// The next match, absent at the end. Errors: Corruption, the source's.
  Result<std::optional<EntryKey>> next();
  /// The number of matches that next() has not given yet.
  Result<std::uint64_t> count_rest();

 private:
  [[nodiscard]] bool backwards() const { return bounds_.direction == Direction::NewestFirst; }
  Result<bool> fill();
  Result<bool> next_candidates(std::size_t docs_max, std::vector<Doc>& docs);
  void take_window(const DocWindow::Words& words, Doc first, std::vector<Doc>& docs) const;
  Result<void> keep_matches(const std::vector<Doc>& docs);

  const Part& part_;
  const search::Expression& expression_;
  const ScanBounds& bounds_;
  const BlockSource& blocks_;
  const Verifier& verifier_;
  KeyReader keys_;
  std::optional<PartPlan> plan_;
  Doc low_ = 0;  ///< What is left: [low_, high_).
  Doc high_ = 0;
  std::size_t batch_ = 0;  ///< Candidates that are compared at a time.
  std::vector<EntryKey> found_;
  std::size_t given_ = 0;  ///< Of found_.
};

}  // namespace opentrail::history
