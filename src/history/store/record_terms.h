#pragma once
#include "record/record.h"
#include "record/terms.h"

namespace opentrail::history {

/// What the record is found by: its own terms, or for one that was put together by hand, or that an
/// old journal kept with its fields, what its JSON says, but account, Region and category as the
/// record says itself. Pure; any thread.
[[nodiscard]] record::Terms terms_of(const record::Record& record);
/// Gives a record that has no terms those of terms_of(): such a one comes without them from disk.
void complete_terms(record::Record& record);

}  // namespace opentrail::history
