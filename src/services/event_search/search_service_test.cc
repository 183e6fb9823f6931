// Goal: the two calls ask the history for what was meant, answer as docs/search.md says, look into
// other accounts for administrators alone, and hold to their limits. Method: calls as the pipeline
// makes them, over a history that keeps what it was asked and can be held up.
#include "services/event_search/search_service.h"

#include "services/cloudtrail/service_kit_test.h"
#include "services/own_api.h"

#include <condition_variable>
#include <thread>

#include <gmock/gmock.h>

namespace opentrail::services::event_search {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AskedHistory final : public cloudtrail::FakeHistory {
 public:
  Result<history::SearchPage> search(const history::SearchQuery& query) override {
    {
      std::unique_lock lock(mutex_);
      ++begun_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !held_; });
    }
    searches_.push_back(query);
    if (error_) {
      return std::unexpected(*error_);
    }
    history::SearchPage page = found_;
    if (query.direction == history::Direction::OldestFirst) {
      std::ranges::reverse(page.events);
    }
    if (page.events.size() > query.results_max) {
      page.events.resize(query.results_max);
      page.next_token = "cut";
    }
    return page;
  }
  Result<history::Counts> count(const history::CountQuery& query) override {
    counted_ = query;
    if (error_) {
      return std::unexpected(*error_);
    }
    return counts_;
  }
  void hold() {
    const std::scoped_lock lock(mutex_);
    held_ = true;
  }
  void let_go() {
    const std::scoped_lock lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  void wait_begun(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_ >= count; });
  }

  std::vector<history::SearchQuery> searches_;
  std::optional<history::CountQuery> counted_;
  std::optional<Error> error_;
  history::SearchPage found_;
  history::Counts counts_;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  int begun_ = 0;
};

history::FoundEvent event(std::string id, std::int64_t at, std::string json) {
  history::FoundEvent found;
  found.fields.event_id = std::move(id);
  found.fields.event_name = "CreateUser";
  found.event_time = Timestamp(seconds(at));
  found.json = std::move(json);
  return found;
}

class SearchServiceTest : public cloudtrail::CloudTrailTest {
 protected:
  ~SearchServiceTest() override { service_.reset(); }
  void make_service(const SearchLimits& limits = {}) {
    service_ = std::make_unique<SearchService>(history_, *iam_, limits);
  }
  static net::RequestHead head_of(std::string_view path) {
    net::RequestHead head;
    head.method = "POST";
    head.target = std::string(path);
    return head;
  }
  Outcome call(std::string_view path, std::string body) {
    FakeExchange exchange(head_of(path));
    Call one = make_call(exchange, caller_ ? *caller_ : admin_, std::move(body));
    last_ = service_->identify(one);
    if (last_.error) {
      return service_->error_answer(exchange.request(), *last_.error, one.request_id);
    }
    return run_to_value(service_->handle(one, last_));
  }
  Outcome search(std::string body) { return call(kSearchPath, std::move(body)); }
  Outcome count(std::string body) { return call(kCountPath, std::move(body)); }
  static std::string code_of(const Outcome& outcome) {
    return string_member(json::parse(outcome.body).as_object(), "__type");
  }
  /// A user of the management account without AdministratorAccess.
  iam::Caller plain_user() {
    EXPECT_TRUE(iam_->create_user(admin_.account_id, "judy", "/", {}).has_value());
    iam::Caller caller = admin_;
    caller.user_name = "judy";
    caller.arn = "arn:aws:iam::111122223333:user/judy";
    return caller;
  }

  AskedHistory history_;
  Operation last_;
  std::unique_ptr<SearchService> service_;
};

TEST_F(SearchServiceTest, IdentifiesItsCalls) {
  make_service();
  search(R"({"Query":"user = a"})");
  EXPECT_EQ(last_.name, "SearchEvents");
  EXPECT_EQ(last_.action, "opentrail:SearchEvents");
  EXPECT_TRUE(last_.read_only);
  EXPECT_EQ(to_text(last_.request_parameters), R"({"query":"user = a"})");
  count("");
  EXPECT_EQ(last_.name, "CountEvents");
  EXPECT_EQ(last_.action, "opentrail:CountEvents");
  EXPECT_TRUE(last_.request_parameters.is_null());
  EXPECT_EQ(service_->body_bytes_max(), 64U << 10);
}

TEST_F(SearchServiceTest, ShowsEventsWithAccountAndRegion) {
  make_service();
  history_.found_ = {
      {event("a", 100,
             R"({"recipientAccountId":"999999999999","awsRegion":"eu-west-1",)"
             R"("userIdentity":{"accountId":"111111111111"}})"),
       event("b", 50, R"({"userIdentity":{"accountId":"111111111111"},"awsRegion":null})")},
      "more"};
  const Outcome outcome = search("{}");
  EXPECT_EQ(outcome.head.status, 200);
  EXPECT_EQ(outcome.head.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(
      json::parse(outcome.body),
      json::parse(
          R"({"Events":[{"EventId":"a","EventName":"CreateUser","EventTime":100,"Resources":[],
          "CloudTrailEvent":"{\"recipientAccountId\":\"999999999999\",\"awsRegion\":\"eu-west-1\",\"userIdentity\":{\"accountId\":\"111111111111\"}}",
          "AccountId":"999999999999","Region":"eu-west-1"},
          {"EventId":"b","EventName":"CreateUser","EventTime":50,"Resources":[],
          "CloudTrailEvent":"{\"userIdentity\":{\"accountId\":\"111111111111\"},\"awsRegion\":null}",
          "AccountId":"111111111111"}],"NextToken":"more"})"));
  ASSERT_EQ(history_.searches_.size(), 1U);
  EXPECT_THAT(history_.searches_[0].accounts, ElementsAre("111122223333"));
  EXPECT_THAT(history_.searches_[0].regions, ElementsAre("eu-central-1"));
}

TEST_F(SearchServiceTest, OnlyAdministratorsLookIntoOtherAccounts) {
  make_service();
  const std::string all = R"({"Accounts":["*"]})";
  const std::string other = R"({"Accounts":["999999999999"]})";
  const std::string both = R"({"Accounts":["999999999999","111122223333"]})";
  const std::string own = R"({"Accounts":["111122223333"]})";
  for (const std::string& body : {all, other, both, own}) {
    EXPECT_EQ(code_of(search(body)), "") << body;
    EXPECT_EQ(code_of(count(body)), "") << body;
  }
  EXPECT_THAT(history_.searches_.front().accounts, IsEmpty());
  caller_ = plain_user();
  history_.searches_.clear();
  history_.counted_.reset();
  for (const std::string& body : {all, other, both}) {
    const Outcome refused = search(body);
    EXPECT_EQ(code_of(refused), "AccessDeniedException") << body;
    EXPECT_EQ(refused.error->record_code, "AccessDenied");
    EXPECT_THAT(refused.body, HasSubstr("user/judy is not authorized to perform: "
                                        "opentrail:SearchEvents"));
    EXPECT_EQ(code_of(count(body)), "AccessDeniedException");
  }
  EXPECT_THAT(history_.searches_, IsEmpty());
  EXPECT_FALSE(history_.counted_);
  EXPECT_EQ(code_of(search(own)), "");
  EXPECT_EQ(code_of(search("{}")), "");
}

TEST_F(SearchServiceTest, CountsByFieldAndTime) {
  make_service();
  history_.counts_.total = 3;
  history_.counts_.values = 2;
  history_.counts_.buckets = {{Timestamp(seconds(60)), 3}};
  history_.counts_.groups = {{"a", 2, {{Timestamp(seconds(60)), 2}}}, {"b", 1, {}}};
  EXPECT_EQ(count("{}").body, R"({"Total":3})");
  EXPECT_EQ(count(R"({"By":"user"})").body,
            R"({"Total":3,"Values":2,"Groups":[{"Value":"a","Count":2},{"Value":"b","Count":1}]})");
  EXPECT_EQ(count(R"({"Bucket":"1m"})").body,
            R"({"Total":3,"BucketSeconds":60,"Buckets":[{"StartTime":60,"Count":3}]})");
  EXPECT_EQ(count(R"({"Bucket":"1m","By":"user"})").body,
            R"({"Total":3,"BucketSeconds":60,"Buckets":[{"StartTime":60,"Count":3}],"Values":2,)"
            R"("Groups":[{"Value":"a","Count":2,"Buckets":[{"StartTime":60,"Count":2}]},)"
            R"({"Value":"b","Count":1,"Buckets":[]}]})");
  EXPECT_EQ(history_.counted_->by, record::Field::Username);
}

TEST_F(SearchServiceTest, TheAutomaticWidthFollowsFromTheMatches) {
  make_service();
  history_.found_ = {{event("b", 7200, "{}"), event("a", 0, "{}")}, ""};
  count(R"({"Bucket":"auto","Query":"user = a"})");
  EXPECT_EQ(history_.counted_->bucket, bucket_for(seconds(7200)));
  ASSERT_EQ(history_.searches_.size(), 2U);
  EXPECT_EQ(history_.searches_[0].where, history_.counted_->query.where);
  history_.found_ = {};
  count(R"({"Bucket":"auto"})");
  EXPECT_EQ(history_.counted_->bucket, seconds(1)) << "nothing found";
}

TEST_F(SearchServiceTest, TellsWhatIsWrong) {
  make_service();
  EXPECT_EQ(code_of(search(R"({"Query":"="})")), "ValidationException");
  ASSERT_TRUE(last_.error);
  const struct {
    Error error;
    std::string_view code;
    int status;
  } cases[] = {
      {Error(ErrorCode::InvalidArgument, "x", "InvalidNextToken"), "InvalidNextTokenException",
       400},
      {Error(ErrorCode::InvalidArgument, "too many buckets"), "ValidationException", 400},
      {Error(ErrorCode::Unavailable, "the journal failed"), "ServiceUnavailable", 503},
      {Error(ErrorCode::Corruption, "a block"), "InternalFailure", 500},
  };
  for (const auto& one : cases) {
    history_.error_ = one.error;
    for (const Outcome& outcome : {search("{}"), count("{}")}) {
      EXPECT_EQ(code_of(outcome), one.code);
      EXPECT_EQ(outcome.head.status, one.status);
      EXPECT_EQ(outcome.error->code, one.code) << "as the record says it";
      EXPECT_EQ(outcome.head.headers.get("Retry-After"), one.status == 503 ? "1" : "");
    }
  }
}

TEST_F(SearchServiceTest, ASearchThatMissesItsDeadlineIsAnsweredAndKeepsItsPlace) {
  make_service({.threads = 1, .at_once_max = 1, .deadline = milliseconds(20)});
  history_.hold();
  const Outcome late = search("{}");
  EXPECT_EQ(code_of(late), "SearchTimeoutException");
  EXPECT_EQ(late.head.status, 400);
  const Outcome pushed_back = search("{}");
  EXPECT_EQ(code_of(pushed_back), "ThrottlingException");
  EXPECT_EQ(pushed_back.head.status, 503);
  EXPECT_EQ(pushed_back.head.headers.get("Retry-After"), "1");
  history_.wait_begun(1);
  history_.let_go();
  service_->stop();
  make_service();
  EXPECT_EQ(code_of(search("{}")), "");
}

TEST_F(SearchServiceTest, OneThatHasNotBegunAtItsDeadlineNeverDoes) {
  make_service({.threads = 1, .at_once_max = 2, .deadline = milliseconds(20)});
  history_.hold();
  std::thread first([this] {
    FakeExchange exchange(head_of(kSearchPath));
    Call one = make_call(exchange, admin_, "{}");
    const Operation operation = service_->identify(one);
    EXPECT_EQ(code_of(run_to_value(service_->handle(one, operation))), "SearchTimeoutException");
  });
  history_.wait_begun(1);
  EXPECT_EQ(code_of(search("{}")), "SearchTimeoutException");
  first.join();
  history_.let_go();
  service_->stop();
  EXPECT_EQ(history_.searches_.size(), 1U);
}

TEST_F(SearchServiceTest, OwnApiChoosesByMethodAndPath) {
  make_service();
  OwnApi api({{"POST", kSearchPath, service_.get()}});
  const auto identify = [&](std::string method, std::string_view path) {
    net::RequestHead head = head_of(path);
    head.method = std::move(method);
    FakeExchange exchange(head);
    return api.identify(make_call(exchange, admin_, "{}"));
  };
  EXPECT_EQ(identify("POST", kSearchPath).name, "SearchEvents");
  const Operation unknown = identify("GET", kSearchPath);
  ASSERT_TRUE(unknown.error);
  EXPECT_EQ(unknown.error->status, 404);
  EXPECT_EQ(unknown.error->message,
            "There is no such operation. Known are POST /opentrail/v1/search.");
  EXPECT_TRUE(unknown.read_only);
  EXPECT_TRUE(identify("POST", "/opentrail/v1/").error);
  EXPECT_EQ(api.body_bytes_max_of(head_of(kSearchPath)), kBodyBytesMax);
  EXPECT_FALSE(api.streams(head_of(kSearchPath)));
  EXPECT_EQ(code_of(api.error_answer(head_of("/"), *unknown.error, "id")),
            "UnknownOperationException");
}

}  // namespace
}  // namespace opentrail::services::event_search
