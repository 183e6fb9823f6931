// Goal: the quick walk takes and refuses the same bytes as simdjson's tree, and reads the same from
// them. Method: tables of what is at the edge of JSON, damaged records (the seed is printed), the
// real samples; each compared with record_reference.h.
#include "record/record_walk.h"

#include "io/filesystem.h"
#include "io/random.h"
#include "record/record_reference.h"
#include "record/splitter.h"

#include <array>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace opentrail::record {
namespace {

constexpr std::string_view kRecord =
    R"({"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"A:s",)"
    R"("arn":"arn:aws:sts::1:assumed-role/R/s","accountId":"1","accessKeyId":"K",)"
    R"("sessionContext":{"attributes":{"mfaAuthenticated":"false"}}},"eventTime":)"
    R"("2026-11-24T08:46:13Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances",)"
    R"("awsRegion":"us-east-1","sourceIPAddress":"198.51.100.7","userAgent":"a\"b\u0041\\",)"
    R"("requestParameters":{"instancesSet":{"items":[{"imageId":"ami-1","n":-1.5},{"imageId":7}]},)"
    R"("x":[[],{},[1,2,3.25e2]]},"responseElements":null,"eventID":"e","readOnly":true,)"
    R"("resources":[{"type":"T","ARN":"arn:x:y/z"}, 5, "s"],"managementEvent":false,)"
    R"("recipientAccountId":123456789012,"eventType":"AwsApiCall"})";

TEST(RecordWalk, TakesAndRefusesWhatTheTreeDoes) {
  constexpr std::string_view kValues[] = {"0",
                                          "-0",
                                          "1",
                                          "-1",
                                          "01",
                                          "-",
                                          "+1",
                                          "1.",
                                          ".5",
                                          "1.5",
                                          "1e5",
                                          "1E+5",
                                          "1e",
                                          "0x1",
                                          "1_0",
                                          "123456789012345",
                                          "1234567890123456",
                                          "-9223372036854775808",
                                          "-9223372036854775809",
                                          "18446744073709551615",
                                          "18446744073709551616",
                                          "1e308",
                                          "1e309",
                                          "0.1e-999",
                                          "1.0000000000000000001",
                                          "true",
                                          "false",
                                          "null",
                                          "tru",
                                          "truee",
                                          "nul",
                                          "True",
                                          "\"\"",
                                          "\"a\"",
                                          "\"a",
                                          "a\"",
                                          "\"a\"b",
                                          "a\"b\"",
                                          "1\"b\"",
                                          "\"\\n\"",
                                          "\"\\q\"",
                                          "\"\\u12\"",
                                          "\"\\u0041\"",
                                          "\"\\ud800\"",
                                          "\"\\udc00\"",
                                          "\"\\ud83d\\ude00\"",
                                          "\"\\ud83dx\"",
                                          "\"\\ud83d\\u0041\"",
                                          "\"\\u0000\"",
                                          "\"\\",
                                          "\"\\\"",
                                          "\"\\\\\"",
                                          "\"\x01\"",
                                          "\"\t\"",
                                          "\"\xC3\xA9\"",
                                          "\"\xC3\"",
                                          "\"\xED\xA0\x80\"",
                                          "\xC3\xA9",
                                          "\x0C",
                                          "\x1A",
                                          "\v",
                                          ("\xEF\xBB\xBF"
                                           "1"),
                                          "{}",
                                          "[]",
                                          "{ }",
                                          "[ ]",
                                          "{\"a\"}",
                                          "{\"a\":}",
                                          "{:1}",
                                          "{,}",
                                          "{\"a\":1,}",
                                          "{1:2}",
                                          "{\"a\" 1}",
                                          "[1,]",
                                          "[,1]",
                                          "[1 2]",
                                          "[1",
                                          "1]",
                                          "[}",
                                          "{]",
                                          "}",
                                          "]",
                                          ",",
                                          ":",
                                          "",
                                          " 1 ",
                                          "\n1\r\n",
                                          "1 2",
                                          "\"a\" \"b\"",
                                          "[[[]]]",
                                          "[{}]",
                                          "{\"a\":[{\"b\":[]}]}",
                                          "{\"\":1}",
                                          "{\"a\\u0062\":1}",
                                          "{\"a\\q\":1}",
                                          "/**/1",
                                          "NaN",
                                          "Infinity",
                                          "'a'"};
  for (const std::string_view value : kValues) {
    for (const std::string_view frame :
         {R"({{"eventID":{}}})", R"({{"recipientAccountId":{0},"x":[{0}]}})",
          R"({{"requestParameters":{{"a":{}}},"eventName":"n"}})", R"({{"userIdentity":{}}})", "{}",
          R"({{"resources":[{{"ARN":{}}}],"readOnly":1}})", R"({{"a":1}}{})", R"({}{{"a":1}})",
          R"({{"eventName":{0},"eventName":"second","n":123456789012345678901234}})"}) {
      const std::string json = fmt::format(fmt::runtime(frame), value);
      EXPECT_EQ(reference::disagreement(json), "") << json;
    }
  }
}

TEST(RecordWalk, CountsLevelsAsTheTreeDoes) {
  for (std::size_t depth = kRecordDepthMax - 4; depth < kRecordDepthMax + 3; ++depth) {
    for (const std::string_view inner : {"", "1", "{}", "[]", "{\"a\":1}"}) {
      const std::string lists =
          std::string(depth, '[') + std::string(inner) + std::string(depth, ']');
      for (const std::string_view key : {"x", "resources", "requestParameters", "userIdentity"}) {
        const std::string json = fmt::format(R"({{"{}":{}}})", key, lists);
        EXPECT_EQ(reference::disagreement(json), "") << json;
      }
      std::string objects;
      for (std::size_t i = 0; i < depth; ++i) {
        objects += R"({"requestParameters":)";
      }
      objects += (inner.empty() ? "0" : inner);
      objects += std::string(depth, '}');
      EXPECT_EQ(reference::disagreement(objects), "") << objects;
    }
  }
}

TEST(RecordWalk, ReadsLargeRecordsAndLongEscapes) {
  for (const std::size_t bytes :
       {std::size_t{60'000}, std::size_t{70'000}, std::size_t{1'000'000}}) {
    const std::string pad(bytes, 'x');
    EXPECT_EQ(reference::disagreement(fmt::format(R"({{"p":"{}","eventName":"a\nb"}})", pad)), "");
    EXPECT_EQ(reference::disagreement(fmt::format(R"({{"n":1e999,"eventName":"{}\n"}})", pad)), "");
    EXPECT_EQ(reference::disagreement(fmt::format(R"({{"eventName":"a","p":"{})", pad)), "");
  }
}

TEST(RecordWalk, AgreesAboutDamagedRecords) {
  constexpr std::uint64_t kSeed = 20261126;
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  io::SeededRandom random(kSeed);
  const auto below = [&random](std::size_t bound) {
    std::array<std::byte, 2> bytes{};
    random.fill(bytes);
    return (std::to_integer<std::size_t>(bytes[0]) << 8U | std::to_integer<std::size_t>(bytes[1])) %
           bound;
  };
  constexpr std::string_view kBytes =
      "{}[]\"\\:, \n\t\x01"
      "0-1.eEtfnu\xC3\xA9";
  for (int round = 0; round < 20'000; ++round) {
    std::string json(kRecord);
    for (std::size_t i = 1 + below(2); i > 0; --i) {
      const std::size_t at = below(json.size());
      const char byte = kBytes[below(kBytes.size())];
      switch (below(4)) {
        case 0:
          json[at] = byte;
          break;
        case 1:
          json.erase(at, 1 + below(3));
          break;
        case 2:
          json.insert(at, 1, byte);
          break;
        default:
          json.insert(at, json.substr(below(json.size()), below(60)));
          break;
      }
    }
    ASSERT_EQ(reference::disagreement(json), "") << json;
  }
}

TEST(RecordWalk, AgreesAboutRealRecords) {
  const auto files = io::make_posix_filesystem();
  for (const std::string_view path :
       {"crowdsecurity-hub/aws-cloudtrail.log",
        "invictus-ir-aws_dataset/"
        "218007301253_CloudTrail_us-east-1_20230710T1230Z_9JM8uKEITHqwJKXr.json",
        "panther-analysis/aws_cloudtrail_aws_vpce_access_denied.ndjson",
        "cloud-custodian/event-cloud-trail-run-instances.json"}) {
    const auto text = io::read_file(*files, fmt::format("tests/data/aws/{}", path), 1 << 20);
    ASSERT_TRUE(text.has_value()) << path;
    RecordSplitter splitter([&](const RecordSplitter::Item& item) -> Result<void> {
      EXPECT_EQ(reference::disagreement(std::string(item.json)), "") << item.json;
      return {};
    });
    EXPECT_TRUE(splitter.feed(*text).has_value());
    EXPECT_TRUE(splitter.finish().has_value());
  }
}

}  // namespace
}  // namespace opentrail::record
