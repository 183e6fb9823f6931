// Goal: the two calls of the import API answer as their header says, tell what the record shows,
// and push back when imports pile up. Method: calls as the pipeline makes them, over a real history
// and a journal in memory that can hold an import back.
#include "services/ingest/ingest_service.h"

#include "base/json.h"
#include "collect/gzip.h"
#include "history/history_fixture.h"
#include "services/fake_exchange.h"

#include <thread>

#include <gtest/gtest.h>

namespace opentrail::services::ingest {
namespace {

using history::kNow;
using history::Sample;
using journal::Offset;

net::RequestHead head_of(std::string method, std::string target, std::string encoding = {}) {
  net::RequestHead head;
  head.method = std::move(method);
  head.target = std::move(target);
  if (!encoding.empty()) {
    head.headers.add("Content-Encoding", std::move(encoding));
  }
  return head;
}

net::RequestHead records_head(std::string encoding = {}) {
  return head_of("POST", "/opentrail/v1/records", std::move(encoding));
}

std::string text_of(const std::vector<Sample>& samples) {
  std::string text;
  for (const Sample& sample : samples) {
    text += history::make(sample).json + "\n";
  }
  return text;
}

class IngestServiceTest : public history::HistoryTest {
 protected:
  IngestServiceTest() { open(); }
  ~IngestServiceTest() override {
    service_.reset();
    workers_.join();
  }
  void make_service(ImportLimits limits = {}) {
    service_ = std::make_unique<IngestService>(
        journal_, *history_, clock_, workers_, limits,
        [this](const std::vector<std::string>& accounts) { told_.push_back(accounts); });
  }
  Operation identify(const net::RequestHead& head, std::string body = {}) {
    FakeExchange exchange(head);
    return service_->identify(make_call(exchange, {}, std::move(body)));
  }
  Outcome call(const net::RequestHead& head, std::string body = {}) {
    FakeExchange exchange(head);
    Call one = make_call(exchange, {}, std::move(body));
    const Operation operation = service_->identify(one);
    EXPECT_FALSE(operation.error);
    return run_to_value(service_->handle(one, operation));
  }
  json::object import(const std::string& body) {
    const Outcome outcome = call(records_head(), body);
    EXPECT_EQ(outcome.head.status, 200) << outcome.body;
    EXPECT_FALSE(outcome.error);
    return json::parse(outcome.body).as_object();
  }
  /// Imports what fails, and gives the status and code.
  std::string refused(const net::RequestHead& head, std::string body) {
    const Outcome outcome = call(head, std::move(body));
    EXPECT_TRUE(outcome.error);
    const auto object = json::parse(outcome.body).as_object();
    EXPECT_FALSE(string_member(object, "message").empty());
    return fmt::format("{} {}", outcome.head.status, string_member(object, "__type"));
  }

  asio::thread_pool workers_{1};
  std::vector<std::vector<std::string>> told_;  ///< Accounts of each import that added some.
  std::unique_ptr<IngestService> service_;
};

TEST_F(IngestServiceTest, IdentifiesItsCalls) {
  make_service();
  net::RequestHead head = records_head("gzip");
  head.content_length = 42;
  const Operation import = identify(head);
  EXPECT_EQ(import.name, "ImportRecords");
  EXPECT_EQ(import.event_name, "ImportRecords");
  EXPECT_EQ(import.action, "opentrail:ImportRecords");
  EXPECT_FALSE(import.read_only);
  EXPECT_EQ(import.request_parameters,
            (json::object{{"contentLength", 42}, {"contentEncoding", "gzip"}}));
  EXPECT_EQ(identify(records_head(), "abc").request_parameters,
            (json::object{{"contentLength", 3}, {"contentEncoding", "identity"}}));

  const Operation accounts = identify(head_of("GET", "/opentrail/v1/accounts"));
  EXPECT_EQ(accounts.name, "ListKnownAccounts");
  EXPECT_TRUE(accounts.read_only);
  EXPECT_EQ(service_->signing_name(), "opentrail");
  EXPECT_EQ(service_->event_source(), "opentrail");
}

TEST_F(IngestServiceTest, TellsAnUnknownCall) {
  make_service();
  const Operation wrong_method = identify(head_of("DELETE", "/opentrail/v1/records"));
  ASSERT_TRUE(wrong_method.error);
  EXPECT_EQ(wrong_method.error->status, 404);
  EXPECT_EQ(wrong_method.name, "UnknownOperation");
  EXPECT_FALSE(wrong_method.read_only);
  const Operation wrong_path = identify(head_of("GET", "/opentrail/v2/accounts"));
  EXPECT_TRUE(wrong_path.error);
  EXPECT_TRUE(wrong_path.read_only);
  const Outcome answer =
      service_->error_answer(head_of("GET", "/opentrail/"), *wrong_path.error, "the-id");
  EXPECT_EQ(answer.head.status, 404);
  EXPECT_EQ(json::parse(answer.body).at("__type"), "UnknownOperationException");
  EXPECT_FALSE(answer.head.headers.find("Retry-After"));
}

TEST_F(IngestServiceTest, AnImportAnswersWithItsCounts) {
  make_service();
  const Outcome outcome =
      call(records_head("gzip"), collect::gzip(text_of({{.id = "a"}, {.id = "b"}, {.id = "a"}})));
  EXPECT_EQ(outcome.head.status, 200);
  EXPECT_EQ(outcome.head.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(json::parse(outcome.body),
            json::parse(fmt::format(
                R"({{"RequestId":"623d0143-1c5e-4f0a-9a3c-0e1d2c3b4a59","Received":3,"New":2,)"
                R"("Duplicate":1,"Conflicting":0,"Expired":0,"Invalid":0,"Digests":0,)"
                R"("OldestKept":"{}","ResultsTruncated":false,"Results":[{{"Line":3,"Id":"a",)"
                R"("Status":"Duplicate","Message":"already there"}}]}})",
                to_iso_seconds(kNow - std::chrono::days(90)))));
  EXPECT_EQ(outcome.response_elements,
            json::parse(R"({"received":3,"new":2,"duplicate":1,"conflicting":0,"expired":0,)"
                        R"("invalid":0})"));
  EXPECT_EQ(lookup_ids(history::query_of()), (history::Ids{"b", "a"}));
  EXPECT_EQ(journal_.read({}, 1).value().front().record.origin, record::Origin::Import);
}

TEST_F(IngestServiceTest, ListsTheWorstResultsWhenThereAreTooMany) {
  make_service({.results_max = 1});
  const auto answer = import(text_of({{.id = "a"}, {.id = "a"}, {.id = "a", .name = "Other"}}));
  EXPECT_EQ(answer.at("ResultsTruncated"), true);
  ASSERT_EQ(answer.at("Results").as_array().size(), 1U);
  EXPECT_EQ(answer.at("Results").at(0).at("Status"), "Conflicting");
  EXPECT_EQ(answer.at("Duplicate"), 1);
}

TEST_F(IngestServiceTest, TellsTheAccountsOfWhatIsNew) {
  make_service();
  const std::string body = text_of({{.id = "a", .account = "444455556666"},
                                    {.id = "b", .account = "222233334444"},
                                    {.id = "c", .account = "444455556666"}});
  import(body);
  import(body);
  EXPECT_EQ(told_, (std::vector<std::vector<std::string>>{{"222233334444", "444455556666"}}));
}

TEST_F(IngestServiceTest, ListsTheKnownAccounts) {
  make_service();
  EXPECT_EQ(call(head_of("GET", "/opentrail/v1/accounts")).body, R"({"Accounts":[]})");
  import(text_of({{.id = "a", .account = "444455556666"}, {.id = "b", .account = "222233334444"}}));
  EXPECT_EQ(call(head_of("GET", "/opentrail/v1/accounts")).body,
            R"({"Accounts":["222233334444","444455556666"]})");
}

TEST_F(IngestServiceTest, SaysWhatIsWrongWithABody) {
  make_service({.body_bytes_max = 1 << 10, .records_max = 2});
  EXPECT_EQ(service_->body_bytes_max(), 1U << 10);
  EXPECT_EQ(refused(records_head(), "<html>"), "400 ValidationException");
  EXPECT_EQ(refused(records_head("gzip"), "<html>"), "400 ValidationException");
  EXPECT_EQ(refused(records_head("br"), "{}"), "415 UnsupportedMediaTypeException");
  EXPECT_EQ(refused(records_head(), "{}{}{}"), "413 RequestEntityTooLarge");
  EXPECT_EQ(refused(records_head("gzip"), collect::gzip(std::string(1 << 12, ' '))),
            "413 RequestEntityTooLarge");
  EXPECT_EQ(journal_.end(), Offset{0});
  EXPECT_TRUE(told_.empty());
}

TEST_F(IngestServiceTest, AJournalInTroubleIsWorthANewTry) {
  make_service();
  journal_.fail_with(Error(ErrorCode::Throttled, "the queue is full"));
  // A lookup that needs the journal fails first: what it would answer is not known.
  const Outcome outcome = call(records_head(), text_of({{.id = "a"}}));
  EXPECT_EQ(outcome.head.status, 503);
  EXPECT_EQ(outcome.head.headers.get("Retry-After"), "1");
  EXPECT_TRUE(told_.empty());
}

TEST_F(IngestServiceTest, MoreImportsThanPlacesArePushedBack) {
  make_service({.imports_waiting_max = 1});
  journal_.hold();
  asio::io_context& context = kept_context();
  const net::RequestHead head = records_head();
  FakeExchange first_exchange(head);
  Call first = make_call(first_exchange, {}, text_of({{.id = "a"}}));
  const Operation operation = service_->identify(first);
  std::optional<Outcome> stored;
  asio::co_spawn(context, service_->handle(first, operation),
                 [&](const std::exception_ptr&, Outcome outcome) { stored = std::move(outcome); });
  context.poll();  // the first has its place now

  const Outcome second = call(head, text_of({{.id = "b"}}));
  EXPECT_EQ(second.head.status, 503);
  EXPECT_EQ(second.error->code, "ThrottlingException");
  EXPECT_EQ(second.head.headers.get("Retry-After"), "1");

  while (journal_.end() == Offset{0}) {
    context.poll();  // its body may have been read only now
    std::this_thread::yield();
  }
  journal_.commit();
  context.run();
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->head.status, 200);
  // The place is free again.
  std::thread committer([this] {
    while (journal_.end() == Offset{1}) {
      std::this_thread::yield();
    }
    journal_.commit();
  });
  EXPECT_EQ(call(head, text_of({{.id = "c"}})).head.status, 200);
  committer.join();
}

TEST_F(IngestServiceTest, StopsTwice) {
  make_service();
  import(text_of({{.id = "a"}}));
  service_->stop();
  service_->stop();
}

}  // namespace
}  // namespace opentrail::services::ingest
