// Question: how fast are records read for what the index cannot tell: the substring search, the
// prefilter over a block of 8 KB, and the parse of one record?
// Budget: 5 GB/s for the search of a needle that is not there; 2 us to parse a record of 1.5 KB.
#include "search/find_text.h"
#include "search/matcher.h"

#include <cstring>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

namespace opentrail::search {
namespace {

constexpr std::size_t kBlockBytes = 8 << 10;

std::string record_of(int i) {
  return fmt::format(
      R"({{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":)"
      R"("AROAEXAMPLEROLEID:session-{0}","arn":"arn:aws:sts::111122223333:assumed-role/Admin/)"
      R"(session-{0}","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE{0:09}",)"
      R"("sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLEROLEID",)"
      R"("arn":"arn:aws:iam::111122223333:role/Admin","accountId":"111122223333","userName":)"
      R"("Admin"}},"attributes":{{"creationDate":"2026-11-24T08:00:00Z","mfaAuthenticated":)"
      R"("false"}}}}}},"eventTime":"2026-11-24T08:46:13Z","eventSource":"ec2.amazonaws.com",)"
      R"("eventName":"RunInstances","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.7",)"
      R"("userAgent":"aws-cli/2.15.30 Python/3.11.8 Linux/6.1.0","requestParameters":)"
      R"({{"instancesSet":{{"items":[{{"imageId":"ami-{0:08x}","minCount":1,"maxCount":1}}]}},)"
      R"("instanceType":"t3.micro","policy":"{{\"Effect\":\"Allow\",\"Action\":\"s3:*\"}}"}},)"
      R"("responseElements":{{"instancesSet":{{"items":[{{"instanceId":"i-{0:08x}"}}]}}}},)"
      R"("requestID":"{0:08x}-0000-4000-8000-000000000000","eventID":)"
      R"("{0:08x}-0000-4000-8000-000000000001","readOnly":false,"eventType":"AwsApiCall",)"
      R"("managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}})",
      i);
}

const std::string& block() {
  static const std::string text = [] {
    std::string made;
    for (int i = 0; made.size() < kBlockBytes; ++i) {
      made += record_of(i) + '\n';
    }
    made.resize(kBlockBytes);
    return made;
  }();
  return text;
}

void set_bytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}

/// Of each kind one that is not there: rare bytes, an access key, an IP address, an ARN.
constexpr std::string_view kNeedles[] = {"logs-bucket-42", "ASIAEXAMPLE999999999", "203.0.113.99",
                                         "arn:aws:iam::111122223333:role/Other"};

template <bool kAvx2>
void BM_FindText(benchmark::State& state) {
  const TextFinder finder(kNeedles[state.range(0)]);
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(kAvx2 ? finder.find(block()) : finder.find_sse2(block()));
  }
  set_bytes(state, block().size());
}
void BM_FindTextIgnoringCase(benchmark::State& state) {
  const TextFinder finder(kNeedles[state.range(0)], TextFinder::Case::Ignore);
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(finder.find(block()));
  }
  set_bytes(state, block().size());
}
/// The library's own, for comparison.
void BM_StringViewFind(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(std::string_view(block()).find(kNeedles[state.range(0)]));
  }
  set_bytes(state, block().size());
}
void BM_Memmem(benchmark::State& state) {
  const std::string_view needle = kNeedles[state.range(0)];
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(memmem(block().data(), block().size(), needle.data(), needle.size()));
  }
  set_bytes(state, block().size());
}

/// Absent: the value and the escapes that could spell it are all looked for.
void BM_MayMatchBlock(benchmark::State& state) {
  const Matcher matcher(
      parse_expression("requestParameters.bucketName = \"logs-bucket-42\"").value());
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(matcher.may_match(block()));
  }
  set_bytes(state, block().size());
}

void run_matches(benchmark::State& state, std::string_view text) {
  const Matcher matcher(parse_expression(text).value());
  const std::string json = record_of(7);
  record::Terms terms;
  terms.add(record::Field::EventName, "RunInstances");
  terms.add(record::Field::EventSource, "ec2.amazonaws.com");
  terms.add(record::Field::Username, "session-7");
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(
        matcher.matches(Matcher::Subject{.id = "x", .json = json, .terms = terms}));
  }
  set_bytes(state, json.size());
}
void BM_MatchesField(benchmark::State& state) { run_matches(state, "user = session-7"); }
void BM_MatchesAbsentText(benchmark::State& state) {
  run_matches(state, "requestParameters.bucketName = logs-bucket-42");
}
void BM_MatchesPath(benchmark::State& state) {
  run_matches(state, "responseElements.instancesSet.items.instanceId = i-00000007");
}
void BM_MatchesMissingPath(benchmark::State& state) {
  run_matches(state, "tlsDetails.clientProvidedHostHeader not exists");
}
void BM_MatchesContains(benchmark::State& state) {
  run_matches(state, "requestParameters ~= 's3:*'");
}

void BM_ParseExpression(benchmark::State& state) {
  constexpr std::string_view kText =
      "event = \"Delete*\" and not (user in (alice, bob) or requestParameters.bucketName = logs)";
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(parse_expression(kText));
  }
}

BENCHMARK(BM_FindText<true>)->DenseRange(0, 3);
BENCHMARK(BM_FindText<false>)->DenseRange(0, 3);
BENCHMARK(BM_FindTextIgnoringCase)->DenseRange(0, 3);
BENCHMARK(BM_StringViewFind)->DenseRange(0, 3);
BENCHMARK(BM_Memmem)->DenseRange(0, 3);
BENCHMARK(BM_MayMatchBlock);
BENCHMARK(BM_MatchesField);
BENCHMARK(BM_MatchesAbsentText);
BENCHMARK(BM_MatchesPath);
BENCHMARK(BM_MatchesMissingPath);
BENCHMARK(BM_MatchesContains);
BENCHMARK(BM_ParseExpression);

}  // namespace
}  // namespace opentrail::search
