#pragma once
#include "history/history.h"
#include "io/clock.h"
#include "io/faulty_filesystem.h"
#include "io/random.h"
#include "journal/fake_journal.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

/// For tests of History: records as JSON through a journal in memory, and a clock that stands.
namespace opentrail::history {

inline constexpr Timestamp kNow{std::chrono::seconds(1'795'510'000)};
inline constexpr std::string_view kAccount = "111122223333";
inline constexpr std::string_view kRegion = "us-east-1";

/// What a test says of a record; the rest is alike.
struct Sample {
  std::string id;
  Timestamp time = kNow;
  std::string account{kAccount};
  std::string region{kRegion};
  std::string name = "CreateTrail";
  std::string source = "cloudtrail.amazonaws.com";
  std::string user = "alice";
  std::string key = "AKIAALICE";
  bool read_only = false;
  std::string category = "Management";
  std::string resources{};
};

inline record::Record make(const Sample& sample) {
  return record::parse_record(
             fmt::format(R"({{"eventID":"{}","eventTime":"{}","recipientAccountId":"{}",)"
                         R"("awsRegion":"{}","eventName":"{}","eventSource":"{}",)"
                         R"("userIdentity":{{"type":"IAMUser","userName":"{}",)"
                         R"("accessKeyId":"{}"}},"readOnly":{},"eventCategory":"{}",)"
                         R"("resources":[{}]}})",
                         sample.id, to_iso_seconds(sample.time), sample.account, sample.region,
                         sample.name, sample.source, sample.user, sample.key, sample.read_only,
                         sample.category, sample.resources),
             record::Origin::Call, sample.time)
      .value();
}

inline LookupQuery query_of(std::optional<LookupFilter> filter = std::nullopt) {
  LookupQuery query;
  query.account_id = kAccount;
  query.region = kRegion;
  query.filter = std::move(filter);
  return query;
}

inline std::vector<std::string> ids_of(const LookupPage& page) {
  std::vector<std::string> ids;
  for (const FoundEvent& event : page.events) {
    ids.push_back(event.fields.event_id);
  }
  return ids;
}

using Ids = std::vector<std::string>;

class HistoryTest : public testing::Test {
 protected:
  ~HistoryTest() override { journal_.on_commit(nullptr); }
  void open() {
    journal_.on_commit(nullptr);
    history_.reset();
    history_ = History::open(files_, journal_, clock_, random_, options_).value();
    journal_.on_commit([this](journal::Offset) { history_->wake(); });
  }
  journal::Offset add(const Sample& sample) { return journal_.add(make(sample)); }
  Ids lookup_ids(const LookupQuery& query) { return ids_of(history_->lookup(query).value()); }
  Ids lookup_ids(LookupKey key, std::string value) {
    return lookup_ids(query_of(LookupFilter{.key = key, .value = std::move(value)}));
  }
  Ids all_pages(LookupQuery query) {
    Ids ids;
    do {
      const LookupPage page = history_->lookup(query).value();
      EXPECT_LE(page.events.size(), query.results_max);
      const Ids of_page = ids_of(page);
      ids.insert(ids.end(), of_page.begin(), of_page.end());
      query.next_token = page.next_token;
    } while (!query.next_token.empty());
    return ids;
  }

  io::FaultyFilesystem files_{1};
  io::SeededRandom random_{1};
  HistoryOptions options_{.folder = "history"};
  journal::FakeJournal journal_;
  io::FakeClock clock_{kNow};
  std::unique_ptr<History> history_;
};

}  // namespace opentrail::history
