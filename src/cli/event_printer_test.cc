// Goal: each format shows what LookupEvents said, whatever stands in a record.
// Method: one event that succeeded, and one whose texts try to break out of every format.
#include "cli/event_printer.h"

#include "cli/fake_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

constexpr std::string_view kEvent = R"json({
  "EventId": "id-1", "EventName": "CreateUser", "EventTime": 1795510000.0,
  "EventSource": "iam.amazonaws.com", "Username": "judy", "AccessKeyId": "AKIA1",
  "ReadOnly": "false",
  "Resources": [{"ResourceType": "AWS::IAM::User", "ResourceName": "bob"},
                {"ResourceName": "arn:aws:iam::111122223333:user/bob"}],
  "CloudTrailEvent": "{\"eventID\":\"id-1\",\"sourceIPAddress\":\"192.0.2.1\"}"})json";

constexpr std::string_view kHostile = R"json({
  "EventId": "id-2", "EventName": "Evil\tName", "EventTime": 1795510001,
  "EventSource": "s3.amazonaws.com", "Username": "a\u001b[2J,\"b\"\n",
  "CloudTrailEvent": "{\"errorCode\":\"AccessDenied\",\r\n \"x\":1}"})json";

LookupEvent event_of(std::string_view text) {
  auto event = parse_lookup_event(*parse_json(text));
  EXPECT_TRUE(event.has_value());
  return *std::move(event);
}

std::string print(std::string_view format, FakeWorld& world,
                  const std::vector<std::string_view>& texts) {
  const Context context = world.context();
  const auto printer = make_event_printer({.format = format, .columns = {}}, context);
  for (const std::string_view text : texts) {  // a page each
    printer->page({event_of(text)});
  }
  printer->end();
  return world.out.str();
}

std::string print(std::string_view format, const std::vector<std::string_view>& texts) {
  FakeWorld world;
  return print(format, world, texts);
}

TEST(LookupEvent, OfANameThatStandsTwiceTheFirstCounts) {
  const LookupEvent event =
      event_of(R"({"CloudTrailEvent":"{\"errorCode\":\"First\",\"sourceIPAddress\":\"192.0.2.1\",)"
               R"(\"errorCode\":\"Second\",\"sourceIPAddress\":\"192.0.2.2\"}"})");
  EXPECT_EQ(event.error_code, "First");
  EXPECT_EQ(event.source_ip_address, "192.0.2.1");
  EXPECT_EQ(event_of(R"({"CloudTrailEvent":"{\"errorMessage\":\"No\"}"})").error_code, "failed");
  EXPECT_EQ(event_of(R"({"CloudTrailEvent":"no record"})").error_code, "");
}

TEST(EventPrinter, NoFormatSteersATerminal) {
  constexpr std::string_view kSteering =
      "{\"EventId\":\"i\\u001b[2J\",\"EventName\":\"n\\u009b2J\",\"Username\":\"u\\r\\n\","
      "\"CloudTrailEvent\":\"{\\\"eventName\\\":\\\"\xc2\x9b\x7f"
      "2J\\\"}\"}";
  for (const std::string_view format : {"table", "text", "json", "ndjson", "csv"}) {
    FakeWorld world;
    world.terminal = true;
    world.environment["NO_COLOR"] = "1";
    const std::string shown = print(format, world, {kSteering});
    for (const std::string_view steering : {"\x1b", "\xc2\x9b", "\x7f"}) {
      EXPECT_THAT(shown, Not(HasSubstr(steering))) << format;
    }
    if (format == "csv") {
      EXPECT_THAT(shown, HasSubstr(",u??,"));
    }
  }
  // A file keeps what the record says.
  EXPECT_THAT(print("csv", {kSteering}), HasSubstr(",\"u\r\n\","));
  EXPECT_THAT(print("ndjson", {kSteering}), HasSubstr("\xc2\x9b\x7f"));
}

TEST(LookupEvent, IsReadWithWhatItsRecordAdds) {
  const LookupEvent event = event_of(kEvent);
  EXPECT_EQ(event.event_time, "2026-11-24T08:46:40Z");
  EXPECT_EQ(event.source_ip_address, "192.0.2.1");
  EXPECT_EQ(event.error_code, "");
  EXPECT_THAT(event.resources, ElementsAre(Pair("AWS::IAM::User", "bob"),
                                           Pair("", "arn:aws:iam::111122223333:user/bob")));
  EXPECT_EQ(event_of(kHostile).error_code, "AccessDenied");
  EXPECT_EQ(event_of(R"({"CloudTrailEvent":"{\"errorMessage\":\"Failed\"}"})").error_code,
            "failed");
  EXPECT_EQ(event_of(R"({"EventTime":1e300,"CloudTrailEvent":"no JSON"})").event_time, "");
  EXPECT_FALSE(parse_lookup_event(*parse_json("[]")).has_value());
}

TEST(EventPrinter, Table) {
  EXPECT_EQ(print("table", {kEvent}),
            "TIME (UTC)            EVENT       SOURCE  USER  RESOURCES                          "
            "      ERROR\n"
            "2026-11-24T08:46:40Z  CreateUser  iam     judy  bob, "
            "arn:aws:iam::111122223333:user/bob\n");
  FakeWorld world;
  world.terminal = true;
  EXPECT_THAT(print("table", world, {kHostile}), HasSubstr("\x1b[31mAccessDenied\x1b[0m"));
  EXPECT_THAT(world.out.str(), Not(HasSubstr("\x1b[2J")));
}

TEST(EventPrinter, Text) {
  EXPECT_EQ(print("text", {kEvent, kHostile}),
            "2026-11-24T08:46:40Z\tCreateUser\tiam\tjudy\tbob, "
            "arn:aws:iam::111122223333:user/bob\t\n"
            "2026-11-24T08:46:41Z\tEvil?Name\ts3\ta?[2J,\"b\"?\t\tAccessDenied\n");
  EXPECT_EQ(print("text", {}), "");
}

TEST(EventPrinter, JsonIsOneArrayWithTheRecordAsAnObject) {
  const auto parsed = parse_json(print("json", {kEvent, kHostile}));
  ASSERT_TRUE(parsed.has_value());
  ASSERT_EQ(parsed->as_array().size(), 2U);
  const json::object& first = parsed->as_array()[0].as_object();
  EXPECT_EQ(first.at("CloudTrailEvent").as_object().at("eventID").as_string(), "id-1");
  EXPECT_EQ(first.at("EventTime").as_string(), "2026-11-24T08:46:40Z");
  EXPECT_EQ(first.at("Resources").as_array().size(), 2U);
  EXPECT_EQ(print("json", {}), "[]\n");
  const auto odd = parse_json(print("json", {R"({"CloudTrailEvent":"no JSON"})"}));
  ASSERT_TRUE(odd.has_value());
  EXPECT_EQ(odd->as_array()[0].as_object().at("CloudTrailEvent").as_string(), "no JSON");
}

TEST(EventPrinter, NdjsonIsARecordALine) {
  EXPECT_EQ(print("ndjson", {kEvent, kHostile}),
            "{\"eventID\":\"id-1\",\"sourceIPAddress\":\"192.0.2.1\"}\n"
            "{\"errorCode\":\"AccessDenied\",   \"x\":1}\n");
}

TEST(EventPrinter, CsvQuotesWhatMustBe) {
  const std::string header =
      "EventTime,EventName,EventSource,Username,AccessKeyId,ReadOnly,EventId,Resources,ErrorCode,"
      "SourceIPAddress,AccountId,Region\r\n";
  EXPECT_EQ(print("csv", {}), header);
  EXPECT_EQ(print("csv", {kEvent, kHostile}),
            header +
                "2026-11-24T08:46:40Z,CreateUser,iam.amazonaws.com,judy,AKIA1,false,id-1,\"bob, "
                "arn:aws:iam::111122223333:user/bob\",,192.0.2.1,,\r\n"
                "2026-11-24T08:46:41Z,Evil\tName,s3.amazonaws.com,\"a\x1b[2J,\"\"b\"\"\n\",,,id-2,"
                ",AccessDenied,,,\r\n");
}

TEST(EventPrinter, ShowsAccountsAndRegionsWhereThereAreSeveral) {
  FakeWorld world;
  const Context context = world.context();
  LookupEvent event = event_of(kEvent);
  event.account_id = "111122223333";
  event.region = "eu-west-1";
  const auto printer = make_event_printer(
      {.format = "text", .columns = {}, .accounts = true, .regions = true}, context);
  printer->page({event});
  EXPECT_THAT(world.out.str(), HasSubstr("Z\t111122223333\teu-west-1\tCreateUser\t"));
}

TEST(EventPrinter, ShowsChosenColumnsAlone) {
  const auto print_chosen = [](std::string_view format) {
    FakeWorld world;
    const Context context = world.context();
    const auto printer = make_event_printer(
        {.format = format, .columns = EventColumns::parse("time,ip").value()}, context);
    printer->page({event_of(kEvent)});
    printer->end();
    return world.out.str();
  };
  EXPECT_EQ(print_chosen("csv"), "time,ip\r\n2026-11-24T08:46:40Z,192.0.2.1\r\n");
  EXPECT_EQ(print_chosen("text"), "2026-11-24T08:46:40Z\t192.0.2.1\n");
  EXPECT_EQ(print_chosen("ndjson"), "{\"time\":\"2026-11-24T08:46:40Z\",\"ip\":\"192.0.2.1\"}\n");
  EXPECT_EQ(parse_json(print_chosen("json"))->as_array().at(0).at("ip"), "192.0.2.1");
  EXPECT_EQ(print_chosen("table"), "time                  ip\n2026-11-24T08:46:40Z  192.0.2.1\n");
}

}  // namespace
}  // namespace opentrail::cli
