// Goal: other programs are run without a shell, fed, waited for and never left behind.
#include "bench/child_command.h"

#include "io/temp_folder.h"

#include <csignal>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace opentrail::bench {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(ChildCommand, ReadsWhatItIsFed) {
  const io::TempFolder folder;
  const std::string log = folder.path() + "/log";
  auto command =
      ChildCommand::start({"/bin/cat"}, {.feeds = true, .log_file = log, .folder = folder.path()});
  ASSERT_TRUE(command.has_value());
  ASSERT_TRUE(command->feed("one ").has_value());
  ASSERT_TRUE(command->feed("two; $HOME").has_value());
  EXPECT_EQ(command->finish().value(), 0);
  EXPECT_EQ(text_of(log), "one two; $HOME");
}

TEST(ChildCommand, TellsHowItEnded) {
  EXPECT_EQ(ChildCommand::start({"/bin/false"}, {}).value().finish().value(), 1);
  EXPECT_EQ(ChildCommand::start({"/no/such/program"}, {}).value().finish().value(), 127);
  auto sleeper = ChildCommand::start({"/bin/sleep", "60"}, {});
  ASSERT_TRUE(sleeper.has_value());
  sleeper->ask_to_end(SIGTERM);
  EXPECT_FALSE(sleeper->finish().has_value());
}

TEST(ChildCommand, DoesNotOutliveItsOwner) {
  const auto begin = std::chrono::steady_clock::now();
  {
    const auto sleeper = ChildCommand::start({"/bin/sleep", "60"}, {});
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST(ChildCommand, ALogThatCannotBeWrittenIsAnError) {
  EXPECT_FALSE(ChildCommand::start({"/bin/true"}, {.log_file = "/no/such/folder/log"}).has_value());
}

}  // namespace
}  // namespace opentrail::bench
