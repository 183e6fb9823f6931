// Goal: whoever looks up waits for everything but a lookup's own record at the very end.
// Method: the few orders in which records are accepted and said to be a lookup's.
#include "history/quiet_run.h"

#include <gtest/gtest.h>

namespace opentrail::history {
namespace {

using journal::Offset;

TEST(QuietRunTest, WaitsForAllWhenNothingIsQuiet) {
  const QuietRun run;
  EXPECT_EQ(run.awaited(Offset{0}, 0), Offset{0});
  EXPECT_EQ(run.awaited(Offset{7}, 0), Offset{7});
}

TEST(QuietRunTest, DoesNotWaitForARunAtTheEnd) {
  QuietRun run;
  run.add(Offset{4}, 0);
  EXPECT_EQ(run.awaited(Offset{5}, 0), Offset{4});
  run.add(Offset{5}, 0);
  EXPECT_EQ(run.awaited(Offset{6}, 0), Offset{4});
  run.add(Offset{8}, 0);  // Another record came between.
  EXPECT_EQ(run.awaited(Offset{9}, 0), Offset{8});
}

TEST(QuietRunTest, WaitsForWhatWasAcceptedBehindARun) {
  QuietRun run;
  run.add(Offset{4}, 0);
  EXPECT_EQ(run.awaited(Offset{6}, 0), Offset{6});
}

// Two lookups end at the same time, and the later record is told of first.
TEST(QuietRunTest, WaitsLongerRatherThanTooShort) {
  QuietRun run;
  run.add(Offset{5}, 0);
  run.add(Offset{4}, 0);
  EXPECT_EQ(run.awaited(Offset{6}, 0), Offset{6});
}

// A full disk took the lookup's record back; its offset is a change's now.
TEST(QuietRunTest, EndsWhenRecordsAreTakenBack) {
  QuietRun run;
  run.add(Offset{4}, 0);
  EXPECT_EQ(run.awaited(Offset{5}, 1), Offset{5});
  run.add(Offset{5}, 1);
  EXPECT_EQ(run.awaited(Offset{6}, 1), Offset{5});
}

}  // namespace
}  // namespace opentrail::history
