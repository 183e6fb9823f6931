// Goal: the journal drops what both readers have passed and nothing more, again after a failure,
// and the thread ends at once when it is told. Method: readers whose places the test sets, and a
// journal that says when it is asked to drop.
#include "server/journal_retention.h"

#include "history/fake_history.h"

#include <future>
#include <mutex>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace opentrail::server {
namespace {

using journal::Offset;
using std::chrono::milliseconds;

class FixedHistory final : public history::FakeHistory {
 public:
  explicit FixedHistory(Offset needed) : needed_(needed) {}
  [[nodiscard]] Offset needed_from() const override { return needed_; }
  [[nodiscard]] Offset applied_end() const override { return needed_; }

 private:
  Offset needed_;
};

class FixedDelivery final : public delivery::Delivery {
 public:
  explicit FixedDelivery(Offset needed) : needed_(needed) {}
  void start() override {}
  void run_due(Timestamp) override {}
  void stop() override {}
  [[nodiscard]] delivery::DeliveryStatus status(std::int64_t) const override { return {}; }
  Result<void> check_bucket(const catalog::Trail&) override { return {}; }
  Result<std::vector<delivery::PublicKey>> public_keys(const std::string&, Timestamp,
                                                       Timestamp) override {
    return {};
  }
  [[nodiscard]] bool wanted(const record::Record&) const override { return false; }
  [[nodiscard]] Offset needed_from() const override { return needed_; }

 private:
  Offset needed_;
};

/// Notes what it is asked to drop; the first time it cannot.
class DroppingJournal final : public journal::Journal {
 public:
  Result<Offset> append(std::vector<record::Record>, Done) override {
    return fail(ErrorCode::Unavailable, "not asked for here");
  }
  std::optional<Error> failure() const override { return std::nullopt; }
  Offset end() const override { return {}; }
  Offset durable_end() const override { return {}; }
  Offset begin() const override { return {}; }
  Result<void> wait_durable(Offset, milliseconds) override { return {}; }
  Result<std::vector<journal::StoredRecord>> read(Offset, std::size_t) override { return {}; }
  void on_commit(std::function<void(Offset)>) override {}
  Result<void> drop_before(Offset offset) override {
    const std::lock_guard lock(mutex_);
    dropped_.push_back(offset);
    if (dropped_.size() == 1) {
      return fail(ErrorCode::Unavailable, "unlink: Input/output error");
    }
    if (dropped_.size() == 2) {
      second_.set_value();
    }
    return {};
  }
  const journal::RecoveryReport& recovery() const override { return report_; }
  void stop() override {}

  void wait_for_second() { second_.get_future().wait(); }
  std::vector<Offset> dropped() {
    const std::lock_guard lock(mutex_);
    return dropped_;
  }

 private:
  std::mutex mutex_;
  std::vector<Offset> dropped_;
  std::promise<void> second_;
  journal::RecoveryReport report_;
};

void expect_drops(Offset history_needs, Offset delivery_needs, Offset expected) {
  DroppingJournal journal;
  FixedHistory history(history_needs);
  FixedDelivery delivery(delivery_needs);
  const JournalRetention retention(journal, history, delivery, milliseconds(1));
  journal.wait_for_second();
  for (const Offset offset : journal.dropped()) {
    EXPECT_EQ(offset, expected);
  }
}

TEST(JournalRetention, DropsWhatBothReadersHavePassed) {
  expect_drops(Offset{7}, Offset{9}, Offset{7});
  expect_drops(Offset{9}, Offset{7}, Offset{7});
}

TEST(JournalRetention, EndsWithoutWaitingForItsInterval) {
  DroppingJournal journal;
  FixedHistory history(Offset{1});
  FixedDelivery delivery(Offset{1});
  {
    const JournalRetention retention(journal, history, delivery);
  }
  EXPECT_TRUE(journal.dropped().empty());
}

}  // namespace
}  // namespace opentrail::server
