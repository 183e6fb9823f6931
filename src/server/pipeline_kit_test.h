#pragma once
#include "base/json.h"
#include "base/metrics.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "iam/iam.h"
#include "io/filesystem.h"
#include "io/temp_folder.h"
#include "journal/fake_journal.h"
#include "server/pipeline.h"
#include "services/fake_exchange.h"
#include "sql/database.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

/// For tests of the pipeline: real signatures and a real iam over a catalog in a fresh folder, a
/// journal in memory that refuses as it is told, and services that answer as they are told.
namespace opentrail::server {

/// A journal in memory between the caller and trouble.
class TroubledJournal final : public journal::Journal {
 public:
  using Offset = journal::Offset;

  /// The next append gets this refusal; several are given in order.
  void refuse_next(Error error) { refusals_.push_back(std::move(error)); }
  /// Appends are taken, but what comes of them is this error.
  void lose_with(Error error) { loss_ = std::move(error); }
  /// Appends so far, the refused ones too.
  [[nodiscard]] int appends() const { return appends_; }

  Result<Offset> append(std::vector<record::Record> batch, Done done) override {
    ++appends_;
    if (!refusals_.empty()) {
      Error refusal = std::move(refusals_.front());
      refusals_.pop_front();
      return std::unexpected(std::move(refusal));
    }
    if (loss_) {
      done(std::unexpected(*loss_));
      return memory.end();
    }
    return memory.append(std::move(batch), std::move(done));
  }
  std::optional<Error> failure() const override { return memory.failure(); }
  Offset end() const override { return memory.end(); }
  Offset durable_end() const override { return memory.durable_end(); }
  Offset begin() const override { return memory.begin(); }
  Result<void> wait_durable(Offset offset, std::chrono::milliseconds timeout) override {
    return memory.wait_durable(offset, timeout);
  }
  Result<std::vector<journal::StoredRecord>> read(Offset from, std::size_t bytes_max) override {
    return memory.read(from, bytes_max);
  }
  void on_commit(std::function<void(Offset)> listener) override {
    memory.on_commit(std::move(listener));
  }
  Result<void> drop_before(Offset offset) override { return memory.drop_before(offset); }
  const journal::RecoveryReport& recovery() const override { return memory.recovery(); }
  void stop() override {}

  journal::FakeJournal memory;

 private:
  std::deque<Error> refusals_;
  std::optional<Error> loss_;
  int appends_ = 0;
};

/// Answers every call with `outcome()` and counts.
class FakeService final : public services::Service {
 public:
  FakeService(std::string name, iam::ErrorStyle style)
      : name_(std::move(name)), source_(name_ + ".amazonaws.com"), style_(style) {}

  [[nodiscard]] std::string_view signing_name() const override { return name_; }
  [[nodiscard]] std::string_view event_source() const override { return source_; }
  [[nodiscard]] iam::ErrorStyle error_style() const override { return style_; }
  [[nodiscard]] bool streams(const net::RequestHead&) const override { return streams_body; }
  [[nodiscard]] std::size_t body_bytes_max() const override { return body_max; }
  [[nodiscard]] services::Operation identify(const services::Call&) const override {
    return operation;
  }
  boost::asio::awaitable<services::Outcome> handle(services::Call& call,
                                                   const services::Operation&) override {
    ++handled;
    seen_body = call.body;
    seen_caller = call.caller;
    seen_region = call.region;
    co_return outcome();
  }
  [[nodiscard]] services::Outcome error_answer(const net::RequestHead&,
                                               const services::ApiError& error,
                                               std::string_view) const override {
    services::Outcome answer;
    answer.head.status = error.status;
    answer.body = error.code + ": " + error.message;
    return answer;
  }

  services::Operation operation;
  std::function<services::Outcome()> outcome = [] {
    services::Outcome answer;
    answer.body = "done";
    answer.response_elements = json::object{{"made", "yes"}};
    return answer;
  };
  std::size_t body_max = 1 << 20;
  bool streams_body = false;
  int handled = 0;
  std::string seen_body;
  iam::Caller seen_caller;
  std::string seen_region;

 private:
  std::string name_;
  std::string source_;
  iam::ErrorStyle style_;
};

/// An exchange whose body never becomes whole.
class CutExchange final : public net::Exchange {
 public:
  CutExchange(net::RequestHead head, Error error)
      : whole(std::move(head)), error_(std::move(error)) {}
  [[nodiscard]] const net::RequestHead& request() const override { return whole.request(); }
  net::asio::awaitable<Result<std::size_t>> read_some(std::span<char>) override {
    co_return std::unexpected(error_);
  }
  net::asio::awaitable<Result<std::string>> read_all(std::size_t) override {
    co_return std::unexpected(error_);
  }
  net::asio::awaitable<Result<void>> respond(net::ResponseHead head, std::string body) override {
    return whole.respond(std::move(head), std::move(body));
  }
  net::asio::awaitable<Result<void>> begin_response(net::ResponseHead head,
                                                    std::uint64_t length) override {
    return whole.begin_response(std::move(head), length);
  }
  net::asio::awaitable<Result<void>> write(std::string_view bytes) override {
    return whole.write(bytes);
  }
  [[nodiscard]] bool responded() const override { return whole.responded(); }
  void close_after() override { whole.close_after(); }

  services::FakeExchange whole;

 private:
  Error error_;
};

/// Who signs, and for what.
struct SignWith {
  std::string key_id;
  std::string secret;
  std::string region = "us-east-1";
  std::string service = "cloudtrail";
};

struct Answer {
  int status = 0;
  std::string body;
  std::string request_id;
  bool closes = false;
};

inline Answer answer_of(const services::FakeExchange& exchange) {
  Answer answer;
  EXPECT_TRUE(exchange.responded());
  if (exchange.answer()) {
    answer.status = exchange.answer()->status;
    answer.request_id = exchange.answer()->headers.get("x-amzn-RequestId");
  }
  answer.body = exchange.answer_body();
  answer.closes = exchange.closes();
  return answer;
}

/// A call in the JSON protocol, not signed yet.
inline net::RequestHead json_head(std::string target = "CloudTrail_20131101.CreateTrail") {
  net::RequestHead head;
  head.method = "POST";
  head.target = "/";
  head.peer_address = "192.0.2.7";
  head.headers.add("Host", "localhost:4747");
  head.headers.add("User-Agent", "aws-cli/2.15.0");
  head.headers.add("X-Amz-Target", std::move(target));
  return head;
}

inline net::RequestHead s3_head() {
  net::RequestHead head;
  head.method = "PUT";
  head.target = "/bucket";
  head.peer_address = "192.0.2.7";
  head.headers.add("Host", "localhost:4747");
  head.headers.add("User-Agent", "aws-cli/2.15.0");
  return head;
}

/// The value of a series without labels; 0 when there is none yet.
inline double metric(std::string_view name) {
  for (const std::string_view line : split(metrics::render(), '\n')) {
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ' ') {
      return std::stod(std::string(line.substr(name.size() + 1)));
    }
  }
  return 0;
}

class PipelineTest : public testing::Test {
 protected:
  PipelineTest() {
    const iam::Bootstrap made = iam_->bootstrap().value().value();
    admin_ = {made.admin.key.access_key_id, made.admin.secret_access_key};
    account_ = iam_->account_id();
    iam_->create_user(account_, "reader", "/", {}).value();
    EXPECT_TRUE(iam_->attach_user_policy(account_, "reader",
                                         "arn:aws:iam::aws:policy/AWSCloudTrail_ReadOnlyAccess"));
    const iam::NewAccessKey reader = iam_->create_access_key(account_, "reader").value();
    reader_ = {reader.key.access_key_id, reader.secret_access_key};
    cloudtrail_ = add("cloudtrail", iam::ErrorStyle::Json);
    cloudtrail_->operation = operation("CreateTrail", "cloudtrail:CreateTrail");
    query_ = add("iam", iam::ErrorStyle::Query);
    query_->operation = operation("CreateUser", "iam:CreateUser");
    query_->operation.region_override = "us-east-1";
    s3_ = add("s3", iam::ErrorStyle::S3);
    s3_->operation = operation("CreateBucket", "s3:CreateBucket");
    pipeline_ = std::make_unique<Pipeline>(
        Pipeline::Parts{*iam_,
                        recorder_,
                        journal_,
                        clock_,
                        random_,
                        workers_,
                        std::move(services_),
                        {"us-east-1", "eu-central-1"},
                        kLookupRate,
                        [this](journal::Offset offset) { history_reads_.push_back(offset); }});
  }
  ~PipelineTest() override { workers_.join(); }

  static services::Operation operation(const std::string& name, const std::string& action) {
    services::Operation made;
    made.name = name;
    made.event_name = name;
    made.action = action;
    made.resource = "*";
    made.request_parameters = json::object{{"name", "t"}};
    return made;
  }

  /// `head` with the fields of a signature over `body`.
  net::RequestHead sign(const SignWith& with, net::RequestHead head, std::string_view body = {},
                        std::string payload_hash = {}) {
    if (payload_hash.empty()) {
      payload_hash = crypto::sha256_hex(body);
    }
    crypto::sigv4::SignedRequest request{head.method, head.path(), head.query(), {}};
    for (const auto& [name, value] : head.headers.fields()) {
      request.headers.emplace_back(name, value);
    }
    for (auto& [name, value] :
         crypto::sigv4::sign(request, {with.key_id, with.secret, {}}, with.region, with.service,
                             clock_.now(), payload_hash)) {
      head.headers.add(name, value);
    }
    head.content_length = body.size();
    return head;
  }
  /// The same with a secret that is not this key's.
  static SignWith forged(SignWith with) {
    with.secret = "wrongJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE";
    return with;
  }
  static SignWith for_service(SignWith with, std::string service) {
    with.service = std::move(service);
    return with;
  }

  boost::asio::awaitable<bool> answer_through(net::Exchange& exchange) {
    co_await pipeline_->answer(exchange);
    co_return true;
  }
  Answer send(net::RequestHead head, std::string body = {}) {
    services::FakeExchange exchange(std::move(head), std::move(body));
    services::run_to_value(answer_through(exchange));
    return answer_of(exchange);
  }

  /// The records that are durable.
  std::vector<json::object> records() {
    std::vector<json::object> found;
    for (const auto& stored : journal_.read({}, 1 << 20).value()) {
      found.push_back(json::parse(stored.record.json).as_object());
    }
    return found;
  }
  /// The one record there is; an empty object when there is not one.
  json::object only_record() {
    auto found = records();
    EXPECT_EQ(found.size(), 1U);
    return found.size() == 1 ? found.front() : json::object();
  }

  static constexpr double kLookupRate = 1;

  io::TempFolder folder_{io::TempFolder::fast_parent()};
  std::unique_ptr<io::Filesystem> files_ = io::make_posix_filesystem();
  io::FakeClock clock_{parse_iso("2026-11-24T08:46:13Z").value()};
  io::SeededRandom random_{20261125};
  crypto::Keyring keyring_ =
      crypto::Keyring::open(*files_, random_, io::join_path(folder_.path(), "master.key")).value();
  std::unique_ptr<sql::Database> catalog_ =
      sql::Database::open_sqlite(io::join_path(folder_.path(), "catalog.db")).value();
  std::unique_ptr<iam::Iam> iam_ =
      iam::Iam::open(*catalog_, keyring_, random_, clock_, {"111122223333"}).value();
  TroubledJournal journal_;
  bool wants_data_events_ = false;
  Recorder recorder_{journal_, [this](const record::Record&) { return wants_data_events_; }};
  boost::asio::thread_pool workers_{1};
  std::vector<std::unique_ptr<services::Service>> services_;  ///< Until the pipeline has them.
  std::vector<journal::Offset> history_reads_;
  std::unique_ptr<Pipeline> pipeline_;
  FakeService* cloudtrail_ = nullptr;
  FakeService* query_ = nullptr;
  FakeService* s3_ = nullptr;
  std::string account_;
  SignWith admin_;   ///< May do everything.
  SignWith reader_;  ///< May read trails and look up events.

 private:
  FakeService* add(std::string name, iam::ErrorStyle style) {
    auto service = std::make_unique<FakeService>(std::move(name), style);
    FakeService* kept = service.get();
    services_.push_back(std::move(service));
    return kept;
  }
};

}  // namespace opentrail::server
