#pragma once
#include "base/error.h"
#include "history/history.h"
#include "history/lookup_token.h"
#include "history/query/search_query.h"
#include "search/expression.h"

#include <string>

namespace opentrail::history {

/// One page that is asked for: what is to match, within which bounds, and how its token is made.
/// Pure.
struct Listing {
  /// `oldest` is the oldest time that is kept, `end` the end of what is searchable.
  /// Errors: InvalidArgument, reason "InvalidNextToken" or "InvalidMaxResults".
  static Result<Listing> begin(const LookupQuery& query, Timestamp oldest, journal::Offset end);
  static Result<Listing> begin(const SearchQuery& query, Timestamp oldest, journal::Offset end);

  [[nodiscard]] std::string token_after(EntryKey last) const;

  search::Expression where;
  ScanBounds bounds;
  std::size_t results_max = 0;
  std::size_t bytes_max = kPageBytesMax;
  QueryDigest digest{};
};

/// The whole of what a search asks for, accounts, Regions and category included.
[[nodiscard]] search::Expression whole_expression(const SearchQuery& query);

}  // namespace opentrail::history
