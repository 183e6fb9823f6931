// Goal: a body becomes exactly the search that it asks for, and everything else is refused with an
// error that says what is wrong. Method: tables of bodies.
#include "services/event_search/search_request.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::services::event_search {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Timestamp kNow = *parse_iso("2026-11-24T08:46:13Z");
const AskedBy kAskedBy{.account_id = "111122223333", .region = "eu-west-1", .now = kNow};

TEST(SearchRequest, NothingAskedIsTheCallersOwnNewest) {
  for (const std::string_view body : {"", "  ", "{}", R"({"Query":null,"Regions":null})"}) {
    const auto request = read_search_request(body, kAskedBy);
    ASSERT_TRUE(request.has_value()) << request.error().message;
    const history::SearchQuery& query = request->query;
    EXPECT_EQ(query.where, search::Expression());
    EXPECT_THAT(query.accounts, ElementsAre("111122223333"));
    EXPECT_THAT(query.regions, ElementsAre("eu-west-1"));
    EXPECT_EQ(query.start_time, std::nullopt);
    EXPECT_EQ(query.direction, history::Direction::NewestFirst);
    EXPECT_EQ(query.results_max, 50U);
    EXPECT_EQ(query.next_token, "");
  }
}

TEST(SearchRequest, TakesEverythingThatCanBeAsked) {
  const auto request = read_search_request(
      R"({"Query":"user = admin","StartTime":1795392000.5,"EndTime":1795392001,
          "Regions":["us-west-2","eu-west-1","us-west-2"],"Accounts":["*"],"Order":"oldest",
          "MaxResults":1000,"NextToken":"abc.def"})",
      kAskedBy);
  ASSERT_TRUE(request.has_value()) << request.error().message;
  const history::SearchQuery& query = request->query;
  EXPECT_EQ(to_text(query.where), R"(username = "admin")");
  EXPECT_EQ(query.start_time, Timestamp(milliseconds(1795392000500)));
  EXPECT_EQ(query.end_time, Timestamp(seconds(1795392001)));
  EXPECT_THAT(query.regions, ElementsAre("eu-west-1", "us-west-2"));
  EXPECT_THAT(query.accounts, IsEmpty()) << "all";
  EXPECT_EQ(query.direction, history::Direction::OldestFirst);
  EXPECT_EQ(query.results_max, 1000U);
  EXPECT_EQ(query.next_token, "abc.def");
  EXPECT_EQ(client_token(*request, "x"), "x");
}

TEST(SearchRequest, TokensKeepWhatATimeMeantAtTheFirstPage) {
  const std::string start = R"({"StartTime":"2 hours ago")";
  auto first = read_search_request(start + "}", kAskedBy);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->query.start_time, kNow - std::chrono::hours(2));
  const std::string token = client_token(*first, "T-_");
  AskedBy later = kAskedBy;
  later.now += std::chrono::minutes(5);
  const auto next = read_search_request(start + R"(,"NextToken":")" + token + "\"}", later);
  ASSERT_TRUE(next.has_value()) << next.error().message;
  EXPECT_EQ(next->query.start_time, first->query.start_time);
  EXPECT_EQ(next->query.end_time, std::nullopt);
  EXPECT_EQ(next->query.next_token, "T-_");
  EXPECT_EQ(client_token(*next, ""), "") << "the last page has none";
  for (const std::string_view broken : {"T", "1.T", "1.2.", "x.2.T", "1.2.3.T", "..", "1..x.y"}) {
    const auto refused =
        read_search_request(start + R"(,"NextToken":")" + std::string(broken) + "\"}", later);
    ASSERT_FALSE(refused.has_value()) << broken;
    EXPECT_EQ(refused.error().code, "InvalidNextTokenException");
  }
}

TEST(SearchRequest, ADayIsMeantWhole) {
  const auto request =
      read_search_request(R"({"StartTime":"2026-11-20","EndTime":"2026-11-20"})", kAskedBy);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(to_iso_seconds(*request->query.start_time), "2026-11-20T00:00:00Z");
  EXPECT_EQ(to_iso_seconds(*request->query.end_time), "2026-11-20T23:59:59Z");
}

TEST(SearchRequest, RefusesWithTheReason) {
  std::string many = R"({"Regions":[)";
  for (std::size_t i = 0; i <= kNamesMax; ++i) {
    many += (i == 0 ? "\"r" : ",\"r") + std::to_string(i) + "\"";
  }
  const struct {
    std::string body, code, text;
  } cases[] = {
      {"[]", "SerializationException", "object"},
      {"{", "SerializationException", ""},
      {R"({"Query":1})", "SerializationException", "Query must be a string"},
      {R"({"Qurey":"a"})", "ValidationException", "There is no parameter Qurey; there are Query"},
      {R"({"By":"user"})", "ValidationException", "There is no parameter By"},
      {R"({"Query":"user = "})", "ValidationException", "Query: at 8: expected"},
      {R"({"Query":"user = (a"})", "ValidationException", "Query: at "},
      {R"({"StartTime":"soon"})", "ValidationException", "StartTime: 'soon' is not a time"},
      {R"({"StartTime":true})", "SerializationException", "StartTime must be epoch seconds"},
      {R"({"StartTime":1e300})", "SerializationException", "StartTime"},
      {R"({"StartTime":2,"EndTime":1})", "InvalidTimeRangeException", "later than"},
      {R"({"Regions":"*"})", "SerializationException", "Regions must be a list"},
      {R"({"Regions":[]})", "ValidationException", "Regions"},
      {R"({"Regions":[1]})", "SerializationException", "Regions"},
      {R"({"Accounts":[""]})", "ValidationException", "Accounts"},
      {R"({"Accounts":[")" + std::string(257, 'a') + "\"]}", "ValidationException", "Accounts"},
      {many + "]}", "ValidationException", "Regions: name 1 to 100"},
      {R"({"Order":"newest first"})", "ValidationException", "Order"},
      {R"({"MaxResults":0})", "InvalidMaxResultsException", "between 1 and 1000"},
      {R"({"MaxResults":1001})", "InvalidMaxResultsException", "1001"},
      {R"({"MaxResults":1.5})", "SerializationException", "MaxResults"},
      {R"({"NextToken":5})", "SerializationException", "NextToken"},
      {std::string(kBodyBytesMax + 1, ' ') + "1", "SerializationException", ""},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.body.substr(0, 60));
    const auto request = read_search_request(one.body, kAskedBy);
    ASSERT_FALSE(request.has_value());
    EXPECT_EQ(request.error().code, one.code);
    EXPECT_EQ(request.error().status, 400);
    EXPECT_THAT(request.error().message, HasSubstr(one.text));
  }
}

TEST(CountRequest, TakesFieldAndWidth) {
  const auto plain = read_count_request("{}", kAskedBy);
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->count.by, std::nullopt);
  EXPECT_EQ(plain->count.bucket.count(), 0);
  const auto request = read_count_request(
      R"({"Query":"error exists","By":"user","Groups":7,"Bucket":"auto"})", kAskedBy);
  ASSERT_TRUE(request.has_value()) << request.error().message;
  EXPECT_EQ(request->count.by, record::Field::Username);
  EXPECT_EQ(request->count.groups_max, 7U);
  EXPECT_TRUE(request->bucket_auto);
  constexpr struct {
    std::string_view text;
    std::chrono::seconds width;
  } kWidths[] = {{R"("30s")", seconds(30)},    {R"("15m")", seconds(900)},
                 {R"("1h")", seconds(3600)},   {R"("2d")", seconds(172800)},
                 {R"("1w")", seconds(604800)}, {"60", seconds(60)}};
  for (const auto& width : kWidths) {
    const auto counted =
        read_count_request("{\"Bucket\":" + std::string(width.text) + "}", kAskedBy);
    ASSERT_TRUE(counted.has_value()) << width.text;
    EXPECT_EQ(counted->count.bucket, width.width);
  }
}

TEST(CountRequest, RefusesWithTheReason) {
  constexpr struct {
    std::string_view body, text;
  } kCases[] = {
      {R"({"By":"requestParameters.bucketName"})", "is not a field that events are counted by"},
      {R"({"By":"eventID"})", "there are eventName"},
      {R"({"Groups":0})", "Groups must be 1 to 10000"},
      {R"({"Groups":10001})", "Groups must be"},
      {R"({"Bucket":0})", "Bucket must be"},
      {R"({"Bucket":-5})", "Bucket must be"},
      {R"({"Bucket":9223372036854775807})", "Bucket must be"},
      {R"({"Bucket":"0h"})", "Bucket must be"},
      {R"({"Bucket":"h"})", "Bucket must be"},
      {R"({"Bucket":"1y"})", "Bucket must be"},
      {R"({"Bucket":"999999999w"})", "Bucket must be"},
      {R"({"MaxResults":5})", "There is no parameter MaxResults"},
  };
  for (const auto& one : kCases) {
    const auto request = read_count_request(one.body, kAskedBy);
    ASSERT_FALSE(request.has_value()) << one.body;
    EXPECT_EQ(request.error().code, "ValidationException");
    EXPECT_THAT(request.error().message, HasSubstr(one.text));
  }
}

TEST(CountRequest, AutomaticWidthGivesAtMostSixtyBuckets) {
  EXPECT_EQ(bucket_for(seconds(0)), seconds(1));
  EXPECT_EQ(bucket_for(std::chrono::hours(1)), std::chrono::minutes(5));
  EXPECT_EQ(bucket_for(std::chrono::days(90)), std::chrono::days(7));
  for (std::int64_t span = 1; span < 4'000'000'000; span = span * 3 + 1) {
    const milliseconds width = bucket_for(seconds(span));
    // The first bucket may begin before the first match.
    EXPECT_LE(seconds(span) / width + 2, 61) << span;
  }
}

TEST(SearchRequest, RecordsWhatWasAsked) {
  EXPECT_EQ(to_text(recorded_parameters(R"({"Query":"user = a","MaxResults":5})")),
            R"({"query":"user = a","maxResults":5})");
  EXPECT_TRUE(recorded_parameters("").is_null());
  EXPECT_TRUE(recorded_parameters("{}").is_null());
  EXPECT_TRUE(recorded_parameters("[1]").is_null());
}

}  // namespace
}  // namespace opentrail::services::event_search
