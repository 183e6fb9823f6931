// Goal: the history answers what a plain list of the acknowledged records answers, at any moment,
// whatever was sealed, merged, dropped, restarted or cut short by a power cut in between.
// Method: random lives of a journal and a history on one faulty disk, printed seeds. A life appends
// and asks; it ends by a clean stop or by a power cut at a random call; the next one must hold all
// that was acknowledged, and behind it at most a prefix of what was appended, and nothing else.
#include "history/history_model.h"

#include "base/log.h"
#include "base/mutex.h"
#include "io/faulty_filesystem.h"
#include "journal/synthetic_records.h"

#include <gtest/gtest.h>

namespace opentrail::history {
namespace {

using journal::Offset;
using model::Dice;

constexpr std::uint64_t kSeeds = 8;
constexpr int kLives = 9;
constexpr std::size_t kRecordsMax = 2200;
constexpr std::chrono::minutes kLong{1};

journal::JournalOptions journal_options(std::uint64_t seed) {
  static const auto dictionary = journal::synthetic::make_dictionary();
  return {.folder = "data/journal",
          .segment_bytes_max = 30'000,
          .block_bytes_max = seed % 3 == 0 ? 3000U : 8U << 10,
          .recent_bytes_max = seed % 4 * 100'000,
          .dictionary_sample_bytes = seed % 5 == 0 ? 100'000U : 0U,
          .dictionary = seed % 2 == 0 ? dictionary : nullptr,
          .retry_interval = std::chrono::milliseconds(1)};
}

class HistoryModel : public testing::TestWithParam<std::uint64_t> {
 public:
  HistoryModel()
      : dice_(GetParam()),
        disk_(GetParam()),
        random_(GetParam()),
        maker_(GetParam() + 1000),
        queries_(GetParam() + 2000, plain_) {
    log::set_level(log::Level::Off);  // failures are what this is about
  }
  ~HistoryModel() override {
    close();
    log::set_level(log::Level::Info);
  }
  HistoryModel(const HistoryModel&) = delete;
  HistoryModel& operator=(const HistoryModel&) = delete;

 protected:
  Result<void> open() {
    OT_TRY(journal_, journal::Journal::open(disk_, journal_options(GetParam())));
    auto opened = History::open(disk_, *journal_, clock_, random_,
                                {.retention = std::chrono::days(10),
                                 .folder = "data/history",
                                 .seal_records = 200,
                                 .segment_records_max = 3000,
                                 .retry_interval = std::chrono::milliseconds(1)});
    if (!opened) {
      journal_->stop();
      journal_.reset();
      return std::unexpected(std::move(opened).error());
    }
    history_ = *std::move(opened);
    journal_->on_commit([this](Offset) { history_->wake(); });
    return {};
  }
  void close() {
    if (journal_) {
      journal_->stop();
      history_.reset();
      journal_.reset();
    }
  }
  /// The oracle learns how much of what was in flight is there.
  void take_over() {
    const std::uint64_t end = value(journal_->durable_end());
    ASSERT_GE(end, acknowledged()) << "acknowledged records are lost";
    ASSERT_LE(end, plain_.size());
    plain_.cut(end);
    const MutexLock lock(mutex_);
    acknowledged_ = end;
  }
  void reopen() {
    const auto opened = open();
    ASSERT_TRUE(opened) << opened.error().message();
    take_over();
  }

  std::uint64_t acknowledged() {
    const MutexLock lock(mutex_);
    return acknowledged_;
  }

  // ---- what a life does

  /// False once the journal refuses.
  bool append() {
    if (plain_.size() > kRecordsMax) {
      return true;
    }
    const std::size_t count = dice_.one_in(40)  ? 1 + dice_.below(3000)
                              : dice_.one_in(6) ? 100 + dice_.below(400)
                                                : 1 + dice_.below(30);
    auto batch = maker_.batch(count, clock_.now(), plain_.records());
    plain_.append(batch);
    const auto first = journal_->append(std::move(batch), [this, count](Result<Offset> offset) {
      if (offset) {
        const MutexLock lock(mutex_);
        acknowledged_ = value(*offset) + count;
      }
    });
    if (!first) {
      EXPECT_TRUE(disk_.stopped()) << first.error().message();
      plain_.cut(plain_.size() - count);
      return false;
    }
    EXPECT_EQ(value(*first) + count, plain_.size());
    return true;
  }

  void step() {
    switch (dice_.below(24)) {
      case 0:
        history_->wait_settled();
        break;
      case 1:
        static_cast<void>(journal_->wait_durable(journal_->end(), kLong));
        break;
      case 2:
        static_cast<void>(journal_->drop_before(history_->needed_from()));
        break;
      case 3:
        clock_.advance(std::chrono::minutes(dice_.below(dice_.one_in(3) ? 3000 : 60)));
        history_->wake();
        break;
      case 4:
      case 5:
        check_lookup();
        break;
      case 6:
        check_search();
        break;
      case 7:
        check_count();
        break;
      case 8:
        check_ids();
        break;
      default:
        append();
        break;
    }
  }

  // ---- comparing

  /// An answer may be missing when the power is gone, and only then.
  template <typename T>
  bool answered(const Result<T>& answer) {
    if (!answer && !disk_.stopped()) {
      ADD_FAILURE() << answer.error().message();
    }
    return answer.has_value();
  }
  Timestamp oldest() const { return history_->oldest_kept(); }

  void expect_events(const std::vector<FoundEvent>& events,
                     const std::vector<std::size_t>& expected, std::size_t from) {
    ASSERT_LE(from + events.size(), expected.size()) << "more than there is";
    for (std::size_t i = 0; i < events.size(); ++i) {
      const record::Record& record = plain_.records()[expected[from + i]];
      ASSERT_EQ(events[i].json, record.json) << "result " << from + i;
      ASSERT_EQ(events[i].event_time, record.event_time);
    }
  }

  /// All pages. Between two of them anything may happen.
  template <typename Query, typename Ask>
  void check_pages(Query query, const Ask& ask) {
    const std::size_t end = plain_.size();
    const auto all = plain_.find(query, oldest(), end);
    std::size_t seen = 0;
    for (;;) {
      const auto page = ask(query);
      if (!answered(page)) {
        return;
      }
      // What aged out since the first page is not shown any more.
      expect_events(page->events, all, seen);
      seen += page->events.size();
      if (page->next_token.empty()) {
        break;
      }
      ASSERT_EQ(page->events.size(), query.results_max);
      query.next_token = page->next_token;
      query.results_max = 1 + dice_.below(kResultsMax);
      if (dice_.one_in(4)) {
        append();
      }
      if (dice_.one_in(30) && !disk_.stopped()) {
        close();
        const auto opened = open();
        if (!answered(opened)) {
          return;
        }
        take_over();
      }
      if (HasFatalFailure()) {
        return;
      }
    }
    ASSERT_EQ(seen, all.size()) << "silently shorter";
  }

  void check_lookup() {
    const LookupQuery query = queries_.lookup();
    SCOPED_TRACE(fmt::format("lookup by {} = {}",
                             query.filter ? static_cast<int>(query.filter->key) : -1,
                             query.filter ? query.filter->value : ""));
    check_pages(query, [this](const LookupQuery& one) { return history_->lookup(one); });
  }
  void check_search() {
    const SearchQuery query = queries_.search();
    SCOPED_TRACE("search for " + search::to_text(query.where));
    check_pages(query, [this](const SearchQuery& one) { return history_->search(one); });
  }
  void check_count() {
    const CountQuery query = queries_.count();
    SCOPED_TRACE(fmt::format("count by {} of {}", query.by ? record::to_string(*query.by) : "-",
                             search::to_text(query.query.where)));
    const auto counts = history_->count(query);
    if (!answered(counts)) {
      return;
    }
    const Counts expected = plain_.count(query, oldest());
    EXPECT_EQ(counts->total, expected.total);
    EXPECT_EQ(counts->values, expected.values);
    expect_buckets(counts->buckets, expected.buckets);
    ASSERT_EQ(counts->groups.size(), expected.groups.size());
    for (std::size_t i = 0; i < expected.groups.size(); ++i) {
      EXPECT_EQ(counts->groups[i].value, expected.groups[i].value);
      EXPECT_EQ(counts->groups[i].count, expected.groups[i].count);
      expect_buckets(counts->groups[i].buckets, expected.groups[i].buckets);
    }
  }
  static void expect_buckets(const std::vector<CountBucket>& found,
                             const std::vector<CountBucket>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].start, expected[i].start);
      EXPECT_EQ(found[i].count, expected[i].count);
    }
  }
  void check_ids() {
    for (int i = 0; i < 4; ++i) {
      const std::string id = queries_.id();
      SCOPED_TRACE(id);
      const auto known = history_->contains(id);
      const auto hash = history_->content_hash(id);
      const auto expected = plain_.content_hash(id, oldest());
      if (answered(known)) {
        EXPECT_EQ(*known, expected.has_value());
      }
      if (answered(hash)) {
        EXPECT_EQ(*hash, expected);
      }
    }
  }
  /// Every record of every category, and one question of each kind.
  void check_everything() {
    SearchQuery all;
    search::Test category;
    category.target = {
        .kind = search::Target::Kind::Field, .field = record::Field::EventCategory, .path = {}};
    category.op = search::Operator::Exists;
    all.where = search::make_or({search::make_test(category), Expression{}});
    all.results_max = kSearchResultsMax;
    all.direction = dice_.one_in(2) ? Direction::NewestFirst : Direction::OldestFirst;
    const auto expected = plain_.find(all, oldest(), plain_.size());
    std::size_t seen = 0;
    do {
      const auto page = history_->search(all);
      ASSERT_TRUE(page) << page.error().message();
      expect_events(page->events, expected, seen);
      seen += page->events.size();
      all.next_token = page->next_token;
    } while (!all.next_token.empty() && !HasFatalFailure());
    ASSERT_EQ(seen, expected.size());
    EXPECT_GE(history_->size(), expected.size());
    check_lookup();
    check_search();
    check_count();
    check_ids();
  }

  using Expression = search::Expression;

  Dice dice_;
  io::FaultyFilesystem disk_;
  io::SeededRandom random_;
  io::FakeClock clock_{model::kStart};
  model::PlainHistory plain_;
  model::RecordMaker maker_;
  model::QueryMaker queries_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<History> history_;
  Mutex mutex_;
  std::uint64_t acknowledged_ GUARDED_BY(mutex_) = 0;
};

TEST_P(HistoryModel, AnswersWhatAPlainListDoes) {
  reopen();
  for (int i = 0; i < 300 && !HasFailure(); ++i) {
    SCOPED_TRACE(testing::Message() << "step " << i);
    step();
    if (dice_.one_in(60)) {
      close();
      reopen();
    }
  }
  ASSERT_FALSE(HasFailure());
  check_everything();
  EXPECT_TRUE(history_->wait_settled());
  EXPECT_EQ(history_->failure(), std::nullopt);
  check_everything();
}

TEST_P(HistoryModel, HoldsWhatWasAcknowledgedWhereverThePowerGoes) {
  for (int life = 0; life < kLives && !HasFailure(); ++life) {
    SCOPED_TRACE(testing::Message() << "life " << life);
    disk_.stop_at_call(1 + dice_.below(life % 2 == 0 ? 120 : 600));
    if (open()) {
      take_over();
      for (int i = 0; i < 60 && !disk_.stopped() && !HasFailure(); ++i) {
        SCOPED_TRACE(testing::Message() << "step " << i);
        step();
      }
    }
    close();
    ASSERT_FALSE(HasFailure());
    disk_.crash();
    reopen();
    ASSERT_FALSE(HasFailure());
    check_everything();
    close();
    if (dice_.one_in(2)) {
      disk_.crash();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, HistoryModel, testing::Range<std::uint64_t>(1, kSeeds + 1));

}  // namespace
}  // namespace opentrail::history
