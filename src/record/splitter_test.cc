// Goal: every record of every shape that the world stores comes out once, byte for byte, with its
// line, however the stream is cut; broken input is refused with its line. Method: tables; and the
// real samples of tests/data/aws cut at every byte and at random places (the seed is printed). The
// fast methods are compared with the one that takes a step a byte, over made and damaged streams.
#include "record/splitter.h"

#include "io/filesystem.h"
#include "io/random.h"
#include "record/record.h"

#include <array>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::record {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Found {
  std::string json;
  std::uint64_t line;
  bool operator==(const Found&) const = default;
};

struct Outcome {
  std::vector<Found> items;
  std::vector<std::string> broken;  ///< "2-3: what"
  std::uint64_t digests = 0;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

/// `next_cut` says how many bytes the next feed has.
enum class Breaks : std::uint8_t { End, AreTold };
template <typename NextCut>
Outcome split(std::string_view text, NextCut next_cut, SplitMethod method = best_split_method(),
              Breaks breaks = Breaks::End) {
  Outcome outcome;
  RecordSplitter::OnBroken on_broken;
  if (breaks == Breaks::AreTold) {
    on_broken = [&outcome](const RecordSplitter::BrokenLines& lines) -> Result<void> {
      outcome.broken.push_back(fmt::format("{}-{}: {}", lines.first, lines.last, lines.what));
      return {};
    };
  }
  RecordSplitter splitter(
      [&outcome](const RecordSplitter::Item& item) -> Result<void> {
        outcome.items.push_back({std::string(item.json), item.line});
        return {};
      },
      on_broken, method);
  Result<void> result;
  while (result && !text.empty()) {
    const std::size_t bytes = std::min<std::size_t>(next_cut(), text.size());
    result = splitter.feed(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  if (result) {
    result = splitter.finish();
  }
  outcome.digests = splitter.digests_seen();
  outcome.error = result ? "" : result.error().message();
  EXPECT_TRUE(result || result.error().code() == ErrorCode::InvalidArgument);
  return outcome;
}

Outcome split(std::string_view text) {
  return split(text, [&] { return text.size(); });
}

std::vector<std::string> jsons(std::string_view text) {
  std::vector<std::string> all;
  const Outcome outcome = split(text);
  EXPECT_EQ(outcome.error, "") << text;
  for (const Found& item : outcome.items) {
    all.push_back(item.json);
  }
  return all;
}

TEST(RecordSplitter, TakesEveryShape) {
  EXPECT_THAT(jsons(""), IsEmpty());
  EXPECT_THAT(jsons(" \r\n\t"), IsEmpty());
  EXPECT_THAT(jsons("[]"), IsEmpty());
  EXPECT_THAT(jsons(R"({"Records":[]})"), IsEmpty());
  EXPECT_THAT(jsons(R"({"a":1})"), ElementsAre(R"({"a":1})"));
  EXPECT_THAT(jsons("{\"a\":1}\n{\"b\":2}\n"), ElementsAre(R"({"a":1})", R"({"b":2})"));
  EXPECT_THAT(jsons(R"({"a":1}{"b":2} {})"), ElementsAre(R"({"a":1})", R"({"b":2})", "{}"));
  EXPECT_THAT(jsons(R"([{"a":[1,{"b":"]}"}]} , {"c":"\"{"}])"),
              ElementsAre(R"({"a":[1,{"b":"]}"}]})", R"({"c":"\"{"})"));
  EXPECT_THAT(jsons("[{}][{\"a\":1}]{\"b\":2}"), ElementsAre("{}", R"({"a":1})", R"({"b":2})"));
  EXPECT_THAT(jsons("\xEF\xBB\xBF{\"Records\":[{\"a\":1}]}"), ElementsAre(R"({"a":1})"));
  EXPECT_THAT(jsons("{ \"a\" : {\n \"b\" : 1 } }"), ElementsAre("{ \"a\" : {\n \"b\" : 1 } }"));
}

TEST(RecordSplitter, TakesLogFilesWhateverStandsAroundTheirRecords) {
  EXPECT_THAT(jsons(R"({"Records":[{"a":1},{"b":[{}]}]})"),
              ElementsAre(R"({"a":1})", R"({"b":[{}]})"));
  EXPECT_THAT(jsons(R"({"x":{"Records":[1]},"y":"Records","z":["Records",{"Records":[]}],)"
                    R"( "Records" : [ {"a":1} ] , "after":{"detail":{"q":[1]},"s":"}"},"n":1})"),
              ElementsAre(R"({"a":1})"));
  EXPECT_THAT(jsons(R"({"Records":[{"a":1}],"more":{},"Records":[{"b":2}]}{"c":3})"),
              ElementsAre(R"({"a":1})", R"({"b":2})", R"({"c":3})"));
  EXPECT_THAT(jsons(R"([{"Records":[{"a":1}]},{"b":2},{"Records":[{"c":3}],"z":1}])"),
              ElementsAre(R"({"a":1})", R"({"b":2})", R"({"c":3})"));
  EXPECT_THAT(jsons(R"({"Records":[{"Records":[{"a":1}]}]})"),
              ElementsAre(R"({"Records":[{"a":1}]})"));
  EXPECT_THAT(jsons(R"({"Records":[{}],"digestS3Object":"x"}{"r":1})"),
              ElementsAre("{}", R"({"r":1})"));
}

TEST(RecordSplitter, TakesTheRecordOutOfAnEnvelope) {
  const std::string_view envelope =
      "{\"detail-type\":\"AWS API Call via CloudTrail\",\n \"detail\": {\"a\":\n{}},\"z\":{}}";
  EXPECT_EQ(split(envelope).items, (std::vector<Found>{{"{\"a\":\n{}}", 2}}));
  EXPECT_THAT(jsons(R"([{"detail":{"a":1},"detail-type":"x"}])"), ElementsAre(R"({"a":1})"));
  EXPECT_THAT(jsons(R"({"Records":[{"detail":{"a":1},"detail-type":"x"}]})"),
              ElementsAre(R"({"a":1})"));
  // Not envelopes: no detail-type at the outermost level, or a detail that is no object.
  for (const std::string_view whole :
       {R"({"detail":{"a":1}})", R"({"detail":"x","detail-type":"y"})", R"({"detail-type":"y"})",
        R"({"detail":{"detail-type":"x"}})", R"({"a":{"detail":{},"detail-type":"y"}})"}) {
    EXPECT_THAT(jsons(whole), ElementsAre(whole));
  }
}

TEST(RecordSplitter, CountsDigestsAndGivesNone) {
  const Outcome outcome =
      split(R"({"digestS3Object":"k","logFiles":[{}]}{"a":{"digestS3Object":"k"}})");
  EXPECT_EQ(outcome.digests, 1U);
  ASSERT_EQ(outcome.items.size(), 1U);
  EXPECT_EQ(outcome.error, "");
}

TEST(RecordSplitter, NamesTheLineOfEachRecord) {
  EXPECT_EQ(split("\n{\n}\n\n[\n{}, {},\r\n\n{}]").items,
            (std::vector<Found>{{"{\n}", 2}, {"{}", 6}, {"{}", 6}, {"{}", 8}}));
}

TEST(RecordSplitter, RefusesBrokenInputNamingTheLine) {
  constexpr struct {
    std::string_view text, message;
    std::size_t items;
  } kCases[] = {
      {"{\"a\":1}\nhello", "line 2: a JSON object expected, not 'h'", 1},
      {"\x1F\x8B\x08", "line 1: a JSON object expected, not byte 0x1f", 0},
      {"\xEF\xBBx", "line 1: the text is not UTF-8 JSON", 0},
      {"\xEF", "line 1: the text is not UTF-8 JSON", 0},
      {"7", "line 1: a JSON object expected", 0},
      {"[1]", "line 1: a JSON object expected, not '1'", 0},
      {"[[{}]]", "line 1: a JSON object expected, not '['", 0},
      {"[{},]", "line 1: a JSON object expected, not ']'", 1},
      {"[{}\n{}]", "line 2: ',' or ']' expected after a record, not '{'", 1},
      {"{}]", "line 1: a JSON object expected, not ']'", 1},
      {"{\"a\":[}", "line 1: '}' closes what it did not open", 0},
      {"{\n{]", "line 2: ']' closes what it did not open", 0},
      {"{}\n{\"a\":\"x\ny\"}", "line 2: a line break inside a string", 1},
      {"{\"a\":\"\x01\"}", "line 1: a control character in a string", 0},
      {"{}\n\n{\"a\":\n", "line 3: the object that begins here does not end", 1},
      {"{\"a\":\"", "line 1: the object that begins here does not end", 0},
      {"\n[{}", "line 2: the list that begins here does not end", 1},
      {"[", "line 1: the list that begins here does not end", 0},
      {"\n{\n\"Records\":\n[{},", "line 4: the list that begins here does not end", 1},
      {"\n{\"Records\":[{}]\n\n,", "line 2: the object that begins here does not end", 1},
      {"{\"Records\":null}", "line 1: \"Records\" is not a list", 0},
      {"{\"Records\":{}}", "line 1: \"Records\" is not a list", 0},
      {"{\"Records\":[{}],\"x\":[}}", "line 1: '}' closes what it did not open", 1},
  };
  for (const auto& c : kCases) {
    const Outcome outcome = split(c.text);
    EXPECT_THAT(outcome.error, HasSubstr(c.message)) << c.text;
    EXPECT_EQ(outcome.items.size(), c.items) << c.text;
  }
}

Outcome split_lines(std::string_view text) {
  const Outcome whole =
      split(text, [&] { return text.size(); }, SplitMethod::ByteWise, Breaks::AreTold);
  for (const SplitMethod method : {SplitMethod::ByteWise, SplitMethod::Sse2, best_split_method()}) {
    for (const std::size_t cut : {std::size_t{1}, std::size_t{7}, text.size()}) {
      EXPECT_EQ(split(
                    text, [&] { return cut; }, method, Breaks::AreTold),
                whole)
          << text << " in pieces of " << cut;
    }
  }
  return whole;
}

TEST(RecordSplitter, ABrokenLineCostsThatLine) {
  constexpr struct {
    std::string_view line, what;
  } kCases[] = {
      {"null", "a JSON object expected, not 'n'"},
      {"hello {", "a JSON object expected, not 'h'"},
      {"\"x\"", "a JSON object expected, not '\"'"},
      {R"({"b":"x)", "a line break inside a string"},
      {R"({"b":"x\)", "a line break inside a string"},
      {R"({"b":{"c":1})", "the object that begins here does not end on its line"},
      {R"({"b":1,)", "the object that begins here does not end on its line"},
      {R"({"b")", "the object that begins here does not end on its line"},
      {R"({"b":[1])", "the object that begins here does not end on its line"},
      {R"({"b":[1}])", "'}' closes what it did not open"},
      {R"({"Records":7})", "\"Records\" is not a list"},
      {"  \x01", "a JSON object expected, not byte 0x01"},
  };
  for (const auto& c : kCases) {
    const std::string text = fmt::format("{{\"a\":1}}\n{}\n{{\"z\":2}}\r\n{{\"y\":[]}}", c.line);
    const Outcome outcome = split_lines(text);
    EXPECT_EQ(outcome.items,
              (std::vector<Found>{{R"({"a":1})", 1}, {R"({"z":2})", 3}, {R"({"y":[]})", 4}}))
        << text;
    EXPECT_THAT(outcome.broken, ElementsAre(fmt::format("2-2: {}", c.what))) << text;
    EXPECT_EQ(outcome.error, "") << text;
  }
}

TEST(RecordSplitter, BrokenLinesAreToldUpToTheNextRecord) {
  Outcome outcome = split_lines("{}\nnull\n\n[{}]\n x\n{\"a\":1},\n{\"b\":1},\n{\"c\":1}\n7");
  EXPECT_EQ(outcome.items.size(), 4U);
  EXPECT_THAT(
      outcome.broken,
      ElementsAre("2-5: a JSON object expected, not 'n'", "6-6: a JSON object expected, not ','",
                  "7-7: a JSON object expected, not ','", "9-9: a JSON object expected, not '7'"));
  EXPECT_EQ(outcome.error, "");
  outcome = split_lines("\xEF\xBB\xBF{}\nnull\n{\"Records\":[{\"a\":1}]}\n");
  EXPECT_EQ(outcome.items.size(), 2U);
  EXPECT_EQ(outcome.broken.size(), 1U);
  // One of log files, a line each, that breaks off.
  outcome = split_lines("{\"Records\":[{\"a\":1}]}\n{\"Records\":[{\"b\":1}\n{\"Records\":[{}]}\n");
  EXPECT_EQ(outcome.items.size(), 3U);
  EXPECT_THAT(outcome.broken, ElementsAre("2-2: ',' or ']' expected after a record, not '{'"));
  EXPECT_EQ(outcome.error, "");
  const std::string large = "{\"a\":\"" + std::string(kRecordBytesMax, 'x') + "\"}";
  outcome =
      split("{}\n" + large + "\n{}", [] { return 1000; }, best_split_method(), Breaks::AreTold);
  EXPECT_EQ(outcome.items.size(), 2U);
  EXPECT_EQ(outcome.broken.size(), 1U);
}

TEST(RecordSplitter, NothingIsTakenOutOfTheMiddleOfWhatIsBroken) {
  for (const std::string_view text : {
           "null\n{}",                                       // not known to be lines
           "{\n\"a\":1}\n{\"x\":\n{\"b\":1],\n{\"c\":1}\n",  // an object of several lines
           "{}\n{\n\"a\":[\n{\n\"x\":]\n{}\n",               // or one of them
           "{}\n{\n\"a\":7\n{}\n{}\n",
           "{}\n{\"a\":\n{}\n{}\n",
           "{}\n{\"Records\":[\n{},\n7,\n{}]}\n{}\n",
           "{}\n{\"Records\":[{\"a\":1\n}[\n{}\n",
           "{}\n{\"Records\":[{}\n,7\n{}\n",
           "{}\n{\"Records\":[{\"a\":1},\n[\n{\"inner\":1}\n]]}\n{}",
           "{}\n{\"Records\":[\n\"resources\",[\n{\"inner\":1}\n]]}\n{}",
           "{}\n{\"Records\":[{\"a\":1}\n\"x\":[\n{\"inner\":1}\n]]}\n{}",
           "{}\n{\"Records\":[\n7,\n{\"a\":1}\n]}\n{}",
           "{} {}\n{\"x\":]\n{}",  // two on a line
           "[{}]\nnull\n{}",       // lists
           "{}\n[{},\n{},7,\n{}",
       }) {
    const Outcome outcome = split_lines(text);
    EXPECT_NE(outcome.error, "") << text;
    EXPECT_THAT(outcome.broken, IsEmpty()) << text;
  }
  // Lines, and then an object that has several: whole, whatever its lines begin with.
  EXPECT_EQ(split_lines("{}\n{\"a\":\n{\"b\":[\n{\n},\n{}\n]}}\n{}").items.size(), 3U);
  EXPECT_EQ(split_lines("{}\n{\n\"a\":1}\n{}").items.size(), 3U);
  // A blank line is none of its lines.
  EXPECT_THAT(split_lines("{}\n{\"a\":1\n\n \n{}").broken,
              ElementsAre("2-4: the object that begins here does not end on its line"));
  // The last one: cut off, or more is on its way.
  EXPECT_THAT(split_lines("{}\n{\"a\":").error,
              HasSubstr("line 2: the object that begins here does not end"));
}

TEST(RecordSplitter, HandsOnTheErrorOfWhoIsToldOfBrokenLines) {
  RecordSplitter splitter([](const RecordSplitter::Item&) -> Result<void> { return {}; },
                          [](const RecordSplitter::BrokenLines&) -> Result<void> {
                            return fail(ErrorCode::Throttled, "full");
                          });
  const auto fed = splitter.feed("{}\n7\n{}");
  ASSERT_FALSE(fed.has_value());
  EXPECT_EQ(fed.error().code(), ErrorCode::Throttled);
  EXPECT_FALSE(splitter.feed("{}").has_value());
}

TEST(RecordSplitter, BoundsOneObjectAndItsDepth) {
  const auto sized = [](std::size_t bytes) {
    return R"({"a":")" + std::string(bytes - 8, 'x') + R"("})";
  };
  EXPECT_EQ(split("\n" + sized(kRecordBytesMax)).items.size(), 1U);
  EXPECT_THAT(split("{}\n" + sized(kRecordBytesMax + 1)).error,
              HasSubstr("line 2: the object that begins here is larger than 1048576 bytes"));
  // The list of a log file is no part of that bound, what stands before it is.
  std::string file = R"({"Records":[)";
  for (int i = 0; i < 3; ++i) {
    file += (i == 0 ? "" : ",") + sized(kRecordBytesMax / 2);
  }
  EXPECT_EQ(split(file + "]}").items.size(), 3U);
  EXPECT_EQ(split(file + "],\"z\":\"" + std::string(2 * kRecordBytesMax, 'z') + "\"}").error, "");
  EXPECT_NE(split(R"({"z":")" + std::string(kRecordBytesMax, 'z') + R"(","Records":[]})").error,
            "");

  const auto nested = [](std::size_t depth) {
    std::string text = "{";
    for (std::size_t i = 1; i < depth; ++i) {
      text += R"("a":{)";
    }
    return text + std::string(depth, '}');
  };
  EXPECT_EQ(split(nested(kSplitDepthMax)).error, "");
  EXPECT_THAT(split(nested(kSplitDepthMax + 1)).error, HasSubstr("line 1: nested deeper than 512"));
}

TEST(RecordSplitter, HandsOnTheErrorOfTheSinkAndThenStops) {
  RecordSplitter splitter([](const RecordSplitter::Item&) -> Result<void> {
    return fail(ErrorCode::Throttled, "full");
  });
  const auto fed = splitter.feed("{}{}");
  ASSERT_FALSE(fed.has_value());
  EXPECT_EQ(fed.error().code(), ErrorCode::Throttled);
  EXPECT_EQ(fed.error().message(), "full");
  EXPECT_FALSE(splitter.feed("{}").has_value());
  EXPECT_FALSE(splitter.finish().has_value());
}

// Counted with another program (Python's json), see tests/data/aws/README.md.
constexpr struct {
  std::string_view path;
  std::size_t records;
  std::uint64_t digests;
} kSamples[] = {
    {"cloud-custodian/event-cloud-trail-create-bucket.json", 1, 0},
    {"cloud-custodian/event-cloud-trail-create-volume.json", 1, 0},
    {"cloud-custodian/event-cloud-trail-run-instances.json", 1, 0},
    {"crowdsecurity-hub/aws-cloudtrail.log", 2, 0},
    {"crowdsecurity-hub/aws-nwo-login.log", 1, 0},
    {"invictus-ir-aws_dataset/"
     "218007301253_CloudTrail_us-east-1_20230710T1210Z_2ru8PrDKZmsO3yWC.json",
     3, 0},
    {"invictus-ir-aws_dataset/"
     "218007301253_CloudTrail_us-east-1_20230710T1225Z_QqgbBkK0L13H8Wbv.json",
     3, 0},
    {"invictus-ir-aws_dataset/"
     "218007301253_CloudTrail_us-east-1_20230710T1225Z_RL8g7SsRoNFvvVBW.json",
     5, 0},
    {"invictus-ir-aws_dataset/"
     "218007301253_CloudTrail_us-east-1_20230710T1230Z_9JM8uKEITHqwJKXr.json",
     22, 0},
    {"opentelemetry-collector-contrib/cloudtrail_digest.json", 0, 1},
    {"panther-analysis/aws_cloudtrail_aws_cloudtrail_region_enabled.ndjson", 2, 0},
    {"panther-analysis/aws_cloudtrail_aws_console_signin.ndjson", 1, 0},
    {"panther-analysis/aws_cloudtrail_aws_iam_create_user.ndjson", 2, 0},
    {"panther-analysis/aws_cloudtrail_aws_root_access_key_created.ndjson", 2, 0},
    {"panther-analysis/aws_cloudtrail_aws_vpce_access_denied.ndjson", 3, 0},
    {"panther-analysis/aws_cloudtrail_role_assumed_by_user.ndjson", 1, 0},
    {"stratus-red-team/aws.defense-evasion.cloudtrail-stop.json", 1, 0},
    {"stratus-red-team/aws.exfiltration.ec2-share-ami.json", 1, 0},
    {"trailscraper/111111111111_CloudTrail_eu-central-1_20171211T1505Z_A6kvhMoVeCsc7v8U.json", 2,
     0},
};

std::string sample(std::string_view path) {
  const auto files = io::make_posix_filesystem();
  auto text = io::read_file(*files, fmt::format("tests/data/aws/{}", path), 1 << 20);
  EXPECT_TRUE(text.has_value()) << path;
  return text.value_or("");
}

TEST(RecordSplitter, FindsAllRecordsOfTheRealSamples) {
  for (const auto& c : kSamples) {
    const std::string text = sample(c.path);
    const Outcome outcome = split(text);
    EXPECT_EQ(outcome.error, "") << c.path;
    EXPECT_EQ(outcome.items.size(), c.records) << c.path;
    EXPECT_EQ(outcome.digests, c.digests) << c.path;
    for (const Found& item : outcome.items) {
      EXPECT_NE(text.find(item.json), std::string::npos) << c.path;
      EXPECT_TRUE(parse_record(item.json, Origin::Import, Timestamp{}).has_value()) << c.path;
    }
  }
}

TEST(RecordSplitter, GivesTheSameWhereverTheRealSamplesAreCut) {
  constexpr std::uint64_t kSeed = 20261124;
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  io::SeededRandom random(kSeed);
  const auto random_cut = [&random] {
    std::array<std::byte, 1> byte{};
    random.fill(byte);
    return std::to_integer<std::size_t>(byte[0]) + 1;
  };
  for (const auto& c : kSamples) {
    const std::string text = sample(c.path);
    const Outcome whole = split(text);
    EXPECT_EQ(split(text, [] { return 1; }), whole) << c.path;
    for (int round = 0; round < 20; ++round) {
      EXPECT_EQ(split(text, random_cut), whole) << c.path;
    }
  }
}

TEST(RecordSplitter, GivesTheSameAtEveryCutInTwo) {
  const std::string text = "\xEF\xBB\xBF" + sample(kSamples[0].path) +
                           "{\"Records\":[{\"a\":\"\\\"\\\\\"},{}],\"b\":1}\n[{}]{\"a\":tru]";
  const Outcome whole = split(text);
  EXPECT_NE(whole.error, "");
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    bool first = true;
    ASSERT_EQ(split(text, [&] { return std::exchange(first, false) ? cut : text.size(); }), whole)
        << "cut at " << cut;
  }
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : random_(seed) {}
  /// Of [0, bound).
  std::size_t below(std::size_t bound) {
    std::array<std::byte, 4> bytes{};
    random_.fill(bytes);
    std::size_t number = 0;
    for (const std::byte byte : bytes) {
      number = number << 8U | std::to_integer<std::size_t>(byte);
    }
    return number % bound;
  }

 private:
  io::SeededRandom random_;
};

/// A stream of pieces that mean something to a splitter: mostly broken, now and then whole.
std::string random_stream(Random& random) {
  static constexpr std::string_view kPieces[] = {
      "{",
      "}",
      "[",
      "]",
      "{\"a\":",
      "\"a\"",
      ":",
      ",",
      "\"",
      "\\",
      "\\\"",
      "\\\\",
      "\n",
      " ",
      "\t",
      "\x01",
      "{}",
      "[]",
      "x",
      "\"Records\"",
      "{\"Records\":[",
      "]}",
      "\"detail-type\":1",
      "\"detail\":{",
      "\"digestS3Object\"",
      "\n",
      "\n{",
      "}\n{\"b\":1}\n{",
      "\"R",
      "\"d",
      "Records\"",
      "detail-type\"",
      "\xC3\xA9",
      R"({"k":"a \"quoted\" text of some length, so that blocks are crossed","n":[1,{"m":null}]})",
      R"({"eventSource":"s3.amazonaws.com","b":{"c":{"d":["x",{"e":"}]{["}]}}})",
      R"({"path":"C:\\dir\\","run":"\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\""})"};
  std::string text;
  for (std::size_t i = random.below(24); i > 0; --i) {
    text += kPieces[random.below(std::size(kPieces))];
  }
  return text;
}

void damage(std::string& text, Random& random) {
  static constexpr std::string_view kBytes = "{}[]\"\\\n \x01Rd,:";
  for (std::size_t i = random.below(3); i > 0 && !text.empty(); --i) {
    const std::size_t at = random.below(text.size());
    switch (random.below(3)) {
      case 0:
        text[at] = kBytes[random.below(kBytes.size())];
        break;
      case 1:
        text.erase(at, random.below(80));
        break;
      default:
        text.insert(at, 1, kBytes[random.below(kBytes.size())]);
        break;
    }
  }
}

/// The fast methods that this processor has.
std::vector<SplitMethod> fast_methods() {
  std::vector<SplitMethod> methods = {SplitMethod::Sse2};
  if (best_split_method() == SplitMethod::Avx2) {
    methods.push_back(SplitMethod::Avx2);
  }
  return methods;
}

void expect_same_by_all_methods(std::string_view text, Random& random) {
  const auto whole = [&] { return text.size(); };
  for (const Breaks breaks : {Breaks::End, Breaks::AreTold}) {
    const Outcome expected = split(text, whole, SplitMethod::ByteWise, breaks);
    for (const SplitMethod method : fast_methods()) {
      ASSERT_EQ(split(text, whole, method, breaks), expected) << text;
      const std::size_t longest = 1 + random.below(200);
      ASSERT_EQ(split(
                    text, [&] { return 1 + random.below(longest); }, method, breaks),
                expected)
          << text;
    }
  }
}

TEST(RecordSplitter, GivesTheSameByAllMethods) {
  constexpr std::uint64_t kSeed = 20261126;
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  Random random(kSeed);
  for (int round = 0; round < 20'000 && !testing::Test::HasFatalFailure(); ++round) {
    expect_same_by_all_methods(random_stream(random), random);
    expect_same_by_all_methods("{}\n" + random_stream(random), random);
  }
  for (const auto& c : kSamples) {
    const std::string text = sample(c.path);
    expect_same_by_all_methods(text, random);
    for (int round = 0; round < 20 && !testing::Test::HasFatalFailure(); ++round) {
      std::string damaged = text;
      damage(damaged, random);
      expect_same_by_all_methods(damaged, random);
      expect_same_by_all_methods("{}\n" + damaged, random);
    }
  }
}

TEST(RecordSplitter, CountsBackslashesOverTheEdgesOfBlocks) {
  Random random(1);
  for (std::size_t before = 50; before < 70; ++before) {
    for (std::size_t run = 0; run < 140; ++run) {
      const std::string text =
          R"({"k":")" + std::string(before, 'x') + std::string(run, '\\') + R"("},"}{)" + "\n\"}";
      expect_same_by_all_methods(text, random);
    }
  }
}

TEST(RecordSplitter, BoundsAndDepthAreTheSameByAllMethods) {
  Random random(2);
  for (const std::size_t bytes : {kRecordBytesMax - 1, kRecordBytesMax, kRecordBytesMax + 1}) {
    const std::string text =
        "{}\n" + (R"({"a":")" + std::string(bytes - 8, 'x') + R"("})") + "\n{}";
    const Outcome expected = split(text, [&] { return text.size(); }, SplitMethod::ByteWise);
    for (const SplitMethod method : fast_methods()) {
      for (const std::size_t piece : {text.size(), std::size_t{100'000}}) {
        EXPECT_EQ(split(text, [&] { return piece; }, method), expected) << bytes;
      }
    }
  }
  for (const std::size_t depth : {kSplitDepthMax - 1, kSplitDepthMax, kSplitDepthMax + 1}) {
    std::string text = "{\"a\":";
    text += std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
    expect_same_by_all_methods(text, random);
  }
}

TEST(RecordSplitter, GivesViewsOfWhatWasFed) {
  const std::string text =
      R"({"Records":[{"a":"long enough to fill more than a single block, so"}]})"
      "\n{\"b\":1}";
  std::vector<std::string_view> views;
  RecordSplitter splitter([&views](const RecordSplitter::Item& item) -> Result<void> {
    views.push_back(item.json);
    return {};
  });
  ASSERT_TRUE(splitter.feed(text));
  ASSERT_EQ(views.size(), 2U);
  for (const std::string_view view : views) {
    EXPECT_GE(view.data(), text.data());
    EXPECT_LE(view.data() + view.size(), text.data() + text.size());
  }
}

}  // namespace
}  // namespace opentrail::record
