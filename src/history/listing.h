#pragma once
#include "base/error.h"
#include "history/event_index.h"
#include "history/history.h"
#include "history/kept.h"
#include "history/lookup_token.h"
#include "journal/journal.h"
#include "record/record.h"

#include <optional>
#include <string>

namespace opentrail::history {

/// One call of History::lookup: the query, checked, with what its token brought along. Pure; the
/// query outlives it.
struct Listing {
  /// Errors: InvalidArgument, reason "InvalidNextToken" or "InvalidMaxResults".
  static Result<Listing> begin(const LookupQuery& query, const Kept& kept, journal::Offset applied);

  /// The record as it is shown; absent when it does not belong to this listing.
  [[nodiscard]] std::optional<FoundEvent> matched(record::Record record) const;
  [[nodiscard]] std::string token_after(EntryKey last) const;

  const LookupQuery& query;
  QueryDigest digest;
  ScanBounds bounds;
  EntryKey before = kNewestKey;
};

/// Exact comparison; a filter by resource matches any of the record's resources.
[[nodiscard]] bool matches(const LookupFilter& filter, const record::LookupFields& fields);

}  // namespace opentrail::history
