// Goal: whoever looks up waits for everything but a lookup's own record at the very end.
// Method: the few orders in which records are accepted and said to be a lookup's.
#include "history/quiet_run.h"

#include <gtest/gtest.h>

namespace opentrail::history {
namespace {

using journal::Offset;

TEST(QuietRunTest, WaitsForAllWhenNothingIsQuiet) {
  const QuietRun run;
  EXPECT_EQ(run.awaited(Offset{0}), Offset{0});
  EXPECT_EQ(run.awaited(Offset{7}), Offset{7});
}

TEST(QuietRunTest, DoesNotWaitForARunAtTheEnd) {
  QuietRun run;
  run.add(Offset{4});
  EXPECT_EQ(run.awaited(Offset{5}), Offset{4});
  run.add(Offset{5});
  EXPECT_EQ(run.awaited(Offset{6}), Offset{4});
  run.add(Offset{8});  // Another record came between.
  EXPECT_EQ(run.awaited(Offset{9}), Offset{8});
}

TEST(QuietRunTest, WaitsForWhatWasAcceptedBehindARun) {
  QuietRun run;
  run.add(Offset{4});
  EXPECT_EQ(run.awaited(Offset{6}), Offset{6});
}

// Two lookups end at the same time, and the later record is told of first.
TEST(QuietRunTest, WaitsLongerRatherThanTooShort) {
  QuietRun run;
  run.add(Offset{5});
  run.add(Offset{4});
  EXPECT_EQ(run.awaited(Offset{6}), Offset{6});
}

}  // namespace
}  // namespace opentrail::history
