// Goal: a lookup answers what CloudTrail would, and nothing is lost, repeated or shown to the wrong
// account. Method: records as JSON through a journal in memory and a clock that stands.
#include "history/history.h"

#include "crypto/hash.h"
#include "history/history_fixture.h"

#include <set>

namespace opentrail::history {
namespace {

using journal::Offset;
using std::chrono::days;
using std::chrono::seconds;

TEST_F(HistoryTest, IsEmptyOverAnEmptyJournal) {
  open();
  const LookupPage page = history_->lookup(query_of()).value();
  EXPECT_TRUE(page.events.empty());
  EXPECT_TRUE(page.next_token.empty());
  EXPECT_TRUE(history_->accounts().value().empty());
  EXPECT_EQ(history_->needed_from(), Offset{0});
  EXPECT_EQ(history_->size(), 0U);
  EXPECT_FALSE(history_->contains("e").value());
  EXPECT_FALSE(history_->content_hash("e").value().has_value());
}

// A question about other times must not make a sealed record one that nobody knows.
TEST_F(HistoryTest, ASealedIdIsFoundAfterALookupOfLaterTimes) {
  constexpr std::size_t kRecords = 300;  // Enough to become an index at once.
  options_.seal_records = kRecords;
  add({.id = "sealed", .time = kNow - seconds(10)});
  for (std::size_t i = 1; i < kRecords; ++i) {
    add({.id = fmt::format("other-{}", i), .region = "eu-west-1"});
  }
  open();
  ASSERT_TRUE(history_->wait_settled());
  ASSERT_EQ(history_->needed_from(), Offset{kRecords});
  LookupQuery later = query_of(LookupFilter{.key = LookupKey::EventId, .value = "sealed"});
  later.start_time = kNow - seconds(5);
  EXPECT_EQ(lookup_ids(later), Ids{});
  EXPECT_EQ(lookup_ids(LookupKey::EventId, "sealed"), Ids{"sealed"});
  EXPECT_TRUE(history_->contains("sealed").value());
  add({.id = "sealed", .time = kNow});
  EXPECT_EQ(lookup_ids(query_of()), Ids{"sealed"}) << "the same id again changes nothing";
}

TEST_F(HistoryTest, TakesAsManyTestsAsTheLanguageDoes) {
  open();
  add({.id = "found", .name = "Action7"});
  SearchQuery query;
  std::string text = "eventName in (Action0";
  for (std::size_t i = 1; i < search::kTestsMax; ++i) {
    text += fmt::format(", Action{}", i);
  }
  query.where = search::parse_expression(text + ")").value();
  for (int i = 0; i < 99; ++i) {
    query.accounts.push_back(fmt::format("{:012}", i));
    query.regions.push_back(fmt::format("region-{}", i));
  }
  query.accounts.emplace_back(kAccount);
  query.regions.emplace_back(kRegion);
  EXPECT_EQ(history_->search(query).value().events.size(), 1U);
}

TEST_F(HistoryTest, ShowsTheRecordAsItIs) {
  open();
  const Sample sample{.id = "e-1",
                      .resources = R"({"type":"AWS::CloudTrail::Trail","ARN":"arn:x:y:z:1:t"})"};
  add(sample);
  const LookupPage page = history_->lookup(query_of()).value();
  ASSERT_EQ(page.events.size(), 1U);
  const FoundEvent& event = page.events[0];
  EXPECT_EQ(event.json, make(sample).json);
  EXPECT_EQ(event.event_time, kNow);
  EXPECT_EQ(event.fields.event_name, "CreateTrail");
  EXPECT_EQ(event.fields.read_only, "false");
  EXPECT_EQ(event.fields.username, "alice");
  EXPECT_FALSE(event.fields.resources.empty());
}

TEST_F(HistoryTest, ListsNewestFirstAndLastArrivedFirst) {
  add({.id = "b1", .time = kNow - seconds(5)});
  add({.id = "c", .time = kNow});
  open();  // A part by replay, a part by following.
  add({.id = "a", .time = kNow - days(30)});
  add({.id = "b2", .time = kNow - seconds(5)});
  EXPECT_EQ(lookup_ids(query_of()), (Ids{"c", "b2", "b1", "a"}));
}

TEST_F(HistoryTest, FiltersByEachAttributeExactly) {
  open();
  add({.id = "plain"});
  add({.id = "other",
       .name = "DeleteUser",
       .source = "iam.amazonaws.com",
       .user = "bob",
       .key = "AKIABOB",
       .read_only = true,
       .resources = R"({"type":"AWS::IAM::User","ARN":"arn:aws:iam::1:user/carol"},)"
                    R"({"type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::logs"})"});
  const Ids other{"other"};
  EXPECT_EQ(lookup_ids(LookupKey::EventId, "other"), other);
  EXPECT_EQ(lookup_ids(LookupKey::EventName, "DeleteUser"), other);
  EXPECT_EQ(lookup_ids(LookupKey::ReadOnly, "true"), other);
  EXPECT_EQ(lookup_ids(LookupKey::ReadOnly, "false"), Ids{"plain"});
  EXPECT_EQ(lookup_ids(LookupKey::Username, "bob"), other);
  EXPECT_EQ(lookup_ids(LookupKey::EventSource, "iam.amazonaws.com"), other);
  EXPECT_EQ(lookup_ids(LookupKey::AccessKeyId, "AKIABOB"), other);
  EXPECT_EQ(lookup_ids(LookupKey::ResourceType, "AWS::S3::Bucket"), other);
  EXPECT_EQ(lookup_ids(LookupKey::ResourceName, "arn:aws:s3:::logs"), other);
  EXPECT_EQ(lookup_ids(LookupKey::ResourceName, "logs"), other);
  EXPECT_EQ(lookup_ids(LookupKey::ResourceName, "carol"), other);
  for (const std::string value : {"deleteuser", "DeleteUse", "DeleteUser ", "bob", ""}) {
    EXPECT_EQ(lookup_ids(LookupKey::EventName, value), Ids{}) << value;
  }
  EXPECT_EQ(lookup_ids(LookupKey::EventId, "OTHER"), Ids{});
}

TEST_F(HistoryTest, ShowsNoOtherAccountRegionOrCategory) {
  open();
  add({.id = "here"});
  add({.id = "account", .account = "999988887777"});
  add({.id = "region", .region = "eu-west-1"});
  for (const std::string category : {"Data", "NetworkActivity", "Insight"}) {
    add({.id = category, .category = category});
  }
  EXPECT_EQ(lookup_ids(query_of()), Ids{"here"});
  for (const std::string id : {"account", "region", "Data", "Insight"}) {
    EXPECT_EQ(lookup_ids(LookupKey::EventId, id), Ids{}) << id;
    EXPECT_TRUE(history_->contains(id).value()) << id;
  }
  EXPECT_EQ(history_->accounts().value(), (Ids{"111122223333", "999988887777"}));
  EXPECT_EQ(history_->size(), 6U);
}

TEST_F(HistoryTest, TakesBothTimesInclusively) {
  open();
  for (int i = 0; i < 5; ++i) {
    add({.id = std::to_string(i), .time = kNow + seconds(i)});
  }
  LookupQuery query = query_of();
  query.start_time = kNow + seconds(1);
  query.end_time = kNow + seconds(3);
  EXPECT_EQ(lookup_ids(query), (Ids{"3", "2", "1"}));
  query.filter = LookupFilter{.key = LookupKey::EventId, .value = "4"};
  EXPECT_EQ(lookup_ids(query), Ids{});
  query.filter->value = "3";
  EXPECT_EQ(lookup_ids(query), Ids{"3"});
  query.filter.reset();
  std::swap(query.start_time, query.end_time);
  EXPECT_EQ(lookup_ids(query), Ids{});
  query.start_time = Timestamp::min();
  query.end_time = Timestamp::max();
  EXPECT_EQ(lookup_ids(query).size(), 5U);
  query.end_time = Timestamp::min();
  EXPECT_EQ(lookup_ids(query), Ids{});
}

TEST_F(HistoryTest, ReadsTheEndTimeToTheSecond) {
  open();
  // No readable time of its own: the time of arrival, with milliseconds, stands in.
  record::Record late = make({.id = "late"});
  late.event_time = kNow + std::chrono::milliseconds(700);
  journal_.add(late);
  LookupQuery query = query_of();
  query.end_time = kNow;
  EXPECT_EQ(lookup_ids(query), Ids{"late"});
  query.end_time = kNow - seconds(1);
  EXPECT_EQ(lookup_ids(query), Ids{});
}

TEST_F(HistoryTest, PagesNeitherSkipNorRepeatWhileRecordsArrive) {
  open();
  Ids expected;
  for (int i = 0; i < 120; ++i) {
    add({.id = fmt::format("e{}", i),
         .time = kNow - seconds(i / 3),
         .user = i % 2 == 0 ? "alice" : "bob"});
  }
  for (const auto& filter :
       {std::optional<LookupFilter>(),
        std::optional(LookupFilter{.key = LookupKey::Username, .value = "bob"})}) {
    LookupQuery query = query_of(filter);
    const Ids calm = all_pages(query);
    EXPECT_EQ(calm.size(), filter ? 60U : 120U);
    for (const std::size_t page_size : {1U, 7U, 50U}) {
      query.results_max = page_size;
      query.next_token.clear();
      Ids paged;
      do {
        const LookupPage page = history_->lookup(query).value();
        const Ids of_page = ids_of(page);
        paged.insert(paged.end(), of_page.begin(), of_page.end());
        query.next_token = page.next_token;
        // In front of, among and behind what is listed.
        for (const int age : {-5, 10, 100}) {
          add({.id =
                   fmt::format("new-{}-{}-{}-{}", filter.has_value(), page_size, paged.size(), age),
               .time = kNow - seconds(age),
               .user = "carol"});
        }
      } while (!query.next_token.empty());
      if (filter) {
        EXPECT_EQ(paged, calm);
      } else {
        std::erase_if(paged, [](const std::string& id) { return id.starts_with("new-"); });
        EXPECT_EQ(paged, calm);
        EXPECT_EQ(std::set(paged.begin(), paged.end()).size(), paged.size());
      }
    }
  }
}

TEST_F(HistoryTest, EndsAFullLastPageWithoutToken) {
  open();
  for (int i = 0; i < 4; ++i) {
    add({.id = std::to_string(i)});
  }
  LookupQuery query = query_of();
  query.results_max = 2;
  query.next_token = history_->lookup(query).value().next_token;
  ASSERT_FALSE(query.next_token.empty());
  const LookupPage last = history_->lookup(query).value();
  EXPECT_EQ(ids_of(last), (Ids{"1", "0"}));
  EXPECT_TRUE(last.next_token.empty());
}

TEST_F(HistoryTest, APageIsBoundedInBytes) {
  open();
  for (int i = 0; i < 5; ++i) {
    add({.id = std::to_string(i)});
  }
  SearchQuery query;
  const std::size_t bytes = make({.id = "0"}).json.size();
  for (const auto& [bytes_max, pages] :
       {std::pair{std::size_t{1}, 5}, {bytes, 5}, {2 * bytes, 3}, {5 * bytes, 1}}) {
    query.bytes_max = bytes_max;
    query.next_token.clear();
    Ids ids;
    int seen = 0;
    do {
      const SearchPage page = history_->search(query).value();
      for (const FoundEvent& event : page.events) {
        ids.push_back(event.fields.event_id);
      }
      query.next_token = page.next_token;
      ++seen;
    } while (!query.next_token.empty());
    EXPECT_EQ(ids, (Ids{"4", "3", "2", "1", "0"})) << bytes_max;
    EXPECT_EQ(seen, pages) << bytes_max;
  }
}

TEST_F(HistoryTest, ACountByValueAndTimeIsBounded) {
  open();
  for (int i = 0; i < 12; ++i) {
    add({.id = std::to_string(i),
         .time = kNow - std::chrono::hours(i / 3),
         .name = "Name" + std::to_string(i % 3)});
  }
  CountQuery query{.query = {}, .by = record::Field::EventName, .bucket = std::chrono::hours(1)};
  query.group_buckets_max = 12;
  ASSERT_TRUE(history_->count(query));
  query.group_buckets_max = 11;
  const auto refused = history_->count(query);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::InvalidArgument);
  query.groups_max = 2;
  EXPECT_TRUE(history_->count(query));
}

TEST_F(HistoryTest, TokensOutliveARestart) {
  open();
  for (int i = 0; i < 6; ++i) {
    add({.id = std::to_string(i), .time = kNow + seconds(i)});
  }
  LookupQuery query = query_of();
  query.results_max = 4;
  query.next_token = history_->lookup(query).value().next_token;
  open();
  EXPECT_EQ(lookup_ids(query), (Ids{"1", "0"}));
}

TEST_F(HistoryTest, RefusesForeignTokensAndPageSizes) {
  open();
  for (int i = 0; i < 3; ++i) {
    add({.id = std::to_string(i)});
  }
  LookupQuery query = query_of();
  query.results_max = 1;
  query.next_token = history_->lookup(query).value().next_token;
  LookupQuery other = query;
  other.filter = LookupFilter{.key = LookupKey::Username, .value = "alice"};
  EXPECT_EQ(history_->lookup(other).error().reason(), "InvalidNextToken");
  other = query;
  other.next_token = "garbage";
  EXPECT_EQ(history_->lookup(other).error().reason(), "InvalidNextToken");
  for (const std::size_t size : {std::size_t{0}, kResultsMax + 1}) {
    other = query;
    other.results_max = size;
    EXPECT_EQ(history_->lookup(other).error().reason(), "InvalidMaxResults");
  }
  // A token of a longer journal: of another server.
  journal::FakeJournal shorter;
  io::FaultyFilesystem other_files(2);
  const auto elsewhere = History::open(other_files, shorter, clock_, random_, options_).value();
  EXPECT_EQ(elsewhere->lookup(query).error().reason(), "InvalidNextToken");
}

TEST_F(HistoryTest, KeepsTheFirstRecordOfAnId) {
  add({.id = "same", .user = "first"});
  add({.id = "same", .account = "999988887777", .user = "forged"});
  open();
  add({.id = "same", .time = kNow + seconds(9), .user = "later"});
  EXPECT_EQ(history_->size(), 1U);
  EXPECT_EQ(lookup_ids(LookupKey::Username, "first"), Ids{"same"});
  EXPECT_EQ(lookup_ids(LookupKey::Username, "later"), Ids{});
  EXPECT_EQ(history_->accounts().value(), Ids{std::string(kAccount)});
  EXPECT_EQ(history_->content_hash("same").value(),
            crypto::sha256_hex(make({.id = "same", .user = "first"}).json));
}

TEST_F(HistoryTest, HashesTheContentOfEachRecord) {
  open();
  for (int i = 0; i < 40; ++i) {
    add({.id = std::to_string(i), .category = i % 2 == 0 ? "Management" : "Data"});
  }
  EXPECT_FALSE(history_->content_hash("none").value().has_value());
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(
        history_->content_hash(std::to_string(i)).value(),
        crypto::sha256_hex(
            make({.id = std::to_string(i), .category = i % 2 == 0 ? "Management" : "Data"}).json));
  }
}

TEST_F(HistoryTest, HashesManyInTheOrderAsked) {
  open();
  add({.id = "a"});
  add({.id = "b", .user = "bob"});
  const auto hashes = history_->content_hashes({"b", "none", "a", "b"});
  ASSERT_TRUE(hashes.has_value());
  const std::string b = crypto::sha256_hex(make({.id = "b", .user = "bob"}).json);
  EXPECT_EQ(*hashes, (std::vector<std::optional<std::string>>{
                         b, std::nullopt, crypto::sha256_hex(make({.id = "a"}).json), b}));
  EXPECT_TRUE(history_->content_hashes({}).value().empty());
}

}  // namespace
}  // namespace opentrail::history
