// Goal: what an import came to is told in one summary, the problems in an order to act on, and the
// exit code agrees.
// Method: run_import over small files against a server that takes everything, or nothing.
#include "cli/import_command.h"

#include "base/json.h"
#include "cli/fake_world.h"
#include "collect/fake_server.h"
#include "collect/unpack.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::cli {
namespace {

using collect::FakeServer;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kRecord =
    R"({"eventID":"id-1","eventName":"CreateUser","eventTime":"2026-11-24T08:00:00Z"})";

std::string records(int count) {
  std::string text = R"({"Records":[)";
  for (int i = 0; i < count; ++i) {
    text += (i == 0 ? "" : ",") + std::string(kRecord);
  }
  return text + "]}";
}

std::string unpack(std::string_view packed) {
  std::string text;
  const auto unpacker = collect::Unpacker::make(collect::Coding::Zstd);
  for (auto chunk = unpacker->next(packed); chunk && !chunk->empty();
       chunk = unpacker->next(packed)) {
    text += *chunk;
  }
  return text;
}

/// Says that all records of a body are new.
FakeServer::Answer take_all(const FakeServer::Request& request, std::size_t /*number*/) {
  const auto body = parse_json(unpack(request.body));
  const std::size_t count = body->as_object().at("Records").as_array().size();
  return {.status = 200,
          .body = fmt::format(R"({{"Received":{0},"New":{0},"OldestKept":"2026-08-26T00:00:00Z"}})",
                              count),
          .headers = {}};
}

class ImportCommandTest : public testing::Test {
 protected:
  ImportCommandTest() { world_.give_credentials(); }

  int run(const FakeServer& server, std::vector<std::string> paths) {
    command_.paths = std::move(paths);
    command_.connection.endpoint = server.endpoint();
    return run_import(command_, world_.context(), nullptr);
  }

  FakeWorld world_;
  ImportCommand command_;
};

TEST_F(ImportCommandTest, AllInIsZeroAndOneLine) {
  const FakeServer server(take_all);
  EXPECT_EQ(run(server, {world_.write("in/a.json", records(3))}), kExitOk);
  EXPECT_EQ(world_.out.str(), "3 records: 3 new, 0 already there; 1 file\n");
  EXPECT_EQ(world_.err.str(), "");
}

TEST_F(ImportCommandTest, SaysWhereToLook) {
  constexpr std::string_view kWest =
      R"({"eventID":"id-2","recipientAccountId":"111122223333","awsRegion":"eu-west-1"})";
  const std::string unfit =
      R"({"recipientAccountId":"<id>","awsRegion":"r"} {"recipientAccountId":"111122223333",)"
      R"("awsRegion":"; rm"})";
  const FakeServer server(take_all);
  EXPECT_EQ(run(server, {world_.write("in/a.json",
                                      std::string(kWest) + std::string(kRecord) + unfit + unfit)}),
            kExitOk);
  EXPECT_THAT(world_.out.str(),
              testing::EndsWith(
                  "\nLook at them: opentrail lookup --account 111122223333 --region eu-west-1\n"));
}

TEST_F(ImportCommandTest, ProblemsComeBeforeNotesAndMakeItOne) {
  world_.write("in/a.txt", "notes");
  world_.write("in/b.json", records(1));
  world_.write("in/c.json", "{\"Records\":[\n" + std::string(kRecord) + ",\n\x1b[2J");
  const FakeServer server(take_all);
  EXPECT_EQ(run(server, {world_.folder.path() + "/in"}), kExitFindings);
  EXPECT_THAT(world_.out.str(), HasSubstr("2 records: 2 new"));
  EXPECT_THAT(world_.out.str(), HasSubstr("2 files, 1 broken, 1 skipped"));
  const std::string err = world_.err.str();
  EXPECT_THAT(err, testing::StartsWith("problem: " + world_.folder.path() + "/in/c.json:3: "));
  EXPECT_THAT(err, HasSubstr("note: " + world_.folder.path() + "/in/a.txt: skipped"));
  EXPECT_THAT(err, Not(HasSubstr("\x1b")));
  command_.quiet = true;
  world_.err.str("");
  EXPECT_EQ(run(server, {world_.folder.path() + "/in"}), kExitFindings);
  EXPECT_THAT(world_.err.str(), Not(HasSubstr("note: ")));
  EXPECT_THAT(world_.err.str(), HasSubstr("problem: ")) << "quiet keeps what must be looked at";
}

TEST_F(ImportCommandTest, JsonIsForScripts) {
  world_.write("in/b.json", records(1));
  world_.write("in/c.json", "[1]");
  command_.output = "json";
  const FakeServer server(take_all);
  EXPECT_EQ(run(server, {world_.folder.path() + "/in"}), kExitFindings);
  const auto report = parse_json(world_.out.str());
  ASSERT_TRUE(report.has_value()) << world_.out.str();
  const json::object& object = report->as_object();
  EXPECT_EQ(object.at("new").as_int64(), 1);
  EXPECT_FALSE(object.at("interrupted").as_bool());
  EXPECT_EQ(object.at("oldestKept").as_string(), "2026-08-26T00:00:00Z");
  const json::object& problem = object.at("problems").as_array().at(0).as_object();
  EXPECT_EQ(problem.at("file").as_string(), world_.folder.path() + "/in/c.json");
  EXPECT_EQ(world_.err.str(), "");
}

TEST_F(ImportCommandTest, FailuresAreTwoAndExplained) {
  const FakeServer server([](const auto&, std::size_t) {
    return FakeServer::Answer{
        .status = 403, .body = R"({"__type":"AccessDenied","message":"no"})", .headers = {}};
  });
  const std::string file = world_.write("in/a.json", records(1));
  EXPECT_EQ(run(server, {file}), kExitError);
  EXPECT_THAT(world_.err.str(), HasSubstr("opentrail import: the server answered 403"));
  EXPECT_THAT(world_.err.str(), HasSubstr("administrator"));
  EXPECT_EQ(world_.out.str(), "") << "nothing went in: there is nothing to sum up";
  world_.err.str("");
  EXPECT_EQ(run(server, {"/missing/folder"}), kExitError);
  EXPECT_THAT(world_.err.str(), HasSubstr("/missing/folder"));
  EXPECT_THAT(world_.err.str(), Not(HasSubstr("OpenTrail server")));
}

TEST_F(ImportCommandTest, AFailureInTheMiddleStillReportsWhatWentIn) {
  // Nine such records fit a batch, ten do not.
  constexpr std::size_t kLarge = 900 << 10;
  const std::string large = R"({"eventID":"id-2","eventTime":"2026-11-24T08:00:00Z","x":")" +
                            std::string(kLarge, 'x') + "\"}";
  std::string ten;
  for (int i = 0; i < 10; ++i) {
    ten += large;
  }
  const std::string file = world_.write("in/a.ndjson", ten);
  const FakeServer server([](const auto&, std::size_t number) {
    return number == 0 ? FakeServer::Answer{.status = 200,
                                            .body = R"({"Received":9,"New":9})",
                                            .headers = {}}
                       : FakeServer::Answer{.status = 400, .body = "no more", .headers = {}};
  });
  EXPECT_EQ(run(server, {file}), kExitError);
  EXPECT_THAT(world_.out.str(), HasSubstr("9 records: 9 new"));
  EXPECT_THAT(world_.err.str(), HasSubstr("no more"));
}

TEST_F(ImportCommandTest, AnInterruptionIsReported) {
  const FakeServer server(take_all);
  command_.paths = {world_.write("in/a.json", records(1))};
  command_.connection.endpoint = server.endpoint();
  const std::atomic<bool> stop = true;
  EXPECT_EQ(run_import(command_, world_.context(), &stop), kExitInterrupted);
  EXPECT_THAT(world_.out.str(), HasSubstr("Run the same command again"));
}

TEST(SummaryLine, NamesOnlyWhatThereIs) {
  collect::ImportReport report;
  EXPECT_EQ(summary_line(report), "0 records: 0 new, 0 already there; 0 files");
  report.records = 3931;
  report.added = 3600;
  report.duplicate = 301;
  report.conflicting = 10;
  report.expired = 15;
  report.invalid = 5;
  report.files = 1;
  report.files_broken = 2;
  report.files_skipped = 3;
  report.digests = 1;
  EXPECT_EQ(summary_line(report),
            "3,931 records: 3,600 new, 301 already there, 10 in conflict (another record of the "
            "same id is there and stays), 15 too old, 5 invalid; 1 file, 2 broken, 3 skipped, "
            "1 digest file");
}

}  // namespace
}  // namespace opentrail::cli
