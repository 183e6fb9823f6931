// Goal: the flags become one search or count, all its pages are shown, and the exit code tells
// found, not found and failed apart.
// Method: run_lookup against a server that answers from a list of made events.
#include "cli/lookup_command.h"

#include "base/json.h"
#include "cli/fake_world.h"
#include "collect/fake_server.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::cli {
namespace {

using collect::FakeServer;
using testing::HasSubstr;
using testing::IsEmpty;

/// SearchEvents over `count` events "id-0", "id-1", ...; the token is the next one's number.
FakeServer::Answering events(int count) {
  return [count](const FakeServer::Request& request, std::size_t) {
    const json::value body = *parse_json(request.body);
    const int first = std::stoi(string_member(body.as_object(), "NextToken", "0"));
    const int wanted = static_cast<int>(body.as_object().at("MaxResults").as_int64());
    const int end = std::min(count, first + wanted);
    std::string found;
    for (int i = first; i < end; ++i) {
      found +=
          fmt::format(R"({}{{"EventId":"id-{}","EventName":"CreateUser","EventTime":1795510000,)"
                      R"("CloudTrailEvent":"{{\"n\":{}}}"}})",
                      found.empty() ? "" : ",", i, i);
    }
    const std::string token = end < count ? fmt::format(R"(,"NextToken":"{}")", end) : "";
    return FakeServer::Answer{
        .status = 200, .body = fmt::format(R"({{"Events":[{}]{}}})", found, token), .headers = {}};
  };
}

class LookupCommandTest : public testing::Test {
 protected:
  LookupCommandTest() {
    world_.give_credentials();
    command_.output = "ndjson";
  }

  int run(const FakeServer& server) {
    command_.connection.endpoint = server.endpoint();
    return run_lookup(command_, world_.context());
  }
  std::ptrdiff_t lines() { return std::ranges::count(world_.out.str(), '\n'); }

  FakeWorld world_;
  LookupCommand command_;
};

/// CountEvents with this answer.
FakeServer::Answering counts(std::string body) {
  return [body = std::move(body)](const auto&, std::size_t) {
    return FakeServer::Answer{.status = 200, .body = body, .headers = {}};
  };
}

TEST_F(LookupCommandTest, AsksWhatTheFlagsSay) {
  const FakeServer server(events(1));
  command_.accounts = {"111122223333"};
  command_.expression = {"user", "=", "admin"};
  command_.attributes = {{"EventName", "Create\"User"}};
  command_.start_time = "yesterday";
  command_.end_time = "2 hours ago";
  command_.results_max = 7;
  command_.connection.region = "eu-west-1,us-east-1";
  EXPECT_EQ(run(server), kExitOk);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].head.path(), "/opentrail/v1/search");
  EXPECT_THAT(std::string(requests[0].head.headers.get("Authorization")),
              HasSubstr("/eu-west-1/opentrail/aws4_request"));
  const auto body = parse_json(requests[0].body);
  ASSERT_TRUE(body.has_value()) << requests[0].body;
  EXPECT_EQ(*body,
            *parse_json(R"({"Query":"username = \"admin\" and eventName = \"Create\\\"User\"",
      "StartTime":1795392000,"EndTime":1795502773,"Regions":["eu-west-1","us-east-1"],
      "Accounts":["111122223333"],"MaxResults":7})"));
}

TEST_F(LookupCommandTest, Counts) {
  const FakeServer server(counts(R"({"Total":3,"Values":2,"Groups":[{"Value":"a","Count":2}]})"));
  command_.by = "user";
  command_.output = "csv";
  EXPECT_EQ(run(server), kExitOk);
  EXPECT_EQ(world_.out.str(), "user,Count\r\na,2\r\n");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].head.path(), "/opentrail/v1/count");
  EXPECT_EQ(requests[0].body, R"({"By":"user","Groups":50})");
  EXPECT_EQ(world_.err.str(), "");
  command_.output = "table";
  EXPECT_EQ(run(server), kExitOk);
  EXPECT_EQ(world_.err.str(), "1 of 2 values shown: --all shows up to 10,000.\n");
}

TEST_F(LookupCommandTest, ACountOfNothingIsOne) {
  const FakeServer server(counts(R"({"Total":0})"));
  command_.count = true;
  command_.output = "table";
  EXPECT_EQ(run(server), kExitFindings);
  EXPECT_EQ(world_.out.str(), "0\n");
  EXPECT_THAT(world_.err.str(), HasSubstr("No events found"));
}

TEST_F(LookupCommandTest, SaysOnATerminalWhatIsSearched) {
  const FakeServer server(events(1));
  world_.terminal = true;
  EXPECT_EQ(run(server), kExitOk);
  EXPECT_EQ(world_.err.str(), "Searching all events in us-east-1...\r\x1b[K");
}

TEST_F(LookupCommandTest, TurnsPagesUntilEnoughIsShown) {
  const struct {
    std::uint64_t results_max;
    std::ptrdiff_t shown;
    std::size_t calls;
  } cases[] = {{0, 2100, 3}, {50, 50, 1}, {1070, 1070, 2}, {5000, 2100, 3}};
  for (const auto& one : cases) {
    const FakeServer server(events(2100));
    world_.out.str("");
    command_.results_max = one.results_max;
    EXPECT_EQ(run(server), kExitOk);
    EXPECT_EQ(lines(), one.shown);
    EXPECT_EQ(server.requests().size(), one.calls);
  }
  EXPECT_EQ(world_.err.str(), "") << "hints are for the table";
}

TEST_F(LookupCommandTest, TheTableSaysThatThereIsMore) {
  const FakeServer server(events(60));
  command_.output = "table";
  EXPECT_EQ(run(server), kExitOk);
  EXPECT_EQ(world_.err.str(), "50 shown, newest first; there are more: --all shows them.\n");
}

TEST_F(LookupCommandTest, NothingFoundIsOne) {
  const FakeServer server(events(0));
  command_.output = "json";
  EXPECT_EQ(run(server), kExitFindings);
  EXPECT_EQ(world_.out.str(), "[]\n");
  EXPECT_THAT(world_.err.str(), HasSubstr("No events found: all events in us-east-1."));
}

TEST_F(LookupCommandTest, WrongUseIsRefusedBeforeAnythingIsSent) {
  const FakeServer server(events(1));
  const auto expect_refused = [&](const LookupCommand& command, std::string_view text) {
    LookupCommand refused = command;
    refused.connection.endpoint = server.endpoint();
    world_.err.str("");
    EXPECT_EQ(run_lookup(refused, world_.context()), kExitError);
    EXPECT_THAT(world_.err.str(), HasSubstr(text));
  };
  LookupCommand account;
  account.accounts = {"1111"};
  expect_refused(account, "--account 1111: an account id has 12 digits");
  LookupCommand expression;
  expression.expression = {"name", "="};
  expect_refused(expression, "  name =\n        ^");
  LookupCommand fields;
  fields.fields = "usr";
  expect_refused(fields, "--fields usr");
  fields.count = true;
  expect_refused(fields, "not for counts");
  LookupCommand start;
  start.start_time = "soon";
  expect_refused(start, "--since: 'soon' is not a time");
  EXPECT_THAT(server.requests(), IsEmpty());
}

TEST_F(LookupCommandTest, FailuresAreTwoAndExplained) {
  const struct {
    FakeServer::Answer answer;
    std::string_view text;
  } cases[] = {
      {{.status = 403,
        .body = R"({"__type":"AccessDeniedException","Message":"no"})",
        .headers = {}},
       "administrator"},
      {{.status = 200, .body = "<html>", .headers = {}}, "is not one of /opentrail/v1/search"},
      {{.status = 200, .body = R"({"Events":[1]})", .headers = {}}, "not an object"},
  };
  for (const auto& one : cases) {
    const FakeServer server([&](const auto&, std::size_t) { return one.answer; });
    world_.err.str("");
    EXPECT_EQ(run(server), kExitError);
    EXPECT_THAT(world_.err.str(), testing::StartsWith("opentrail lookup: "));
    EXPECT_THAT(world_.err.str(), HasSubstr(one.text));
  }
  command_.connection.endpoint = "http://127.0.0.1:1";
  EXPECT_EQ(run_lookup(command_, world_.context()), kExitError);
  EXPECT_THAT(world_.err.str(), HasSubstr("Is a server running at http://127.0.0.1:1?"));
}

TEST_F(LookupCommandTest, OutputThatCannotBeWrittenEndsTheListing) {
  const FakeServer server(events(2100));
  command_.results_max = 0;
  world_.out.setstate(std::ios::badbit);
  EXPECT_EQ(run(server), kExitError);
  EXPECT_EQ(server.requests().size(), 1U);
}

}  // namespace
}  // namespace opentrail::cli
