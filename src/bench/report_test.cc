// Goal: a report reads the same for people and for scripts, and what was lost cannot be overseen.
#include "bench/report.h"

#include "base/json.h"

#include <gtest/gtest.h>

namespace opentrail::bench {
namespace {

Report sample() {
  Report report;
  report.seed = 18446744073709551615U;
  report.records = 1'234'567;
  report.bytes = 99;
  report.target = "http://127.0.0.1:4747";
  Section ingest{.name = "ingest", .note = {}, .metrics = {}};
  ingest.add("recordsPerSecond", "records a second", 123456.7, "/s");
  ingest.add("serverMicrosPerRecord", "server CPU a record", 8.25, "us");
  ingest.add_latency("ack", "acknowledged", {.count = 1, .p50 = std::chrono::microseconds(1500)});
  report.phases.push_back(ingest);
  report.baselines.push_back({.name = "postgres", .note = "not installed", .metrics = {}});
  return report;
}

TEST(Report, Table) {
  const std::string table = to_table(sample());
  EXPECT_TRUE(table.starts_with("1,234,567 records, 99 bytes")) << table;
  EXPECT_NE(table.find("with seed 18446744073709551615"), std::string::npos);
  EXPECT_NE(table.find("  records a second                             123,457 /s\n"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("8.250 us\n"), std::string::npos);
  EXPECT_NE(table.find("  acknowledged                          p50     1,500  p90         0"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("\nbaseline postgres\n  not installed\n"), std::string::npos);
  EXPECT_TRUE(table.ends_with("\nNothing was lost.\n"));
}

TEST(Report, Json) {
  const auto json = parse_json(to_json(sample()));
  ASSERT_TRUE(json.has_value()) << json.error().message();
  EXPECT_EQ(json->at("seed").to_number<std::uint64_t>(), 18446744073709551615U);
  EXPECT_EQ(json->at("lost"), 0);
  EXPECT_NEAR(json->at("phases").at("ingest").at("serverMicrosPerRecord").to_number<double>(), 8.25,
              1e-9);
  EXPECT_EQ(json->at("phases").at("ingest").at("ackP50Micros").to_number<double>(), 1500);
  EXPECT_EQ(json->at("baselines").at("postgres").at("note"), "not installed");
}

TEST(Report, WhatWasLostIsSaid) {
  Report report = sample();
  report.phases.front().lost = 3;
  EXPECT_EQ(report.lost(), 3U);
  const std::string table = to_table(report);
  EXPECT_NE(table.find("  LOST: 3\n"), std::string::npos);
  EXPECT_TRUE(table.ends_with("\n3 records or answers were LOST.\n")) << table;
  EXPECT_EQ(parse_json(to_json(report))->at("lost"), 3);
  EXPECT_EQ(report.phases.front().value_of("serverMicrosPerRecord"), 8.25);
  EXPECT_EQ(report.phases.front().value_of("none"), 0);
}

}  // namespace
}  // namespace opentrail::bench
