// Goal: the command line as a person meets it: help at every level, wrong use that is explained,
// exit codes 0, 1 and 2.
#include "cli/program.h"

#include "cli/fake_world.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::cli {
namespace {

using testing::HasSubstr;

class ProgramTest : public testing::Test {
 protected:
  int run(std::vector<const char*> words) {
    world_.out.str("");
    world_.err.str("");
    words.insert(words.begin(), "./bin/opentrail");
    return run_program(static_cast<int>(words.size()), words.data(), world_.context());
  }

  FakeWorld world_;
};

TEST_F(ProgramTest, EveryLevelHasHelpThatNamesTheExitCodes) {
  const std::vector<const char*> levels[] = {
      {"--help"}, {"-h"}, {"serve", "--help"}, {"import", "aws", "--help"}, {"lookup", "--help"}};
  for (const auto& words : levels) {
    SCOPED_TRACE(words.front());
    EXPECT_EQ(run(words), kExitOk);
    EXPECT_THAT(world_.out.str(), HasSubstr("Usage: opentrail"));
    EXPECT_THAT(world_.out.str(), HasSubstr("Exit codes: 0"));
    EXPECT_EQ(world_.err.str(), "");
  }
  EXPECT_EQ(run({"import", "--help"}), kExitOk);
  EXPECT_THAT(world_.out.str(), HasSubstr("aws"));
}

TEST_F(ProgramTest, TheVersionIsOneLine) {
  EXPECT_EQ(run({"--version"}), kExitOk);
  EXPECT_THAT(world_.out.str(), testing::MatchesRegex("opentrail [0-9][^\n]*\n"));
}

TEST_F(ProgramTest, WithoutACommandTheHelpIsShown) {
  EXPECT_EQ(run({}), kExitError);
  EXPECT_THAT(world_.err.str(), HasSubstr("serve"));
  EXPECT_EQ(world_.out.str(), "");
  EXPECT_EQ(run({"import"}), kExitError);
  EXPECT_THAT(world_.err.str(), HasSubstr("Usage: opentrail import"));
}

TEST_F(ProgramTest, WrongUseIsExplained) {
  const struct {
    std::vector<const char*> words;
    std::string_view text;
  } cases[] = {
      {{"serv"},
       "opentrail: there is no command 'serv'; there are: serve, import, lookup, bench\n"},
      {{"import", "gcp"}, "opentrail import: there is no command 'gcp'; there are: aws\n"},
      {{"--colour"}, "opentrail: there is no option --colour\n"},
      {{"lookup", "--colour"}, "opentrail lookup: there is no option --colour\n"},
      {{"lookup", "--attribute", "user"}, "--attribute"},
      {{"lookup", "--output", "xml"}, "opentrail lookup: --output: xml not in {table,"},
      {{"lookup", "--read-only", "maybe"}, "opentrail lookup: --read-only: maybe not in"},
      {{"lookup", "--limit", "many"}, "--limit: 'many' is not a number from 0 on"},
      {{"lookup", "--max", "-1"}, "--limit: '-1' is not a number from 0 on"},
      {{"lookup", "--event-name"}, "--event-name"},
      {{"import", "aws"}, "opentrail import aws: PATH"},
      {{"serve", "--listen"}, "opentrail serve: --listen"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(run(one.words), kExitError);
    EXPECT_THAT(world_.err.str(), HasSubstr(one.text));
    EXPECT_THAT(world_.err.str(), testing::EndsWith(" --help`.\n"));
    EXPECT_EQ(world_.out.str(), "");
  }
}

TEST_F(ProgramTest, LookupTakesAnExpressionInWords) {
  EXPECT_EQ(run({"lookup", "--account", "111122223333", "user", "=", "--count"}), kExitError);
  EXPECT_THAT(world_.err.str(), HasSubstr("opentrail lookup: the expression, at 7: expected"));
}

TEST_F(ProgramTest, CommandsSeeTheWorldThatIsGiven) {
  world_.environment["OPENTRAIL_DATA_DIR"] = world_.folder.path();
  EXPECT_EQ(run({"lookup"}), kExitError);
  EXPECT_THAT(world_.err.str(), HasSubstr("no credentials found (looked at"));
  EXPECT_EQ(run({"import", "aws", "."}), kExitError);
  EXPECT_THAT(world_.err.str(), HasSubstr("no credentials found (looked at"));
}

}  // namespace
}  // namespace opentrail::cli
