// Goal: the two calls of the import API answer as their header says, tell what the record shows,
// store nothing that is not signed, and push back when imports pile up. Method: calls as the
// pipeline makes them, over a real history and a journal in memory that can be full.
#include "services/ingest/ingest_service.h"

#include "base/json.h"
#include "collect/gzip.h"
#include "collect/unpack.h"
#include "crypto/hash.h"
#include "history/history_fixture.h"
#include "services/fake_exchange.h"

#include <algorithm>
#include <functional>
#include <span>
#include <string>

#include <gtest/gtest.h>

namespace opentrail::services::ingest {
namespace {

using history::kNow;
using history::Sample;
using journal::Offset;
namespace sigv4 = crypto::sigv4;

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

net::RequestHead streamed_head(std::string content_sha256, std::string encoding = {}) {
  net::RequestHead head = records_head(std::move(encoding));
  head.headers.add("x-amz-content-sha256", std::move(content_sha256));
  head.peer_address = "127.0.0.1";
  return head;
}

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const sigv4::Claim kClaim = [] {
  sigv4::Claim claim;
  claim.scope = {"20261124", "eu-central-1", "opentrail"};
  claim.amz_date = "20261124T084613Z";
  claim.signature = std::string(64, '0');
  return claim;
}();

/// In the framing of aws-chunked, signed with kSecret.
std::string in_signed_chunks(std::string_view data, std::size_t chunk_bytes) {
  crypto::sigv4::ChunkVerifier signer(sigv4::signing_key(kSecret, kClaim.scope), kClaim);
  std::string body;
  for (bool last = false; !last;) {
    const std::string_view chunk = data.substr(0, chunk_bytes);
    data.remove_prefix(chunk.size());
    last = chunk.empty();
    body += fmt::format("{:x};chunk-signature={}\r\n{}\r\n", chunk.size(),
                        signer.next(crypto::sha256_hex(chunk)), chunk);
  }
  return body;
}

std::string text_of(const std::vector<Sample>& samples) {
  std::string text;
  for (const Sample& sample : samples) {
    text += history::make(sample).json + "\n";
  }
  return text;
}

/// A body whose pieces are made when they are read.
class SlowExchange final : public net::Exchange {
 public:
  using NextPiece = std::function<std::string(int number)>;  ///< Empty at the end.
  SlowExchange(net::RequestHead head, NextPiece next)
      : head_(std::move(head)), next_(std::move(next)) {}
  [[nodiscard]] const net::RequestHead& request() const override { return head_; }
  asio::awaitable<Result<std::size_t>> read_some(std::span<char> buffer) override {
    const std::string piece = next_(number_++);
    std::ranges::copy(piece, buffer.begin());
    co_return piece.size();
  }
  asio::awaitable<Result<std::string>> read_all(std::size_t /*bytes_max*/) override {
    co_return fail(ErrorCode::Internal, "not read so");
  }
  asio::awaitable<Result<void>> respond(net::ResponseHead /*head*/, std::string /*body*/) override {
    co_return Result<void>();
  }
  asio::awaitable<Result<void>> begin_response(net::ResponseHead /*head*/,
                                               std::uint64_t /*content_length*/) override {
    co_return Result<void>();
  }
  asio::awaitable<Result<void>> write(std::string_view /*bytes*/) override {
    co_return Result<void>();
  }
  [[nodiscard]] bool responded() const override { return false; }
  void close_after() override {}

 private:
  net::RequestHead head_;
  NextPiece next_;
  int number_ = 0;
};

class IngestServiceTest : public history::HistoryTest {
 protected:
  IngestServiceTest() { open(); }
  ~IngestServiceTest() override {
    service_.reset();
    workers_.join();
  }
  void make_service(ImportLimits limits = {}) {
    service_ = std::make_unique<IngestService>(journal_, *history_, clock_, workers_, limits);
  }
  Operation identify(const net::RequestHead& head, std::string body = {}) {
    FakeExchange exchange(head);
    return service_->identify(make_call(exchange, {}, std::move(body)));
  }
  /// As the pipeline does: a body that is streamed stays in the exchange.
  Outcome call(const net::RequestHead& head, std::string body = {}) {
    const bool streamed = service_->streams(head);
    FakeExchange exchange(head, streamed ? body : std::string());
    Call one = make_call(exchange, {}, streamed ? std::string() : std::move(body));
    one.signing_key = sigv4::signing_key(kSecret, kClaim.scope);
    one.claim = kClaim;
    const Operation operation = service_->identify(one);
    EXPECT_FALSE(operation.error);
    return run_to_value(service_->handle(one, operation));
  }
  bool closes_after(const net::RequestHead& head, std::string body) {
    const bool streamed = service_->streams(head);
    FakeExchange exchange(head, streamed ? body : std::string());
    Call one = make_call(exchange, {}, streamed ? std::string() : std::move(body));
    run_to_value(service_->handle(one, service_->identify(one)));
    return exchange.closes();
  }
  json::object import(const std::string& body) { return import(records_head(), body); }
  json::object import(const net::RequestHead& head, const std::string& body) {
    const Outcome outcome = call(head, body);
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

TEST_F(IngestServiceTest, ListsTheKnownAccounts) {
  make_service();
  EXPECT_EQ(call(head_of("GET", "/opentrail/v1/accounts")).body, R"({"Accounts":[]})");
  import(text_of({{.id = "a", .account = "444455556666"}, {.id = "b", .account = "222233334444"}}));
  EXPECT_EQ(call(head_of("GET", "/opentrail/v1/accounts")).body,
            R"({"Accounts":["222233334444","444455556666"]})");
}

TEST_F(IngestServiceTest, TellsEveryStatusWhenAsked) {
  make_service();
  import(text_of({{.id = "b"}}));
  net::RequestHead head = head_of("POST", "/opentrail/v1/records?results=all");
  const auto answer = import(head, text_of({{.id = "a"}, {.id = "c"}, {.id = "b"}}) + "{broken}\n" +
                                       text_of({{.id = "d"}}));
  EXPECT_EQ(answer.at("Statuses"),
            json::parse(R"([{"Status":"New","Count":2},{"Status":"Duplicate","Count":1},)"
                        R"({"Status":"Invalid","Count":1},{"Status":"New","Count":1}])"));
  EXPECT_EQ(answer.at("StatusesTruncated"), false);
  EXPECT_EQ(answer.at("Results").at(0).at("Line"), 4);
}

TEST_F(IngestServiceTest, ABrokenLineCostsThatLine) {
  make_service();
  const auto answer = import(text_of({{.id = "a"}}) + "null\n" + text_of({{.id = "b"}}));
  EXPECT_EQ(answer.at("New"), 2);
  EXPECT_EQ(answer.at("Invalid"), 1);
  EXPECT_EQ(answer.at("Results").at(0).at("Line"), 2);
  EXPECT_FALSE(answer.contains("BrokenOff"));
}

TEST_F(IngestServiceTest, SaysThatTheRestWasNotRead) {
  make_service();
  const std::string list =
      "[" + history::make({.id = "a"}).json + ",\n7," + history::make({.id = "b"}).json + "]";
  const Outcome outcome = call(records_head(), list);
  EXPECT_EQ(outcome.head.status, 200);
  const auto answer = json::parse(outcome.body).as_object();
  EXPECT_EQ(answer.at("New"), 1);
  EXPECT_EQ(answer.at("BrokenOff"), true);
  EXPECT_EQ(answer.at("Results").at(0).at("Line"), 2);
  EXPECT_EQ(outcome.response_elements.at("brokenOff"), true);
}

TEST_F(IngestServiceTest, ClosesTheConnectionOfABodyThatWasNotReadToItsEnd) {
  make_service();
  const std::string text = text_of({{.id = "a"}});
  const net::RequestHead head = streamed_head("UNSIGNED-PAYLOAD");
  EXPECT_FALSE(closes_after(head, text));
  EXPECT_FALSE(closes_after(records_head(), "[" + text + ",7"));
  EXPECT_TRUE(closes_after(head, "[" + text + ",7" + std::string(1 << 20, ' ')));
  EXPECT_TRUE(closes_after(head, "7" + std::string(1 << 20, ' ')));
}

TEST_F(IngestServiceTest, ASlowStreamIsStoredWhileItComes) {
  make_service({.batch_age_max = std::chrono::milliseconds(0)});
  std::vector<std::uint64_t> stored;
  SlowExchange exchange(streamed_head("UNSIGNED-PAYLOAD"), [&](int number) {
    stored.push_back(value(journal_.durable_end()));
    return number < 4 ? text_of({{.id = std::to_string(number)}}) : std::string();
  });
  Call one = make_call(exchange, {}, {});
  const Outcome outcome = run_to_value(service_->handle(one, service_->identify(one)));
  EXPECT_EQ(json::parse(outcome.body).at("New"), 4);
  ASSERT_EQ(stored.size(), 5U);
  // Two batches are under way: one is read while the one before it is stored.
  EXPECT_GE(stored[3], 1U);
  EXPECT_GE(stored[4], 2U);
}

TEST_F(IngestServiceTest, TakesEveryCoding) {
  make_service();
  const std::string text = text_of({{.id = "a"}, {.id = "b"}});
  EXPECT_EQ(import(text).at("New"), 2);
  EXPECT_EQ(import(records_head("gzip"), collect::gzip(text)).at("Duplicate"), 2);
  EXPECT_EQ(import(records_head("zstd"), collect::pack_zstd(text)).at("Duplicate"), 2);
}

TEST_F(IngestServiceTest, AStreamIsStoredInBatchesWhateverItsLength) {
  make_service({.batch_records_max = 100});
  std::vector<Sample> samples;
  for (int i = 0; i < 1050; ++i) {
    samples.push_back({.id = std::to_string(i)});
  }
  const std::string text = text_of(samples);
  net::RequestHead head = streamed_head("UNSIGNED-PAYLOAD", "zstd");
  EXPECT_EQ(import(head, collect::pack_zstd(text)).at("New"), 1050);
  EXPECT_EQ(journal_.durable_end(), Offset{1050});
  EXPECT_EQ(history_->applied_end(), Offset{1050});
  EXPECT_EQ(import(head, collect::pack_zstd(text)).at("Duplicate"), 1050);
}

TEST_F(IngestServiceTest, SignedChunksAreCheckedBeforeTheyAreUsed) {
  make_service();
  const std::string text = text_of({{.id = "a"}, {.id = "b"}, {.id = "c"}});
  const net::RequestHead head = streamed_head("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
  EXPECT_EQ(import(head, in_signed_chunks(text, 100)).at("New"), 3);
  // As the SDKs say it.
  for (const auto* encoding : {"aws-chunked", "aws-chunked,gzip"}) {
    const net::RequestHead framed = streamed_head("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", encoding);
    const bool packed = std::string_view(encoding).ends_with("gzip");
    EXPECT_EQ(
        import(framed, in_signed_chunks(packed ? collect::gzip(text) : text, 100)).at("Duplicate"),
        3);
  }
  EXPECT_EQ(refused(streamed_head("UNSIGNED-PAYLOAD", "aws-chunked"), text),
            "415 UnsupportedMediaTypeException");

  const std::string more = text_of({{.id = "d"}, {.id = "e"}, {.id = "f"}});
  const std::size_t chunk_bytes = more.size() * 2 / 5;  // the first holds "d", and a part of "e"
  std::string forged = in_signed_chunks(more, chunk_bytes);
  const auto at = forged.find("\"eventID\":\"f\"");
  forged.replace(at, 13, "\"eventID\":\"g\"");
  const Outcome outcome = call(head, forged);
  EXPECT_EQ(outcome.head.status, 403);
  const auto answer = json::parse(outcome.body).as_object();
  EXPECT_EQ(answer.at("__type"), "SignatureDoesNotMatch");
  EXPECT_GE(answer.at("New").as_int64(), 1);
  EXPECT_LE(answer.at("New").as_int64(), 2);
  EXPECT_EQ(lookup_ids(history::LookupKey::EventId, "d"), history::Ids{"d"});
  EXPECT_EQ(lookup_ids(history::LookupKey::EventId, "g"), history::Ids{});
}

TEST_F(IngestServiceTest, AStreamThatEndsTooEarlyTellsWhatIsStored) {
  make_service();
  const std::string text = text_of({{.id = "a"}, {.id = "b"}});
  const std::string whole = in_signed_chunks(text, text.size() / 2);
  const net::RequestHead head = streamed_head("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
  const Outcome outcome = call(head, whole.substr(0, whole.size() - 20));
  EXPECT_EQ(outcome.head.status, 400);
  EXPECT_EQ(outcome.error->code, "IncompleteBody");
  EXPECT_EQ(json::parse(outcome.body).at("New"), 2) << "the chunks that came were whole";

  net::RequestHead longer = head;
  longer.headers.add("x-amz-decoded-content-length", std::to_string(text.size() + 1));
  EXPECT_EQ(refused(longer, whole), "400 IncompleteBody");
}

TEST_F(IngestServiceTest, AChunkThatIsTooLargeIsRefused) {
  make_service({.chunk_bytes_max = 1000});
  const net::RequestHead head = streamed_head("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
  EXPECT_EQ(refused(head, in_signed_chunks(std::string(1 << 20, ' '), 1 << 20)),
            "413 RequestEntityTooLarge");
}

TEST_F(IngestServiceTest, UnsignedBytesNeedAProtectedWay) {
  make_service();
  net::RequestHead head = streamed_head("UNSIGNED-PAYLOAD");
  head.peer_address = "192.0.2.1";
  ASSERT_TRUE(identify(head).error);
  EXPECT_EQ(identify(head).error->code, "UnprotectedPayloadException");
  EXPECT_EQ(identify(head).error->status, 403);
  head.tls = net::TlsDetails{};
  EXPECT_FALSE(identify(head).error);
  head.tls.reset();
  for (const auto* address : {"127.0.0.1", "::1", "::ffff:127.0.0.1"}) {
    head.peer_address = address;
    EXPECT_FALSE(identify(head).error) << address;
  }
  EXPECT_EQ(identify(streamed_head("STREAMING-UNSIGNED-PAYLOAD-TRAILER")).error->code,
            "ValidationException");
}

TEST_F(IngestServiceTest, SaysWhatIsWrongWithABody) {
  make_service({.held_bytes_max = 1 << 10, .unpacked_bytes_max = 1 << 11});
  EXPECT_EQ(service_->body_bytes_max(), 1U << 10);
  EXPECT_EQ(refused(records_head(), "<html>"), "400 ValidationException");
  EXPECT_EQ(
      string_member(json::parse(call(records_head(), "<html>").body).as_object(), "OldestKept"),
      to_iso_seconds(history_->oldest_kept()))
      << "also when nothing came";
  EXPECT_EQ(refused(records_head("gzip"), "<html>"), "400 ValidationException");
  EXPECT_EQ(refused(records_head("zstd"), "<html>"), "400 ValidationException");
  EXPECT_EQ(refused(records_head("br"), "{}"), "415 UnsupportedMediaTypeException");
  EXPECT_EQ(refused(records_head("gzip"), collect::gzip(std::string(1 << 12, ' '))),
            "413 RequestEntityTooLarge");
  EXPECT_EQ(journal_.end(), Offset{0});
}

TEST_F(IngestServiceTest, AJournalInTroubleIsWorthANewTry) {
  make_service();
  journal_.refuse_with(Error(ErrorCode::Throttled, "the queue is full"));
  const Outcome outcome = call(records_head(), text_of({{.id = "a"}}));
  EXPECT_EQ(outcome.head.status, 503);
  EXPECT_EQ(outcome.error->code, "ThrottlingException");
  EXPECT_EQ(outcome.head.headers.get("Retry-After"), "1");
}

TEST_F(IngestServiceTest, AFullDiskSaysSoAndWhatIsStored) {
  make_service({.batch_records_max = 1});
  journal_.refuse_with(Error(ErrorCode::ResourceExhausted, "write: No space left on device"));
  const Outcome outcome = call(records_head(), text_of({{.id = "a"}, {.id = "b"}}));
  EXPECT_EQ(outcome.head.status, 503);
  EXPECT_EQ(outcome.head.headers.get("Retry-After"), "1");
  const auto answer = json::parse(outcome.body).as_object();
  EXPECT_EQ(answer.at("__type"), "InsufficientStorageException");
  EXPECT_EQ(answer.at("New"), 0);
}

TEST_F(IngestServiceTest, MoreImportsThanPlacesArePushedBack) {
  make_service({.imports_max = 1});
  auto first = service_->admit(records_head());
  ASSERT_TRUE(first);
  EXPECT_TRUE(service_->admit(head_of("GET", "/opentrail/v1/accounts"))) << "no import";
  const auto refused = service_->admit(records_head());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ThrottlingException");
  EXPECT_EQ(refused.error().status, 503);

  const Outcome second = call(records_head(), text_of({{.id = "b"}}));
  EXPECT_EQ(second.head.status, 503);
  EXPECT_EQ(second.head.headers.get("Retry-After"), "1");
  first->reset();
  EXPECT_EQ(call(records_head(), text_of({{.id = "c"}})).head.status, 200);
  EXPECT_EQ(call(records_head(), text_of({{.id = "d"}})).head.status, 200);
}

TEST_F(IngestServiceTest, StopsTwice) {
  make_service();
  import(text_of({{.id = "a"}}));
  service_->stop();
  service_->stop();
}

}  // namespace
}  // namespace opentrail::services::ingest
