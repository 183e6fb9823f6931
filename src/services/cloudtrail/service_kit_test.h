#pragma once
#include "base/json.h"
#include "history/fake_history.h"
#include "io/filesystem.h"
#include "io/temp_folder.h"
#include "services/cloudtrail/cloudtrail_service.h"
#include "services/fake_exchange.h"
#include "sql/database.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

/// For tests of the CloudTrail service: real trails and iam over a catalog in a fresh folder, with
/// delivery and history that do as they are told.
namespace opentrail::services::cloudtrail {

class FakeDelivery final : public delivery::Delivery {
 public:
  void start() override {}
  void run_due(Timestamp) override {}
  void stop() override {}
  [[nodiscard]] delivery::DeliveryStatus status(std::int64_t) const override { return status_; }
  Result<void> check_bucket(const catalog::Trail& trail) override {
    checked_.push_back(trail.config.bucket + "/" + trail.config.key_prefix);
    if (trail.config.bucket == "missing") {
      return fail(ErrorCode::NotFound, "no such bucket", "NoSuchBucket");
    }
    if (trail.config.bucket == "closed") {
      return fail(ErrorCode::PermissionDenied, "denied", "AccessDenied");
    }
    if (trail.config.bucket == "slow") {
      return fail(ErrorCode::Unavailable, "the object store does not answer");
    }
    return {};
  }
  Result<std::vector<delivery::PublicKey>> public_keys(const std::string& region, Timestamp from,
                                                       Timestamp to) override {
    return std::vector<delivery::PublicKey>{{"key of " + region, "finger", from, to}};
  }
  [[nodiscard]] bool wanted(const record::Record&) const override { return false; }
  [[nodiscard]] journal::Offset needed_from() const override { return {}; }

  delivery::DeliveryStatus status_;
  std::vector<std::string> checked_;  ///< "bucket/prefix" of each check.
};

class FakeHistory : public history::FakeHistory {
 public:
  Result<history::LookupPage> lookup(const history::LookupQuery& query) override {
    last_query_ = query;
    if (query.next_token == "stale") {
      return fail(ErrorCode::InvalidArgument, "another query's", "InvalidNextToken");
    }
    if (query.next_token == "broken") {
      return fail(ErrorCode::Unavailable, "the journal failed");
    }
    return page_;
  }

  std::optional<history::LookupQuery> last_query_;
  history::LookupPage page_;
};

/// What came of one call.
struct Called {
  Operation operation;
  int status = 0;
  json::value body;
  std::string error_code;  ///< Of the wire; empty when it went well.
  std::string message;
  Outcome outcome;
};

class CloudTrailTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kFirstRecord = 100;

  CloudTrailTest() {
    iam_->bootstrap().value();
    admin_.account_id = iam_->account_id();
    admin_.user_name = "admin";
    admin_.principal_id = iam_->user(admin_.account_id, "admin").value().user_id;
    admin_.arn = "arn:aws:iam::111122223333:user/admin";
    admin_.verified = true;
  }
  ~CloudTrailTest() override { workers_.join(); }

  /// Calls as the pipeline does; the record of each call takes the next place in the journal.
  Called call(const std::string& operation, const std::string& input,
              const std::string& region = "us-east-1") {
    net::RequestHead head;
    head.method = "POST";
    head.target = "/";
    head.headers.add("X-Amz-Target", "CloudTrail_20131101." + operation);
    for (const auto& [name, value] : extra_headers_) {
      head.headers.add(name, value);
    }
    FakeExchange exchange(head);
    Call one = make_call(exchange, caller_ ? *caller_ : admin_, input);
    one.region = region;
    one.claim.signed_headers = signed_headers_;
    Called called;
    called.operation = service_.identify(one);
    called.outcome = called.operation.error
                         ? service_.error_answer(head, *called.operation.error, one.request_id)
                         : run_to_value(service_.handle(one, called.operation));
    if (called.outcome.on_recorded) {
      called.outcome.on_recorded(journal::Offset{next_record_});
    }
    ++next_record_;
    called.status = called.outcome.head.status;
    called.body = json::parse(called.outcome.body);
    called.error_code = string_member(called.body.get_object(), "__type");
    called.message = string_member(called.body.get_object(), "Message",
                                   string_member(called.body.get_object(), "message"));
    return called;
  }
  void create(const std::string& name, const std::string& more = "",
              const std::string& region = "us-east-1") {
    const auto made = call(
        "CreateTrail", R"({"Name":")" + name + R"(","S3BucketName":"logs")" + more + "}", region);
    ASSERT_EQ(made.error_code, "") << made.message;
  }
  catalog::TrailStore::TrailVersions versions(const std::string& name) {
    for (auto& entry : trails_->all_versions()) {
      if (entry.trail.name == name) {
        return entry;
      }
    }
    return {};
  }
  [[nodiscard]] static std::string arn(const std::string& name,
                                       const std::string& region = "us-east-1") {
    return "arn:aws:cloudtrail:" + region + ":111122223333:trail/" + name;
  }

  io::TempFolder folder_;
  std::unique_ptr<io::Filesystem> files_ = io::make_posix_filesystem();
  io::FakeClock clock_{Timestamp(std::chrono::seconds{1'795'000'000})};
  io::SeededRandom random_{1};
  crypto::Keyring keyring_ =
      crypto::Keyring::open(*files_, random_, io::join_path(folder_.path(), "master.key")).value();
  std::unique_ptr<sql::Database> catalog_ =
      sql::Database::open_sqlite(io::join_path(folder_.path(), "catalog.db")).value();
  std::unique_ptr<iam::Iam> iam_ =
      iam::Iam::open(*catalog_, keyring_, random_, clock_, {"111122223333"}).value();
  std::unique_ptr<catalog::TrailStore> trails_ = catalog::TrailStore::open(*catalog_).value();
  FakeDelivery delivery_;
  FakeHistory history_;
  asio::thread_pool workers_{1};
  CloudTrailService service_{CloudTrailParts{*trails_,
                                             delivery_,
                                             history_,
                                             *iam_,
                                             clock_,
                                             workers_,
                                             {"us-east-1", "us-west-2", "eu-west-1"}}};
  iam::Caller admin_;
  std::optional<iam::Caller> caller_;  ///< Instead of admin.
  std::vector<std::pair<std::string, std::string>> extra_headers_;
  std::vector<std::string> signed_headers_ = {"host"};
  std::uint64_t next_record_ = kFirstRecord;
};

}  // namespace opentrail::services::cloudtrail
