// Question: what do indexing and merging cost a record, and a value's list in a merged index,
// beside the parsing that every record needs anyway?
#include "history/index/index_builder.h"

#include <memory>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

namespace opentrail::history {
namespace {

using journal::Offset;

constexpr std::uint64_t kRun = 4096;
constexpr std::uint64_t kRuns = 16;
constexpr Timestamp kStart{std::chrono::seconds(1'795'510'000)};

std::string json_of(std::uint64_t i) {
  return fmt::format(
      R"({{"userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/u{0}",)"
      R"("accessKeyId":"AKIA{0:016}","userName":"u{0}"}},"eventTime":"{1}","eventSource":)"
      R"("cloudtrail.amazonaws.com","eventName":"Action{2}","awsRegion":"us-east-1",)"
      R"("sourceIPAddress":"203.0.113.{3}","userAgent":"aws-cli/2.15","requestParameters":)"
      R"({{"name":"trail-{4}"}},"eventID":"{5:08x}-0000-4000-8000-{5:012x}","readOnly":{6},)"
      R"("resources":[{{"type":"AWS::CloudTrail::Trail","ARN":"arn:aws:trail/trail-{4}"}}],)"
      R"("eventType":"AwsApiCall","recipientAccountId":"111122223333",)"
      R"("eventCategory":"Management"}})",
      i % 300, to_iso_seconds(kStart + std::chrono::seconds(i / 10)), i % 50, i % 200, i % 5000, i,
      i % 3 == 0);
}

std::vector<NewDoc> make_docs(std::uint64_t first) {
  std::vector<NewDoc> docs;
  docs.reserve(kRun);
  for (std::uint64_t i = first; i < first + kRun; ++i) {
    auto record = record::parse_record(json_of(i), record::Origin::Call, kStart).value();
    docs.push_back({.key = {.time = record.event_time, .offset = Offset{i}},
                    .id_hash = i * 0x9E3779B97F4A7C15U >> (64 - kIdHashBits),
                    .terms = std::move(record.terms)});
  }
  return docs;
}

void per_record(benchmark::State& state, std::uint64_t records) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(records));
}

void BM_ParseBaseline(benchmark::State& state) {
  const std::string json = json_of(7);
  for (auto _ : state) {
    benchmark::DoNotOptimize(record::parse_record(json, record::Origin::Call, kStart));
  }
  per_record(state, 1);
}
BENCHMARK(BM_ParseBaseline);

void BM_BuildIndex(benchmark::State& state) {
  const std::vector<NewDoc> docs = make_docs(0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(build_index({Offset{0}, Offset{kRun}}, docs));
  }
  per_record(state, kRun);
}
BENCHMARK(BM_BuildIndex);

void BM_MergeAndFind(benchmark::State& state) {
  std::vector<std::unique_ptr<const Index>> parts;
  std::vector<const Index*> sources;
  for (std::uint64_t i = 0; i < kRuns; ++i) {
    parts.push_back(build_index({Offset{i * kRun}, Offset{(i + 1) * kRun}}, make_docs(i * kRun)));
    sources.push_back(parts.back().get());
  }
  for (auto _ : state) {
    MemorySink sink;
    auto meta = merge_indexes(sources, sink, Filtered::No).value();
    const Index merged(std::move(meta), sink.take());
    benchmark::DoNotOptimize(merged.find(record::Field::EventName, "Action7"));
  }
  per_record(state, kRuns * kRun);
}
BENCHMARK(BM_MergeAndFind);

}  // namespace
}  // namespace opentrail::history
