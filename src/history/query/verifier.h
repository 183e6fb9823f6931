#pragma once
#include "base/error.h"
#include "history/entry_key.h"
#include "history/store/block_source.h"
#include "search/matcher.h"

#include <span>
#include <vector>

namespace opentrail::history {

/// Compares records with an expression that no index answers alone: reads their blocks, in the
/// order in which they lie, on several threads when there are many.
class Verifier {
 public:
  /// Both outlive it. `threads` counts the caller's.
  Verifier(const search::Matcher& matcher, std::size_t threads)
      : matcher_(matcher), threads_(threads) {}

  /// One flag for each of `offsets` (any order): whether its record matches. Errors: the source's.
  Result<std::vector<char>> matches(const BlockSource& blocks,
                                    std::span<const journal::Offset> offsets) const;

 private:
  struct Asked {
    journal::Offset offset;
    std::uint32_t place;
  };
  Result<void> check(const BlockSource& blocks, std::span<const Asked> asked,
                     std::vector<char>& flags) const;

  const search::Matcher& matcher_;
  std::size_t threads_;
};

}  // namespace opentrail::history
