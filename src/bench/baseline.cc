#include "bench/baseline.h"

#include "collect/signed_client.h"

#include <algorithm>
#include <array>

namespace opentrail::bench {

namespace {

constexpr std::array<Baseline, 5> kBaselines = {{
    {.name = "parse", .run = run_parse_baseline},
    {.name = "sqlite", .run = run_sqlite_baseline},
    {.name = "postgres", .run = run_postgres_baseline},
    {.name = "gzip", .run = run_gzip_baseline},
    {.name = "zgrep", .run = run_zgrep_baseline},
}};

}  // namespace

std::span<const Baseline> all_baselines() { return kBaselines; }

Result<BaselineRecords> BaselineRecords::make(const BaselineInput& input) {
  OT_TRY(RecordGenerator generator, RecordGenerator::make(input.templates, input.generator));
  return BaselineRecords(input, std::move(generator));
}

Result<std::span<const BaselineRecords::Item>> BaselineRecords::next_batch() {
  if (input_->options.stop != nullptr && input_->options.stop->load()) {
    return fail(ErrorCode::Unavailable, "interrupted", std::string(collect::kInterrupted));
  }
  const std::uint64_t left = input_->records - generator_.records();
  batch_.resize(std::min<std::uint64_t>(left, input_->options.batch_records));
  for (Item& item : batch_) {
    item.json.clear();
    generator_.next(item.json);
    generator_.describe(item.facts);
    bytes_ += item.json.size();
  }
  return std::span<const Item>(batch_);
}

}  // namespace opentrail::bench
