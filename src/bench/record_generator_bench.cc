// Question: is making a record cheap beside sending it, so that a load generator measures the
// server and not itself? Budget: 1 us a record.
#include "bench/record_generator.h"
#include "bench/templates.h"

#include <benchmark/benchmark.h>

static void BM_NextRecord(benchmark::State& state) {
  const auto templates = opentrail::bench::load_builtin_templates();
  auto generator = opentrail::bench::RecordGenerator::make(templates.records, {}).value();
  std::string out;
  std::size_t bytes = 0;
  for ([[maybe_unused]] auto _ : state) {
    out.clear();
    generator.next(out);
    bytes += out.size();
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(BM_NextRecord);
