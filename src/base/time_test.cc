// Goal: each time text that AWS uses prints and parses exactly, and near misses are refused.
#include "base/time.h"

#include <gtest/gtest.h>

namespace opentrail {
namespace {

using std::chrono::milliseconds;

TEST(Time, PrintsEachFormOfOneInstant) {
  const Timestamp time{milliseconds(1795509973250)};  // 2026-11-24T08:46:13.250Z
  EXPECT_EQ(to_iso_seconds(time), "2026-11-24T08:46:13Z");
  EXPECT_EQ(to_iso_millis(time), "2026-11-24T08:46:13.250Z");
  EXPECT_EQ(to_iso_basic(time), "20261124T084613Z");
  EXPECT_EQ(to_iso_basic_minutes(time), "20261124T0846Z");
  EXPECT_EQ(to_iso_basic_date(time), "20261124");
  EXPECT_EQ(to_date_folders(time), "2026/11/24");
  EXPECT_EQ(to_http_date(time), "Tue, 24 Nov 2026 08:46:13 GMT");
  EXPECT_EQ(to_record_style(time), "Nov 24, 2026, 8:46:13 AM");
  EXPECT_EQ(to_epoch_number(time), "1795509973.250");
  EXPECT_EQ(to_epoch_number(Timestamp{milliseconds(1795509973000)}), "1795509973");
}

TEST(Time, NoonAndMidnightInRecordStyle) {
  EXPECT_EQ(to_record_style(*parse_iso("2025-02-12T00:16:48Z")), "Feb 12, 2025, 12:16:48 AM");
  EXPECT_EQ(to_record_style(*parse_iso("2025-02-12T12:16:48Z")), "Feb 12, 2025, 12:16:48 PM");
}

TEST(Time, ParsesWhatRecordsOfTheWorldHold) {
  const Timestamp want{milliseconds(1704164645000)};
  EXPECT_EQ(parse_iso("2024-01-02T03:04:05Z"), want);
  EXPECT_EQ(parse_iso("2024-01-02 03:04:05"), want);
  EXPECT_EQ(parse_iso("2024-01-02 03:04:05.000000000"), want);
  EXPECT_EQ(parse_iso("2024-01-02T05:04:05+02:00"), want);
  EXPECT_EQ(parse_iso("2024-01-02T03:04:05.250Z"), want + milliseconds(250));
  EXPECT_EQ(parse_iso_basic("20240102T030405Z"), want);
  EXPECT_EQ(parse_http_date("Tue, 02 Jan 2024 03:04:05 GMT"), want);
}

TEST(Time, RefusesNearMisses) {
  for (const auto* text :
       {"", "redacted", "2024-02-30T00:00:00Z", "2024-01-02T24:00:00Z", "2024-01-02T03:04:05Zx",
        "2024-1-02T03:04:05Z", "2024-01-02T03:04:05.Z", "2025-10-21TT00:52:27Z"}) {
    EXPECT_FALSE(parse_iso(text)) << text;
  }
  EXPECT_FALSE(parse_iso_basic("20240102T030405"));
  EXPECT_FALSE(parse_http_date("Tue, 02 Jan 2024 03:04:05 UTC"));
}

}  // namespace
}  // namespace opentrail
