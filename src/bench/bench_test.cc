// Goal: a run that makes no sense is refused before anything is started, and the baselines that
// need no server measure what they say. Method: small counts, no phases; the whole with a server is
// tests/test_bench.py.
#include "bench/bench.h"

#include "bench/http_load.h"
#include "io/temp_folder.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace opentrail::bench {
namespace {

class BenchTest : public testing::Test {
 protected:
  BenchTest() {
    options_.records = 300;
    options_.batch_records = 100;
    options_.lookups = 20;
    options_.work_parent = folder_.path();
  }
  Result<Report> run() {
    return run_bench(options_, *files_, clock_, [](auto&&...) {});
  }
  std::string refused() {
    const auto report = run();
    EXPECT_FALSE(report.has_value());
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
    return report ? "" : report.error().message();
  }

  io::TempFolder folder_;
  BenchOptions options_;
  std::unique_ptr<io::Filesystem> files_ = io::make_posix_filesystem();
  io::SystemClock clock_;
};

TEST_F(BenchTest, RefusesWhatMakesNoSense) {
  options_.phases = {"ingest", "lunch"};
  EXPECT_TRUE(refused().starts_with("there is no phase 'lunch'; there are: ingest, "));
  options_.phases = {"lookup"};
  EXPECT_NE(refused().find("add the phase ingest"), std::string::npos);
  options_.phases = {};
  options_.baselines = {"oracle"};
  EXPECT_TRUE(refused().starts_with("there is no baseline 'oracle'"));
  options_.baselines = {};
  options_.records = 0;
  EXPECT_NE(refused().find("at least one record"), std::string::npos);
  options_.records = 1;
  options_.templates = folder_.path() + "/none.json";
  EXPECT_FALSE(refused().empty());
}

TEST_F(BenchTest, BaselinesMeasureTheSameRecords) {
  options_.baselines = {"gzip", "parse", "sqlite"};
  const auto report = run();
  ASSERT_TRUE(report.has_value()) << report.error().message();
  ASSERT_EQ(report->baselines.size(), 3U);
  for (const Section& section : report->baselines) {
    EXPECT_EQ(section.value_of("records"), 300) << section.name;
    EXPECT_GT(section.value_of("bytesPerRawByte"), 0.02) << section.name;
  }
  EXPECT_EQ(report->lost(), 0U);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(BenchTest, AStopEndsABaseline) {
  const std::atomic<bool> stop = true;
  options_.stop = &stop;
  options_.baselines = {"parse"};
  const auto report = run();
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().reason(), collect::kInterrupted);
}

TEST_F(BenchTest, TemplatesComeFromFilesToo) {
  std::ofstream(folder_.path() + "/one.json") << R"({"Records": [ {
      "eventID": "623d0143-1c5e-4f0a-9a3c-0e1d2c3b4a59", "eventTime": "2020-01-01T00:00:00Z",
      "eventName": "X", "eventSource": "x.amazonaws.com"}, {"no": "record"} ]})";
  options_.templates = folder_.path() + "/one.json";
  options_.baselines = {"parse"};
  const auto report = run();
  ASSERT_TRUE(report.has_value()) << report.error().message();
  EXPECT_EQ(report->templates, 1U);
}

TEST(HttpLoad, AnAnswerMustHoldWhatIsExpected) {
  const std::string answer = R"({"Events":[{"EventId":"a-1","EventName":"X"}]})";
  EXPECT_TRUE(holds_expected(answer, {}));
  EXPECT_TRUE(holds_expected(answer, {.expected_id = "a-1"}));
  EXPECT_FALSE(holds_expected(answer, {.expected_id = "a"}));
  EXPECT_FALSE(holds_expected(R"({"Events":[]})", {}));
}

}  // namespace
}  // namespace opentrail::bench
