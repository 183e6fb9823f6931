// Goal: the bar fits and never lies; without a terminal there is none.
#include "cli/progress.h"

#include "cli/fake_world.h"

#include <gtest/gtest.h>

namespace opentrail::cli {
namespace {

using std::chrono::milliseconds;

constexpr collect::ImportProgress kHalf{.bytes_done = 3'100'000,
                                        .bytes_total = 7'400'000,
                                        .files_done = 4,
                                        .files_total = 10,
                                        .records = 118'200};

TEST(ProgressBar, ShowsHowFarAndHowFast) {
  EXPECT_EQ(progress_bar(kHalf, milliseconds(2000), 77),
            "[#########---------------]   41%  3.1 MB of 7.4 MB  118,200 records  59,100/s");
}

TEST(ProgressBar, FitsAnyTerminal) {
  for (std::size_t columns = 0; columns < 200; ++columns) {
    EXPECT_LE(progress_bar(kHalf, milliseconds(2000), columns).size(), columns);
  }
}

TEST(ProgressBar, StaysWithinItsBounds) {
  collect::ImportProgress grown = kHalf;
  grown.bytes_done = 9'000'000;  // a file grew while it was read
  EXPECT_NE(progress_bar(grown, milliseconds(0), 80).find("100%  7.4 MB of 7.4 MB"),
            std::string::npos);
  EXPECT_NE(progress_bar({}, milliseconds(0), 80).find("100%  0 B of 0 B  0 records  0/s"),
            std::string::npos);
}

TEST(HumanBytes, TakesTheUnitThatFits) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(12'345'678), "12.3 MB");
  EXPECT_EQ(human_bytes(18'446'744'073'709'551'615U), "18446744.1 TB");
}

TEST(ProgressShow, IsSilentWithoutATerminalAndWhenQuiet) {
  FakeWorld world;
  for (const bool terminal : {false, true}) {
    world.terminal = terminal;
    const Context context = world.context();
    ProgressShow show(context, terminal);
    show.update(kHalf);
    show.clear();
    EXPECT_EQ(world.err.str(), "");
  }
}

}  // namespace
}  // namespace opentrail::cli
