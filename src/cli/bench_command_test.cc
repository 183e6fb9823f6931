// Goal: `opentrail bench` refuses wrong use with exit code 2 and shows its progress in one line.
// The measuring itself is tested in bench and in tests/test_bench.py.
#include "cli/bench_command.h"

#include "cli/fake_world.h"
#include "cli/program.h"

#include <array>

#include <gtest/gtest.h>

namespace opentrail::cli {
namespace {

TEST(BenchCommand, WrongUse) {
  FakeWorld world;
  const Context context = world.context();
  constexpr std::array kUnknownPhase = {"opentrail", "bench", "--phase", "lunch"};
  EXPECT_EQ(run_program(kUnknownPhase.size(), kUnknownPhase.data(), context), kExitError);
  EXPECT_NE(world.err.str().find("there is no phase 'lunch'"), std::string::npos);
  constexpr std::array kTooLarge = {"opentrail", "bench", "--batch", "20000"};
  EXPECT_EQ(run_program(kTooLarge.size(), kTooLarge.data(), context), kExitError);
  EXPECT_EQ(world.out.str(), "");
}

TEST(BenchCommand, AnEndpointNeedsCredentials) {
  FakeWorld world;
  const Context context = world.context();
  BenchCommand command;
  command.connection.endpoint = "http://127.0.0.1:1";
  command.connection.credentials_file = world.folder.path() + "/none";
  EXPECT_EQ(run_bench_command(command, context), kExitError);
  EXPECT_TRUE(world.err.str().starts_with("opentrail bench: ")) << world.err.str();
}

TEST(BenchCommand, Progress) {
  EXPECT_EQ(bench_progress("ingest", 420'000, 1'000'000, 2.0, 80),
            "ingest  420,000 of 1,000,000  210,000/s");
  EXPECT_EQ(bench_progress("ingest", 420'000, 1'000'000, 2.0, 10), "ingest  42");
  EXPECT_EQ(bench_progress("start", 0, 0, 9.0, 80), "start");
}

}  // namespace
}  // namespace opentrail::cli
