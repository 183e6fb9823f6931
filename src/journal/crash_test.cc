// Goal: no acknowledged record is ever lost, changed, doubled or moved, wherever the power goes and
// whatever the disk refuses. Method: many seeded lives of one journal on the faulty disk
// (io/faulty_filesystem.h). A life opens the journal, appends, sometimes drops, and is cut short by
// a power cut or a failing call at a random place; the next one is compared with an oracle: all
// that was acknowledged at its offset, and behind it at most a prefix of what was appended; what a
// full disk had taken back is not there. Every other seed writes with a dictionary.
#include "base/log.h"
#include "base/mutex.h"
#include "io/faulty_filesystem.h"
#include "journal/journal.h"
#include "journal/synthetic_records.h"

#include <array>

#include <gtest/gtest.h>

namespace opentrail::journal {
namespace {

constexpr std::uint64_t kSeeds = 200;
constexpr int kLives = 8;
constexpr std::size_t kAll = 1 << 30;
constexpr std::chrono::minutes kLong{1};

JournalOptions options_of(std::uint64_t seed) {
  static const auto dictionary = synthetic::make_dictionary();
  const bool with = seed % 2 == 0;
  return {.folder = "data/journal",
          .segment_bytes_max = with ? 12000U : 6000U,
          .queue_bytes_max = 1 << 20,
          .block_bytes_max = 2500,
          .recent_bytes_max = seed % 3 * 4000,
          .dictionary_sample_bytes = seed % 5 == 0 ? 40000U : 0U,
          .dictionary = with ? dictionary : nullptr,
          .retry_interval = std::chrono::milliseconds(1)};
}

class JournalCrash : public testing::TestWithParam<std::uint64_t> {
 public:
  JournalCrash() : random_(GetParam() * 1000), disk_(GetParam()), options_(options_of(GetParam())) {
    log::set_level(log::Level::Off);  // failures are what this is about
  }
  ~JournalCrash() override { log::set_level(log::Level::Info); }
  JournalCrash(const JournalCrash&) = delete;
  JournalCrash& operator=(const JournalCrash&) = delete;

 protected:
  std::uint64_t pick(std::uint64_t below) {
    std::array<std::byte, 4> bytes{};
    random_.fill(bytes);
    std::uint64_t number = 0;
    for (const std::byte b : bytes) {
      number = number << 8U | std::to_integer<std::uint64_t>(b);
    }
    return number % below;
  }

  /// A new record that the oracle knows; its offset is its place in written_.
  record::Record next_record() {
    const std::uint64_t noise_bytes = pick(3) == 0 ? pick(4000) : 0;
    written_.push_back(pick(2) == 0 ? synthetic::make_record(made_, noise_bytes)
                                    : synthetic::make_parsed_record(made_, noise_bytes));
    ++made_;
    return written_.back();
  }

  /// Appends a batch and notes when it is acknowledged; false once the journal refuses.
  bool append(Journal& journal) {
    const std::uint64_t count = 1 + pick(4);
    std::vector<record::Record> batch;
    batch.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      batch.push_back(next_record());
    }
    const auto first = journal.append(std::move(batch), [this, count](Result<Offset> offset) {
      const MutexLock lock(mutex_);
      if (offset && value(*offset) == acknowledged_) {
        acknowledged_ += count;
      } else if (offset) {
        out_of_order_ = true;
      }
    });
    if (!first) {
      EXPECT_EQ(first.error().code(), ErrorCode::Unavailable);
      written_.resize(written_.size() - count);
      return false;
    }
    // Those before it that are not there any more were taken back.
    const std::uint64_t expected = written_.size() - count;
    EXPECT_LE(value(*first), expected);
    written_.erase(written_.begin() + static_cast<std::ptrdiff_t>(value(*first)),
                   written_.begin() + static_cast<std::ptrdiff_t>(expected));
    return true;
  }

  std::uint64_t acknowledged() {
    const MutexLock lock(mutex_);
    EXPECT_FALSE(out_of_order_);
    return acknowledged_;
  }

  /// Uses the journal until it breaks or `batches` are appended.
  void live(Journal& journal, std::uint64_t batches) {
    for (std::uint64_t i = 0; i < batches; ++i) {
      if (!append(journal)) {
        break;
      }
      if (pick(3) == 0) {
        const auto waited = journal.wait_durable(journal.end(), kLong);
        EXPECT_TRUE(waited || waited.error().code() == ErrorCode::Unavailable ||
                    waited.error().code() == ErrorCode::ResourceExhausted);
      }
      if (pick(10) == 0) {
        dropped_before_ = std::max(dropped_before_, acknowledged() / 2);
        const auto dropped = journal.drop_before(Offset{dropped_before_});
        EXPECT_TRUE(dropped || dropped.error().code() != ErrorCode::Corruption);
      }
    }
    journal.stop();
    EXPECT_GE(value(journal.durable_end()), acknowledged());
    const auto failure = journal.failure();
    if (!failure || failure->code() == ErrorCode::ResourceExhausted) {
      EXPECT_EQ(value(journal.end()), acknowledged());
      written_.resize(acknowledged());  // nothing else may ever be found
    }
  }

  /// Opens without any fault, compares with the oracle, and takes over what was found.
  std::unique_ptr<Journal> open_and_compare() {
    auto opened = Journal::open(disk_, options_);
    if (!opened) {
      ADD_FAILURE() << opened.error().message();
      return nullptr;
    }
    compare_records(**opened);
    take_over(**opened);
    return *std::move(opened);
  }

  /// From here on the oracle holds what the journal says is durable.
  void take_over(const Journal& journal) {
    const std::uint64_t end = value(journal.end());
    EXPECT_GE(end, acknowledged()) << "acknowledged records are lost";
    EXPECT_LE(end, written_.size());
    EXPECT_EQ(journal.durable_end(), journal.end());
    EXPECT_LE(value(journal.begin()), dropped_before_);
    written_.resize(std::min<std::size_t>(written_.size(), end));
    const MutexLock lock(mutex_);
    acknowledged_ = end;
  }

  void compare_records(Journal& journal) {
    if (journal.begin() == journal.end()) {
      return;
    }
    const auto found = journal.read(journal.begin(), kAll);
    ASSERT_TRUE(found) << found.error().message();
    std::uint64_t offset = value(journal.begin());
    for (const StoredRecord& stored : *found) {
      ASSERT_EQ(value(stored.offset), offset);
      ASSERT_LT(offset, written_.size());
      ASSERT_TRUE(synthetic::same(stored.record, written_[offset])) << "at offset " << offset;
      ++offset;
    }
    ASSERT_EQ(offset, value(journal.end()));
  }

  io::SeededRandom random_;
  io::FaultyFilesystem disk_;
  const JournalOptions options_;
  std::vector<record::Record> written_;  ///< By offset: all that may be in the journal.
  std::uint64_t made_ = 0;
  std::uint64_t dropped_before_ = 0;
  Mutex mutex_;
  std::uint64_t acknowledged_ GUARDED_BY(mutex_) = 0;
  bool out_of_order_ GUARDED_BY(mutex_) = false;
};

TEST_P(JournalCrash, AcknowledgedRecordsSurvivePowerCuts) {
  for (int i = 0; i < kLives && !HasFailure(); ++i) {
    SCOPED_TRACE(testing::Message() << "life " << i);
    disk_.stop_at_call(1 + pick(80));
    if (const auto journal = Journal::open(disk_, options_)) {
      live(**journal, pick(40));
    }
    disk_.crash();
    (void)open_and_compare();  // and goes again, at once
    if (pick(2) == 0) {
      disk_.crash();
    }
  }
  (void)open_and_compare();
}

TEST_P(JournalCrash, AcknowledgedRecordsSurviveFailingCallsAndThenAPowerCut) {
  for (int i = 0; i < kLives && !HasFailure(); ++i) {
    SCOPED_TRACE(testing::Message() << "life " << i);
    disk_.fail_call(1 + pick(60), Error(ErrorCode::ResourceExhausted, "no space left on device"));
    if (const auto journal = Journal::open(disk_, options_)) {
      live(**journal, 10 + pick(20));
    }
    // Opened again with the same pages in memory: what they hold was perhaps never written, and the
    // next sync would not write it either. What is now read as durable must be so.
    for (std::uint64_t again = pick(3); again > 0; --again) {
      disk_.fail_call(1 + pick(30), Error(ErrorCode::Unavailable, "input/output error"));
      if (const auto journal = Journal::open(disk_, options_)) {
        take_over(**journal);
      }
    }
    if (const auto journal = Journal::open(disk_, options_)) {
      take_over(**journal);
      live(**journal, pick(5));
    }
    disk_.crash();
    (void)open_and_compare();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, JournalCrash, testing::Range<std::uint64_t>(1, kSeeds + 1));

}  // namespace
}  // namespace opentrail::journal
