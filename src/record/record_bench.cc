// Question: does a core take a million records a second from foreign bytes to a Record with its
// terms, and cut 2 GB/s of them out of a stream?
// Method: records shaped like CloudTrail's (1.26 KB on average), and the real samples of
// tests/data/aws. Beside them, in the same run, simdjson's parse into a tree alone, and memcpy().
// Budget: parse 1 us a record; split 2 GB/s.
// Question: can trails be asked about several hundred thousand records a second each?
// Method: eight trails with selectors of different kinds, one of them with 500 values, over records
// whose subjects were read before; beside it the same selectors evaluated as they are written.
// Budget: 1 us to read a subject, once a record; 0.2 us a record and trail.
#include "base/error.h"
#include "record/json_document.h"
#include "record/record.h"
#include "record/selector_matcher.h"
#include "record/splitter.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <simdjson.h>

namespace opentrail::record {
namespace {

constexpr std::size_t kDistinct = 4096;

/// What one service's call looks like.
struct Call {
  std::string_view source, name, parameters, response, resources;
};
constexpr Call kCalls[] = {
    {"ec2.amazonaws.com", "DescribeInstances",
     R"({"instancesSet":{"items":[{"instanceId":"i-0123456789abcdef0"}]},"filterSet":{}})", "null",
     ""},
    {"sts.amazonaws.com", "AssumeRole",
     R"({"roleArn":"arn:aws:iam::111122223333:role/deploy","roleSessionName":"session-1",)"
     R"("durationSeconds":900})",
     R"({"credentials":{"accessKeyId":"ASIAEXAMPLEEXAMPLE34","sessionToken":"IQoJb3JpZ2luX2VjEH",)"
     R"("expiration":"Nov 24, 2026, 9:46:13 AM"}})",
     R"("resources":[{"accountId":"111122223333","type":"AWS::IAM::Role",)"
     R"("ARN":"arn:aws:iam::111122223333:role/deploy"}],)"},
    {"s3.amazonaws.com", "GetObject",
     R"({"bucketName":"logs","Host":"logs.s3.us-east-1.amazonaws.com","key":"a/b/c.json.gz"})",
     "null",
     R"("resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::logs/a/b/c.json.gz"},)"
     R"({"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::logs"}],)"},
    {"iam.amazonaws.com", "CreateUser", R"({"userName":"bob"})",
     R"({"user":{"path":"/","userName":"bob","userId":"AIDAEXAMPLE","createDate":)"
     R"("Nov 24, 2026, 8:46:13 AM","arn":"arn:aws:iam::111122223333:user/bob"}})",
     ""},
    {"monitoring.amazonaws.com", "ListMetrics", "null", "null", ""},
};

std::string made_record(std::size_t n) {
  const Call& call = kCalls[n % std::size(kCalls)];
  std::string json = fmt::format(
      R"({{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":)"
      R"("AROAEXAMPLEEXAMPLE123:session-{0}","arn":"arn:aws:sts::111122223333:assumed-role/deploy/)"
      R"(session-{0}","accountId":"111122223333","accessKeyId":"ASIAEXAMPLEEXAMPLE12",)"
      R"("sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLEEXAMPLE123",)"
      R"("arn":"arn:aws:iam::111122223333:role/deploy","accountId":"111122223333","userName":)"
      R"("deploy"}},"attributes":{{"creationDate":"2026-11-24T08:00:00Z","mfaAuthenticated":)"
      R"("false"}}}}}},"eventTime":"2026-11-24T08:46:{1:02}Z","eventSource":"{2}","eventName":"{3}",)"
      R"("awsRegion":"us-east-1","sourceIPAddress":"198.51.100.{1}","userAgent":)"
      R"("aws-cli/2.15.0 Python/3.11.6 Linux/5.10.205 exe/x86_64 prompt/off",)"
      R"("requestParameters":{4},"responseElements":{5},"requestID":)"
      R"("623d0143-0000-4000-8000-{0:012x}","eventID":"dba7a184-0000-4000-8000-{0:012x}",)"
      R"("readOnly":true,{6}"eventType":"AwsApiCall","managementEvent":true,)"
      R"("recipientAccountId":"111122223333","eventCategory":"Management","tlsDetails":)"
      R"({{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256",)"
      R"("clientProvidedHostHeader":"{2}"}}}})",
      n, n % 60, call.source, call.name, call.parameters, call.response, call.resources);
  return json;
}

struct Records {
  std::vector<std::string> all;
  std::size_t bytes = 0;
  void add(std::string json) {
    bytes += json.size();
    all.push_back(std::move(json));
  }
};

Records made_records() {
  Records records;
  for (std::size_t n = 0; n < kDistinct; ++n) {
    records.add(made_record(n));
  }
  return records;
}

/// Empty when the samples are not there.
Records real_records() {
  Records records;
  std::error_code missing;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator("tests/data/aws", missing)) {
    if (!entry.is_regular_file() || entry.path().extension() == ".md") {
      continue;
    }
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    RecordSplitter splitter([&records](const RecordSplitter::Item& item) -> Result<void> {
      records.add(std::string(item.json));
      return {};
    });
    static_cast<void>(splitter.feed(text).has_value());
  }
  return records;
}

const Records& records_of(const benchmark::State& state) {
  static const Records made = made_records();
  static const Records real = real_records();
  return state.range(0) == 0 ? made : real;
}

/// Runs `work` over each record in turn.
template <typename Work>
void each_record(benchmark::State& state, Work work) {
  const Records& records = records_of(state);
  if (records.all.empty()) {
    state.SkipWithError("tests/data/aws is not there");
    return;
  }
  std::size_t next = 0;
  std::size_t bytes = 0;
  for ([[maybe_unused]] auto _ : state) {
    const std::string& json = records.all[next];
    next = next + 1 == records.all.size() ? 0 : next + 1;
    bytes += json.size();
    work(json);
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void BM_TreeAlone(benchmark::State& state) {
  simdjson::dom::parser parser;
  each_record(state, [&parser](const std::string& json) {
    simdjson::dom::element root;
    OT_CHECK(parser.parse(json.data(), json.size()).get(root) == simdjson::SUCCESS);
    benchmark::DoNotOptimize(root);
  });
}

void BM_FirstStageAlone(benchmark::State& state) {
  simdjson::dom::parser parser;
  OT_CHECK(parser.allocate(kRecordBytesMax) == simdjson::SUCCESS);
  each_record(state, [&parser](const std::string& json) {
    OT_CHECK(parser.implementation->stage1(reinterpret_cast<const std::uint8_t*>(json.data()),
                                           json.size(),
                                           simdjson::stage1_mode::regular) == simdjson::SUCCESS);
  });
}

/// Part of BM_ParseRecord, as of whoever keeps a record that was cut out of a stream.
void BM_StringAlone(benchmark::State& state) {
  each_record(state, [](const std::string& json) {
    std::string copy = json;
    benchmark::DoNotOptimize(copy);
  });
}

void BM_ParseRecord(benchmark::State& state) {
  each_record(state, [](const std::string& json) {
    auto record = parse_record(json, Origin::Import, Timestamp{});
    OT_CHECK(record.has_value());
    benchmark::DoNotOptimize(record);
  });
}

void BM_LookupFields(benchmark::State& state) {
  each_record(state, [](const std::string& json) {
    auto fields = lookup_fields(json);
    OT_CHECK(fields.has_value());
    benchmark::DoNotOptimize(fields);
  });
}

enum Shape : std::int64_t { kNdjson, kLogFile };

/// All records as one stream of `shape`.
std::string stream_of(const Records& records, std::int64_t shape) {
  std::string text = shape == kLogFile ? R"({"Records":[)" : "";
  for (std::size_t i = 0; i < records.all.size(); ++i) {
    text += records.all[i];
    text += shape == kNdjson ? "\n" : i + 1 == records.all.size() ? "]}" : ",";
  }
  return text;
}

/// In pieces of range(2) bytes.
void BM_Split(benchmark::State& state) {
  const Records& records = records_of(state);
  const std::string text = stream_of(records, state.range(1));
  const auto piece = static_cast<std::size_t>(state.range(2));
  std::size_t items = 0;
  for ([[maybe_unused]] auto _ : state) {
    RecordSplitter splitter([&items](const RecordSplitter::Item& item) -> Result<void> {
      items += item.json.empty() ? 0 : 1;
      return {};
    });
    for (std::size_t at = 0; at < text.size(); at += piece) {
      OT_CHECK(splitter.feed(std::string_view(text).substr(at, piece)).has_value());
    }
    OT_CHECK(splitter.finish().has_value());
  }
  OT_CHECK(items == records.all.size() * static_cast<std::size_t>(state.iterations()));
  state.SetItemsProcessed(static_cast<std::int64_t>(items));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void BM_CopyAlone(benchmark::State& state) {
  const std::string text = stream_of(records_of(state), kNdjson);
  std::string to(text.size(), '\0');
  for ([[maybe_unused]] auto _ : state) {
    text.copy(to.data(), text.size());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

// ---- selectors
// -----------------------------------------------------------------------------------

/// As they would be in a journal: calls on objects are data events.
Record parsed_record(const std::string& json) {
  Record record = parse_record(json, Origin::Call, Timestamp{}).value();
  if (json.contains(R"("eventSource":"s3.amazonaws.com")")) {
    record.category = Category::Data;
  }
  return record;
}

FieldSelector field(std::string name, SelectorOperator op, std::vector<std::string> values) {
  FieldSelector selector{std::move(name), {}};
  selector[op] = std::move(values);
  return selector;
}

using Selectors = std::vector<AdvancedEventSelector>;

std::vector<Selectors> made_selectors() {
  using enum SelectorOperator;
  const auto management = field("eventCategory", Equals, {"Management"});
  const auto data = field("eventCategory", Equals, {"Data"});
  const auto objects = field("resources.type", Equals, {"AWS::S3::Object"});
  std::vector<std::string> buckets;
  std::vector<std::string> keys;
  for (int i = 0; i < 496; ++i) {
    buckets.push_back(fmt::format("arn:aws:s3:::bucket-{}/", i));
    keys.push_back(fmt::format("arn:aws:s3:::logs/a/b/{}.json.gz", i));
  }
  return {
      {{"", {management}}},
      {{"", {management, field("readOnly", Equals, {"false"})}}},
      {{"", {management, field("eventSource", NotEquals, {"kms.amazonaws.com"})}}},
      {{"", {management}}, {"", {data, objects}}},
      {{"", {data, objects, field("eventName", StartsWith, {"Put", "Delete"})}}},
      {{"", {data, objects, field("resources.ARN", StartsWith, buckets)}}},
      {{"", {data, objects, field("resources.ARN", NotEquals, keys)}}},
      {{"", {data, field("resources.type", Equals, {"AWS::Lambda::Function"})}},
       {"", {data, objects, field("userIdentity.arn", NotEndsWith, {"/backup", "/batch"})}}},
  };
}

void BM_SelectorSubject(benchmark::State& state) {
  std::vector<Record> records;
  for (const std::string& json : records_of(state).all) {
    records.push_back(parsed_record(json));
  }
  if (records.empty()) {
    state.SkipWithError("tests/data/aws is not there");
    return;
  }
  std::size_t next = 0;
  for ([[maybe_unused]] auto _ : state) {
    auto subject = selector_subject(records[next]);
    benchmark::DoNotOptimize(subject);
    next = next + 1 == records.size() ? 0 : next + 1;
  }
  state.SetItemsProcessed(state.iterations());
}

/// Items are pairs of a record and a trail. `wants(trail, subject)` is asked about each.
template <typename Wants>
void each_pair(benchmark::State& state, std::size_t trails, Wants wants) {
  std::vector<Record> records;
  std::vector<SelectorSubject> subjects;
  for (const std::string& json : records_of(state).all) {
    records.push_back(parsed_record(json));
  }
  for (const Record& record : records) {
    subjects.push_back(selector_subject(record).value());
  }
  std::size_t wanted = 0;
  for ([[maybe_unused]] auto _ : state) {
    for (const SelectorSubject& subject : subjects) {
      for (std::size_t trail = 0; trail < trails; ++trail) {
        wanted += wants(trail, subject) ? 1 : 0;
      }
    }
  }
  const auto pairs = state.iterations() * static_cast<std::int64_t>(subjects.size() * trails);
  state.SetItemsProcessed(pairs);
  state.counters["wanted"] = static_cast<double>(wanted) / static_cast<double>(pairs);
}

void BM_MatchSelectors(benchmark::State& state) {
  std::vector<SelectorMatcher> matchers;
  for (const Selectors& selectors : made_selectors()) {
    matchers.emplace_back(selectors);
  }
  each_pair(state, matchers.size(), [&](std::size_t trail, const SelectorSubject& subject) {
    return matchers[trail].matches(subject);
  });
}

bool plainly_hits(SelectorOperator op, std::string_view value, std::string_view said) {
  using enum SelectorOperator;
  switch (op) {
    case Equals:
    case NotEquals:
      return said == value;
    case StartsWith:
    case NotStartsWith:
      return said.starts_with(value);
    case EndsWith:
    case NotEndsWith:
      return said.ends_with(value);
  }
  return false;
}

bool plainly_holds(const FieldSelector& selector, const SelectorSubject& subject) {
  std::vector<std::string_view> said;
  if (selector.field == "eventCategory") {
    said = {to_string(subject.category)};
  } else if (selector.field == "readOnly") {
    said = {subject.read_only ? "true" : "false"};
  } else if (selector.field == "eventName") {
    said = {subject.event_name};
  } else if (selector.field == "eventSource") {
    said = {subject.event_source};
  } else if (selector.field == "userIdentity.arn") {
    said = {subject.user_identity_arn};
  } else {
    for (const SelectorResource& resource : subject.resources) {
      said.push_back(selector.field == "resources.type" ? resource.type : resource.arn);
    }
  }
  return std::ranges::all_of(kSelectorOperators, [&](SelectorOperator op) {
    const bool hit = std::ranges::any_of(selector[op], [&](const std::string& value) {
      return std::ranges::any_of(
          said, [&](std::string_view text) { return plainly_hits(op, value, text); });
    });
    return selector[op].empty() || hit == (op < SelectorOperator::NotEquals);
  });
}

void BM_MatchPlainly(benchmark::State& state) {
  const auto trails = made_selectors();
  each_pair(state, trails.size(), [&](std::size_t trail, const SelectorSubject& subject) {
    return std::ranges::any_of(trails[trail], [&](const AdvancedEventSelector& selector) {
      return std::ranges::all_of(selector.field_selectors, [&](const FieldSelector& condition) {
        return plainly_holds(condition, subject);
      });
    });
  });
}

constexpr std::int64_t kMade = 0;
constexpr std::int64_t kReal = 1;
BENCHMARK(BM_TreeAlone)->Arg(kMade)->Arg(kReal)->ArgNames({"real"});
BENCHMARK(BM_FirstStageAlone)->Arg(kMade)->Arg(kReal)->ArgNames({"real"});
BENCHMARK(BM_StringAlone)->Arg(kMade)->Arg(kReal)->ArgNames({"real"});
BENCHMARK(BM_ParseRecord)->Arg(kMade)->Arg(kReal)->ArgNames({"real"});
BENCHMARK(BM_LookupFields)->Arg(kMade)->Arg(kReal)->ArgNames({"real"});
BENCHMARK(BM_SelectorSubject)->Arg(kMade)->Arg(kReal)->ArgNames({"real"});
BENCHMARK(BM_MatchSelectors)->Arg(kMade)->ArgNames({"real"});
BENCHMARK(BM_MatchPlainly)->Arg(kMade)->ArgNames({"real"});
BENCHMARK(BM_CopyAlone)->Arg(kMade)->ArgNames({"real"});
BENCHMARK(BM_Split)
    ->ArgsProduct({{kMade, kReal}, {kNdjson, kLogFile}, {4 << 10, 64 << 10, 1 << 20}})
    ->ArgNames({"real", "log_file", "piece"});

}  // namespace
}  // namespace opentrail::record
