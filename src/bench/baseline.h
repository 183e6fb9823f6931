#pragma once
#include "bench/bench.h"
#include "bench/record_generator.h"

#include <span>
#include <string>
#include <string_view>

/// What the same records cost in other places, on the same machine.
namespace opentrail::bench {

struct BaselineInput {
  const BenchOptions& options;
  std::span<const std::string> templates;
  GeneratorOptions generator;
  std::uint64_t records = 0;
  std::string folder;  ///< There, empty; removed afterwards.
  const OnProgress& on_progress;
};

struct Baseline {
  std::string_view name;
  Result<Section> (*run)(const BaselineInput& input);
};
[[nodiscard]] std::span<const Baseline> all_baselines();

/// One simdjson parse and one zstd -1 pass over the same bytes: what no store of them can go below.
Result<Section> run_parse_baseline(const BaselineInput& input);
/// A SQLite database that answers the same lookups: WAL, synchronous=FULL, a transaction a batch.
Result<Section> run_sqlite_baseline(const BaselineInput& input);
/// PostgreSQL 15, COPY into tables with the same indexes, a transaction a batch.
Result<Section> run_postgres_baseline(const BaselineInput& input);
/// gzip -6 of the lines.
Result<Section> run_gzip_baseline(const BaselineInput& input);
/// zgrep over that file: how records in a bucket are searched without a history.
Result<Section> run_zgrep_baseline(const BaselineInput& input);

/// Hands out the input's records a batch at a time, each with what it is found by. The same bytes
/// as those that the phase ingest sends.
class BaselineRecords {
 public:
  struct Item {
    std::string json;
    RecordFacts facts;
  };
  [[nodiscard]] static Result<BaselineRecords> make(const BaselineInput& input);
  /// The next batch, used again by the next call; empty at the end. Errors: interrupted.
  Result<std::span<const Item>> next_batch();
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  BaselineRecords(const BaselineInput& input, RecordGenerator generator)
      : input_(&input), generator_(std::move(generator)) {}

  const BaselineInput* input_;
  RecordGenerator generator_;
  std::vector<Item> batch_;
  std::uint64_t bytes_ = 0;
};

}  // namespace opentrail::bench
