#pragma once
#include "base/error.h"
#include "bench/report.h"

namespace opentrail::bench {

struct BenchRun;

/// Sends all records in bodies of batch_records and looks one of each up right after it was
/// acknowledged. The bodies are made ahead, a wave of prepared_bytes_max at a time, while the clock
/// stands: what is measured is the server.
Result<Section> run_ingest(BenchRun& run);

}  // namespace opentrail::bench
