#pragma once
#include "bench/phases.h"

namespace opentrail::bench {

/// LookupEvents by each attribute, with values of random records: first by as many connections as
/// the run has, for what a call takes, then by eight, for how many the server can answer.
Result<Section> run_lookup(BenchRun& run);

}  // namespace opentrail::bench
