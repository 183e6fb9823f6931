#pragma once
#include "io/faulty_filesystem.h"
#include "journal/journal.h"
#include "journal/synthetic_records.h"

#include <chrono>
#include <latch>
#include <memory>

#include <gtest/gtest.h>

/// For tests of the journal: small segments and blocks, and a writer that can be held still.
namespace opentrail::journal {

inline constexpr std::chrono::minutes kLong{1};
inline constexpr std::size_t kAll = 1 << 30;

inline JournalOptions small_options() {
  JournalOptions options;
  options.folder = "data/journal";
  options.segment_bytes_max = 4000;
  options.block_bytes_max = 3000;
  return options;
}

inline std::unique_ptr<Journal> open_journal(io::Filesystem& files,
                                             const JournalOptions& options = small_options()) {
  return Journal::open(files, options).value();
}

/// Appends records [first, first + count) one batch each, and waits for the last.
inline void append_each(Journal& journal, std::uint64_t first, std::uint64_t count) {
  for (std::uint64_t i = first; i < first + count; ++i) {
    ASSERT_EQ(journal.append_and_wait({synthetic::make_record(i)}).value(), Offset{i});
  }
}

/// Everything in the journal is records [begin(), end) of the synthetic ones, read in steps.
inline void expect_records(Journal& journal, std::uint64_t end, std::size_t bytes_max = kAll) {
  ASSERT_EQ(journal.durable_end(), Offset{end});
  Offset next = journal.begin();
  while (value(next) < end) {
    const auto part = journal.read(next, bytes_max);
    ASSERT_TRUE(part) << part.error().message();
    ASSERT_FALSE(part->empty());
    for (const StoredRecord& stored : *part) {
      ASSERT_EQ(stored.offset, next);
      ASSERT_TRUE(synthetic::same(stored.record, synthetic::make_record(value(next))))
          << value(next);
      next = next + 1;
    }
  }
  EXPECT_TRUE(journal.read(Offset{end}, bytes_max).value().empty());
  EXPECT_TRUE(journal.read(Offset{end + 100}, bytes_max).value().empty());
}

/// Holds the writer inside a Done until released.
class HeldWriter {
 public:
  explicit HeldWriter(Journal& journal, std::uint64_t n = 0) {
    const auto appended =
        journal.append({synthetic::make_record(n)}, [latches = latches_](const Result<Offset>&) {
          latches->held.count_down();
          latches->released.wait();
        });
    OT_CHECK(appended.has_value());
    latches_->held.wait();
  }
  ~HeldWriter() { release(); }
  HeldWriter(const HeldWriter&) = delete;
  HeldWriter& operator=(const HeldWriter&) = delete;
  void release() {
    if (!latches_->released.try_wait()) {
      latches_->released.count_down();
    }
  }

 private:
  struct Latches {
    std::latch held{1};
    std::latch released{1};
  };
  /// The writer may still be looking at them when the test goes on.
  std::shared_ptr<Latches> latches_ = std::make_shared<Latches>();
};

}  // namespace opentrail::journal
