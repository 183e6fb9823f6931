#pragma once
#include "base/error.h"
#include "history/history.h"
#include "history/query/view_scan.h"
#include "history/store/event_store.h"

namespace opentrail::history {

/// Counts the matches of a plan over a view, by the values of a field and by time as `query` says.
/// Memory: one bit a record, and the groups. Errors: InvalidArgument for more than kBucketsMax
/// buckets, or group_buckets_max of all groups; Corruption, those of the journal and the files.
Result<Counts> count_matches(const View& view, const EventStore& store, const SearchPlan& plan,
                             const CountQuery& query);

}  // namespace opentrail::history
