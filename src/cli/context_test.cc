// Goal: colour only where it is wanted, output that is not written is an error, numbers readable.
#include "cli/context.h"

#include "cli/fake_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::cli {
namespace {

using testing::HasSubstr;

TEST(Context, ColourIsForTerminalsThatWantIt) {
  FakeWorld world;
  EXPECT_FALSE(world.context().out_has_colour());
  world.terminal = true;
  EXPECT_TRUE(world.context().out_has_colour());
  world.environment["NO_COLOR"] = "1";
  EXPECT_FALSE(world.context().out_has_colour());
  world.environment = {{"TERM", "dumb"}};
  EXPECT_FALSE(world.context().out_has_colour());
  world.environment = {{"NO_COLOR", ""}, {"TERM", "xterm"}};
  EXPECT_TRUE(world.context().out_has_colour()) << "no-color.org: an empty value does not count";
}

TEST(Context, OutputThatIsNotWrittenIsAnError) {
  FakeWorld world;
  EXPECT_TRUE(finish_output(world.context(), "lookup"));
  EXPECT_EQ(world.err.str(), "");
  world.out.setstate(std::ios::badbit);
  EXPECT_FALSE(finish_output(world.context(), "lookup"));
  EXPECT_THAT(world.err.str(), HasSubstr("opentrail lookup: the output could not be written"));
}

TEST(Context, CommasStandBetweenThousands) {
  const std::pair<std::uint64_t, std::string_view> cases[] = {
      {0, "0"},
      {999, "999"},
      {1000, "1,000"},
      {1234567, "1,234,567"},
      {18446744073709551615U, "18,446,744,073,709,551,615"}};
  for (const auto& [number, text] : cases) {
    EXPECT_EQ(with_commas(number), text);
  }
}

}  // namespace
}  // namespace opentrail::cli
