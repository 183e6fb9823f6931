#pragma once
#include "base/error.h"
#include "history/query/part_scan.h"
#include "history/query/record_reader.h"
#include "history/query/search_query.h"
#include "history/query/verifier.h"
#include "history/store/event_store.h"
#include "search/matcher.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::history {

/// One search: what it matches, made ready once.
class SearchPlan {
 public:
  /// `threads` may read records at the same time; the caller's counts.
  SearchPlan(const search::Expression& expression, ScanBounds bounds, std::size_t threads);

  [[nodiscard]] const search::Expression& expression() const { return matcher_.expression(); }
  [[nodiscard]] const search::Matcher& matcher() const { return matcher_; }
  [[nodiscard]] const ScanBounds& bounds() const { return bounds_; }
  [[nodiscard]] const Verifier& verifier() const { return verifier_; }
  /// The id that every match must have, when the expression says so.
  [[nodiscard]] std::optional<std::string_view> only_id() const;
  /// False when the terms of a record tell whether it matches.
  [[nodiscard]] bool needs_record() const { return needs_record_; }

 private:
  search::Matcher matcher_;
  ScanBounds bounds_;
  Verifier verifier_;
  bool needs_record_;
};

/// A match, and where its record can be read.
struct Match {
  EntryKey key;
  const BlockSource* blocks = nullptr;
};

/// The matches of a whole view in the direction of the search: parts are opened only when their
/// time comes. One thread. All that is given to it outlives it.
class ViewScan {
 public:
  ViewScan(const View& view, const EventStore& store, const SearchPlan& plan);

  /// Absent at the end. Errors: Corruption, those of the journal and the files.
  Result<std::optional<Match>> next();
  /// How many matches next() has not given yet; then there are none left.
  Result<std::uint64_t> count_rest();

 private:
  /// A part with the key that its next match has, or before opening cannot be ahead of.
  struct Source {
    PartScan scan;
    const BlockSource* blocks;
    EntryKey next;
    bool is_open = false;
  };

  Result<void> start();
  Result<void> start_with_id(std::string_view id);
  Result<void> add_recent();
  [[nodiscard]] Result<bool> recent_matches(const NewDoc& doc);
  [[nodiscard]] bool in_bounds(EntryKey key) const;
  /// True when `a` comes later in the direction of the search.
  [[nodiscard]] bool is_later(EntryKey a, EntryKey b) const;
  void push(Source* source);
  Source* pop();
  Result<std::vector<Doc>> docs_of_id(std::string_view id, const Index& index);
  Result<bool> advance(Source& source);

  const View& view_;
  const EventStore& store_;
  const SearchPlan& plan_;
  RecordReader reader_;
  bool started_ = false;
  std::deque<Source> sources_;
  std::vector<Source*> heap_;
  std::vector<EntryKey> recent_;  ///< Matches, the next one last.
};

}  // namespace opentrail::history
