#pragma once
#include "base/error.h"
#include "bench/report.h"

namespace opentrail::bench {

struct BenchRun;

/// Searches of three filters with the values of records that were made, a page of 50 each, over all
/// accounts and Regions; then a text that no record has is looked for in the request parameters of
/// all records, which the index cannot answer.
Result<Section> run_search(BenchRun& run);

}  // namespace opentrail::bench
