// Question: what does a lookup by attribute cost over one million records, against reading and
// parsing them all, and how much memory does a record take?
// Budget: 50 ms for a page of a value that is rare or absent, 120 bytes a record.
// Measured: see docs/decisions/009-history-in-memory.md.
#include "base/log.h"
#include "history/history.h"

#include <memory>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>

namespace opentrail::history {
namespace {

using journal::Offset;

constexpr std::uint64_t kRecords = 1'000'000;
constexpr std::uint64_t kRareEvery = 100'000;
constexpr Timestamp kStart{std::chrono::seconds(1'795'510'000)};

/// Makes its records when they are read, so that memory is the history's alone: two users in a
/// hundred thousand calls, one trail in a thousand, all in one account and Region.
class MadeJournal final : public journal::Journal {
 public:
  /// `scattered`: the times are in no order, as after imports.
  explicit MadeJournal(bool scattered = false) : scattered_(scattered) {}

  static record::Record make(std::uint64_t i) {
    record::Record record;
    record.id = fmt::format("{:08x}-0000-4000-8000-{:012x}", i * 2654435761U % (1U << 31), i);
    record.account_id = "111122223333";
    record.region = "us-east-1";
    record.event_time = kStart + std::chrono::seconds(i / 10);
    record.json = fmt::format(
        R"({{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","principalId":"AIDA","arn":)"
        R"("arn:aws:iam::111122223333:user/{0}","accountId":"111122223333","accessKeyId":)"
        R"("AKIA{1:016}","userName":"{0}"}},"eventTime":"{2}","eventSource":)"
        R"("cloudtrail.amazonaws.com","eventName":"{3}","awsRegion":"us-east-1",)"
        R"("sourceIPAddress":"203.0.113.7","userAgent":"aws-cli/2.15","requestParameters":)"
        R"({{"name":"trail-{4}"}},"responseElements":null,"requestID":"{5}","eventID":"{5}",)"
        R"("readOnly":{6},"resources":[{{"type":"AWS::CloudTrail::Trail","ARN":)"
        R"("arn:aws:cloudtrail:us-east-1:111122223333:trail/trail-{4}"}}],"eventType":)"
        R"("AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333",)"
        R"("eventCategory":"Management"}})",
        i % kRareEvery == 0 ? "rare" : "common", i % 500, to_iso_seconds(record.event_time),
        i % 3 == 0 ? "GetTrailStatus" : "StartLogging", i % 1000, record.id, i % 3 == 0);
    return record;
  }

  Result<Offset> append(std::vector<record::Record> /*batch*/, Done /*done*/) override {
    return opentrail::fail(ErrorCode::Unsupported, "read only");
  }
  std::optional<Error> failure() const override { return std::nullopt; }
  Offset end() const override { return Offset{kRecords}; }
  Offset durable_end() const override { return Offset{kRecords}; }
  Offset begin() const override { return Offset{0}; }
  Result<void> wait_durable(Offset /*offset*/, std::chrono::milliseconds /*timeout*/) override {
    return {};
  }
  Result<std::vector<journal::StoredRecord>> read(Offset from, std::size_t bytes_max) override {
    std::vector<journal::StoredRecord> records;
    std::size_t bytes = 0;
    for (std::uint64_t i = value(from); i < kRecords && (records.empty() || bytes < bytes_max);
         ++i) {
      records.push_back({.offset = Offset{i}, .record = make(i)});
      if (scattered_) {
        constexpr std::uint64_t kPrime = 7919;
        records.back().record.event_time =
            kStart + std::chrono::milliseconds(i * kPrime % kRecords);
      }
      bytes += records.back().record.json.size();
    }
    return records;
  }
  void on_commit(std::function<void(Offset)> /*listener*/) override {}
  Result<void> drop_before(Offset /*offset*/) override { return {}; }
  const journal::RecoveryReport& recovery() const override { return recovery_; }
  void stop() override {}

 private:
  const bool scattered_;
  const journal::RecoveryReport recovery_;
};

/// Bytes that are allocated: small ones from the heap, large ones mapped apart.
double allocated_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

/// One history for all benchmarks, with what it cost to open.
struct Opened {
  explicit Opened(bool scattered) : journal(scattered) {
    log::set_level(log::Level::Warning);
    const double before = allocated_bytes();
    const auto started = std::chrono::steady_clock::now();
    history = History::open(journal, clock, {}).value();
    replay_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    bytes_per_record = (allocated_bytes() - before) / kRecords;
  }

  MadeJournal journal;
  io::FakeClock clock{kStart + std::chrono::days(2)};
  std::unique_ptr<History> history;
  double replay_seconds = 0;
  double bytes_per_record = 0;
};
Opened& opened() {
  static Opened one(false);
  return one;
}

LookupQuery query_of(LookupKey key, std::string value) {
  LookupQuery query;
  query.account_id = "111122223333";
  query.region = "us-east-1";
  query.filter = LookupFilter{.key = key, .value = std::move(value)};
  return query;
}

void run(benchmark::State& state, const LookupQuery& query) {
  Opened& over = opened();
  std::size_t found = 0;
  for ([[maybe_unused]] auto _ : state) {
    found = over.history->lookup(query).value().events.size();
  }
  state.counters["found"] = static_cast<double>(found);
  state.counters["bytes_per_record"] = over.bytes_per_record;
  state.counters["replay_seconds"] = over.replay_seconds;
}

void BM_LookupCommonUser(benchmark::State& state) {
  run(state, query_of(LookupKey::Username, "common"));
}
void BM_LookupOneResource(benchmark::State& state) {
  run(state, query_of(LookupKey::ResourceName, "trail-77"));
}
void BM_LookupRareUser(benchmark::State& state) {
  run(state, query_of(LookupKey::Username, "rare"));
}
void BM_LookupAbsentUser(benchmark::State& state) {
  run(state, query_of(LookupKey::Username, "nobody"));
}
void BM_LookupEventId(benchmark::State& state) {
  run(state, query_of(LookupKey::EventId, MadeJournal::make(kRecords / 2).id));
}

/// Without an index: read everything, parse everything, compare.
void BM_NaiveScanRareUser(benchmark::State& state) {
  Opened& over = opened();
  std::size_t found = 0;
  for ([[maybe_unused]] auto _ : state) {
    found = 0;
    for (Offset from{0}; from < over.journal.end();) {
      const auto records = over.journal.read(from, 1 << 20).value();
      for (const auto& [offset, record] : records) {
        const auto fields = record::lookup_fields(record.json).value();
        found += static_cast<std::size_t>(fields.username == "rare");
      }
      from = records.back().offset + 1;
    }
  }
  state.counters["found"] = static_cast<double>(found);
}
/// What of the scan above, and of the replay, is the making of the records.
void BM_MakingTheRecords(benchmark::State& state) {
  Opened& over = opened();
  for ([[maybe_unused]] auto _ : state) {
    for (Offset from{0}; from < over.journal.end();) {
      from = over.journal.read(from, 1 << 20).value().back().offset + 1;
    }
  }
}
/// The other order of arrival: chunks that were halved are not full.
void BM_ReplayScattered(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state) {
    const Opened over(true);
    state.counters["bytes_per_record"] = over.bytes_per_record;
  }
}

BENCHMARK(BM_LookupCommonUser)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_LookupOneResource)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_LookupRareUser)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_LookupAbsentUser)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_LookupEventId)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_NaiveScanRareUser)->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK(BM_MakingTheRecords)->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK(BM_ReplayScattered)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace opentrail::history
