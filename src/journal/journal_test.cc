// Goal: the journal keeps its contract: offsets, order, group commit, bounds, reading while it is
// written, dropping and stopping. Method: small segments and blocks on the disk in memory
// (io/faulty_filesystem.h); a Done that waits holds the writer still where order matters.
#include "io/temp_folder.h"
#include "journal/journal_kit_test.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

namespace opentrail::journal {
namespace {

using synthetic::make_record;
using synthetic::make_records;
using synthetic::same;

TEST(Journal, AnEmptyFolderIsAnEmptyJournal) {
  io::FaultyFilesystem files(1);
  const auto journal = open_journal(files);
  EXPECT_EQ(journal->begin(), Offset{0});
  EXPECT_EQ(journal->end(), Offset{0});
  EXPECT_EQ(journal->durable_end(), Offset{0});
  EXPECT_EQ(journal->recovery().bytes_cut, 0U);
  EXPECT_FALSE(journal->failure());
  EXPECT_TRUE(journal->read(Offset{0}, kAll).value().empty());
  EXPECT_TRUE(journal->wait_durable(Offset{0}, std::chrono::milliseconds(0)));
  EXPECT_EQ(journal->wait_durable(Offset{1}, std::chrono::milliseconds(0)).error().code(),
            ErrorCode::Timeout);
}

TEST(Journal, KeepsRecordsOverReopening) {
  const io::TempFolder folder;
  const auto files = io::make_posix_filesystem();
  JournalOptions options = small_options();
  options.folder = io::join_path(folder.path(), "a/journal");
  for (std::uint64_t round = 0; round < 4; ++round) {
    const auto journal = open_journal(*files, options);
    ASSERT_EQ(journal->end(), Offset{round * 25});
    append_each(*journal, round * 25, 15);
    ASSERT_EQ(journal->append_and_wait(make_records(round * 25 + 15, 10)).value(),
              Offset{round * 25 + 15});
    expect_records(*journal, (round + 1) * 25);
  }
  EXPECT_GT(files->list(options.folder).value().size(), 3U);
  const auto journal = open_journal(*files, options);
  expect_records(*journal, 100);
  expect_records(*journal, 100, 0);     // one at a time
  expect_records(*journal, 100, 2000);  // more than one, less than a block
}

TEST(Journal, ReadsFromAnyOffset) {
  io::FaultyFilesystem files(1);
  JournalOptions options = small_options();
  options.segment_bytes_max = 400 << 10;  // several steps of the sparse index
  options.block_bytes_max = 20000;
  const auto journal = open_journal(files, options);
  for (std::uint64_t i = 0; i < 300; ++i) {
    ASSERT_TRUE(journal->append_and_wait({make_record(i, 2000)}));
  }
  for (const bool reopened : {false, true}) {
    const auto again = reopened ? open_journal(files, options) : nullptr;
    Journal& read = reopened ? *again : *journal;
    for (std::uint64_t i = 0; i < 300; ++i) {
      const auto found = read.read(Offset{i}, 1).value();
      ASSERT_EQ(found.size(), 1U);
      ASSERT_EQ(found[0].offset, Offset{i});
      ASSERT_TRUE(same(found[0].record, make_record(i, 2000)));
    }
    if (!reopened) {
      journal->stop();
    }
  }
}

TEST(Journal, HandsOutOffsetsAtOnceAndAcknowledgesInOrder) {
  io::FaultyFilesystem files(1);
  const auto journal = open_journal(files);
  std::vector<std::uint64_t> acknowledged;
  std::vector<std::uint64_t> commits;
  journal->on_commit([&commits](Offset end) { commits.push_back(value(end)); });
  {
    HeldWriter held(*journal);
    for (std::uint64_t i = 1; i < 30; i += 2) {
      const auto first =
          journal->append(make_records(i, 2), [&acknowledged, &journal](Result<Offset> offset) {
            ASSERT_GT(journal->durable_end(), *offset);
            acknowledged.push_back(value(*offset));
          });
      ASSERT_EQ(first.value(), Offset{i});
      ASSERT_EQ(journal->end(), Offset{i + 2});
    }
    EXPECT_EQ(journal->durable_end(), Offset{1});
    EXPECT_EQ(journal->wait_durable(Offset{2}, std::chrono::milliseconds(0)).error().code(),
              ErrorCode::Timeout);
  }
  ASSERT_TRUE(journal->wait_durable(Offset{31}, kLong));
  expect_records(*journal, 31);
  journal->stop();
  ASSERT_EQ(acknowledged.size(), 15U);
  EXPECT_TRUE(std::ranges::is_sorted(acknowledged));
  EXPECT_EQ(commits.front(), 1U);
  EXPECT_EQ(commits.back(), 31U);
}

TEST(Journal, OneSyncForAllThatWaits) {
  io::FaultyFilesystem files(1);
  JournalOptions options = small_options();
  options.segment_bytes_max = 64 << 20;
  options.block_bytes_max = 1 << 20;
  const auto journal = open_journal(files, options);
  HeldWriter held(*journal);
  const std::uint64_t before = files.calls();
  for (std::uint64_t i = 1; i <= 200; ++i) {
    ASSERT_TRUE(journal->append({make_record(i)}, nullptr));
  }
  held.release();
  ASSERT_TRUE(journal->wait_durable(Offset{201}, kLong));
  EXPECT_EQ(files.calls() - before, 2U);  // one write, one fdatasync
}

TEST(Journal, WhatNobodyWaitsForIsCommittedTogether) {
  io::FaultyFilesystem files(1);
  JournalOptions options = small_options();
  options.soon_delay = std::chrono::hours(1);
  const auto journal = open_journal(files, options);
  const auto append_soon = [&](std::uint64_t i) {
    EXPECT_EQ(journal->append_soon({make_record(i)}, nullptr).value(), Offset{i});
  };
  int commits = 0;
  journal->on_commit([&](Offset) { ++commits; });
  append_soon(0);
  append_soon(1);
  EXPECT_EQ(journal->durable_end(), Offset{0});
  // Somebody asks for them.
  ASSERT_TRUE(journal->wait_durable(Offset{2}, kLong));
  // Something else is waited for.
  append_soon(2);
  ASSERT_TRUE(journal->append_and_wait({make_record(3)}));
  append_soon(4);
  journal->stop();
  expect_records(*journal, 5);
  EXPECT_EQ(commits, 3);
}

TEST(Journal, WhatNobodyWaitsForIsCommittedSoon) {
  io::FaultyFilesystem files(1);
  std::promise<Result<Offset>> done;  // Outlives the journal's thread.
  const auto journal = open_journal(files);
  ASSERT_TRUE(journal->append_soon(
      {make_record(0)}, [&](Result<Offset> result) { done.set_value(std::move(result)); }));
  EXPECT_EQ(done.get_future().get(), Offset{0});
}

TEST(Journal, MuchIsCommittedAtOnce) {
  io::FaultyFilesystem files(1);
  JournalOptions options = small_options();
  options.soon_delay = std::chrono::hours(1);
  options.queue_bytes_max = 10'000;
  const auto journal = open_journal(files, options);
  for (std::uint64_t i = 0; i < 100; ++i) {
    while (!journal->append_soon({make_record(i)}, nullptr)) {
      std::this_thread::yield();
    }
  }
  ASSERT_TRUE(journal->wait_durable(Offset{100}, kLong));
  expect_records(*journal, 100);
}

TEST(Journal, PushesBackWhenTheQueueIsFull) {
  io::FaultyFilesystem files(1);
  JournalOptions options = small_options();
  options.queue_bytes_max = 20000;
  const auto journal = open_journal(files, options);
  // Larger than the queue, but nothing else waits.
  ASSERT_TRUE(journal->append_and_wait(make_records(0, 40)));
  HeldWriter held(*journal);
  std::uint64_t taken = 0;
  auto appended = journal->append({make_record(taken)}, nullptr);
  while (appended) {
    ++taken;
    appended = journal->append({make_record(taken)}, nullptr);
  }
  EXPECT_EQ(appended.error().code(), ErrorCode::Throttled);
  EXPECT_GT(taken, 5U);
  EXPECT_LT(taken, 20U);
  EXPECT_EQ(journal->end(), Offset{41 + taken});  // a refused batch takes no offset
  held.release();
  ASSERT_TRUE(journal->wait_durable(Offset{41 + taken}, kLong));
  EXPECT_TRUE(journal->append_and_wait({make_record(1)}));
}

TEST(Journal, RefusesWhatItCannotHold) {
  io::FaultyFilesystem files(1);
  const auto journal = open_journal(files);
  EXPECT_EQ(journal->append({}, nullptr).error().code(), ErrorCode::InvalidArgument);
  record::Record large;
  large.id.assign(70000, 'x');
  EXPECT_EQ(journal->append_and_wait({make_record(0), large}).error().code(),
            ErrorCode::InvalidArgument);
  EXPECT_EQ(journal->end(), Offset{0});
  append_each(*journal, 0, 3);
}

TEST(Journal, StopWritesWhatWaitsAndRefusesTheRest) {
  io::FaultyFilesystem files(1);
  auto journal = open_journal(files);
  std::atomic<int> acknowledged = 0;
  for (std::uint64_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(journal->append({make_record(i)}, [&acknowledged](const Result<Offset>& offset) {
      acknowledged += offset.has_value() ? 1 : 0;
    }));
  }
  journal->stop();
  journal->stop();
  EXPECT_EQ(acknowledged, 50);
  EXPECT_EQ(journal->append({make_record(50)}, nullptr).error().code(), ErrorCode::Unavailable);
  EXPECT_EQ(journal->wait_durable(Offset{51}, kLong).error().code(), ErrorCode::Unavailable);
  EXPECT_FALSE(journal->failure());
  expect_records(*journal, 50);  // reading goes on
  journal.reset();
  expect_records(*open_journal(files), 50);
}

TEST(Journal, DropsWholeSegmentsButTheLast) {
  io::FaultyFilesystem files(1);
  auto journal = open_journal(files);
  append_each(*journal, 0, 60);
  const auto segments = files.list("data/journal").value();
  ASSERT_GT(segments.size(), 4U);
  const Offset second{std::stoull(segments[1])};
  const Offset third{std::stoull(segments[2])};

  ASSERT_TRUE(journal->drop_before(Offset{value(second) - 1}));
  EXPECT_EQ(journal->begin(), Offset{0});
  ASSERT_TRUE(journal->drop_before(Offset{value(third) + 1}));
  EXPECT_EQ(journal->begin(), third);
  EXPECT_EQ(files.list("data/journal").value().size(), segments.size() - 2);
  EXPECT_EQ(journal->read(Offset{value(third) - 1}, kAll).error().code(), ErrorCode::NotFound);
  expect_records(*journal, 60);

  ASSERT_TRUE(journal->drop_before(Offset{1000}));
  EXPECT_EQ(files.list("data/journal").value(), std::vector<std::string>{segments.back()});
  const Offset kept = journal->begin();
  append_each(*journal, 60, 1);
  journal.reset();
  journal = open_journal(files);
  EXPECT_EQ(journal->begin(), kept);
  expect_records(*journal, 61);
}

TEST(Journal, GoesOnDroppingAfterAFailedRemoval) {
  io::FaultyFilesystem files(1);
  auto journal = open_journal(files);
  append_each(*journal, 0, 60);
  for (const std::uint64_t call : {1U, 2U}) {  // the removal, the folder's sync
    files.fail_call(call, Error(ErrorCode::Unavailable, "disk"));
    EXPECT_FALSE(journal->drop_before(Offset{1000}));
    EXPECT_EQ(journal->read(Offset{0}, kAll).error().code(), ErrorCode::NotFound);
    expect_records(*journal, 60);
  }
  ASSERT_TRUE(journal->drop_before(Offset{1000}));
  EXPECT_EQ(files.list("data/journal").value().size(), 1U);
}

/// Every offset is in a run, and the runs are those records.
void expect_runs(Journal& journal, std::uint64_t end) {
  for (std::uint64_t i = value(journal.begin()); i < end; ++i) {
    const auto run = journal.read_run(Offset{i});
    ASSERT_TRUE(run) << run.error().message();
    ASSERT_TRUE(*run);
    ASSERT_LE((*run)->first, Offset{i});
    ASSERT_GT((*run)->end(), Offset{i});
    const std::uint64_t first = value((*run)->first);
    for (std::uint64_t k = first; k < value((*run)->end()); ++k) {
      ASSERT_TRUE(same((*(*run)->records)[k - first], make_record(k)));
    }
  }
  EXPECT_FALSE(journal.read_run(Offset{end}).value());
}

TEST(Journal, RunsComeFromMemoryOrFromTheDisk) {
  io::FaultyFilesystem files(1);
  JournalOptions options = small_options();
  options.recent_bytes_max = 20000;
  auto journal = open_journal(files, options);
  for (std::uint64_t i = 0; i < 60; i += 3) {
    ASSERT_TRUE(journal->append_and_wait(make_records(i, 3)));
  }
  expect_runs(*journal, 60);
  expect_records(*journal, 60);
  // The newest ones without the disk, and shared.
  const std::uint64_t before = files.calls();
  const auto run = journal->read_run(Offset{58}).value().value();
  EXPECT_EQ(run.first, Offset{57});
  EXPECT_EQ(run.records, journal->read_run(Offset{59}).value().value().records);
  EXPECT_EQ(files.calls(), before);
  (void)journal->read_run(Offset{0}).value();
  EXPECT_GT(files.calls(), before);
  journal.reset();
  journal = open_journal(files, options);
  expect_runs(*journal, 60);
  // What was dropped is not found, even if it is still in memory.
  options.recent_bytes_max = 1 << 20;
  journal.reset();
  journal = open_journal(files, options);
  append_each(*journal, 60, 20);
  ASSERT_TRUE(journal->drop_before(Offset{1000}));
  ASSERT_GT(journal->begin(), Offset{60});
  EXPECT_EQ(journal->read_run(Offset{60}).error().code(), ErrorCode::NotFound);
  EXPECT_EQ(journal->read(Offset{60}, kAll).error().code(), ErrorCode::NotFound);
  EXPECT_EQ(journal->read_blocks(Offset{60}, kAll).error().code(), ErrorCode::NotFound);
}

TEST(Journal, BlocksAreReadAsTheyAre) {
  io::FaultyFilesystem files(1);
  JournalOptions options = small_options();
  options.segment_bytes_max = 20000;
  options.dictionary = synthetic::make_dictionary();
  auto journal = open_journal(files, options);
  ASSERT_TRUE(journal->append_and_wait(make_records(0, 200)));
  append_each(*journal, 200, 50);
  for (const std::size_t bytes_max : {std::size_t{1}, std::size_t{5000}, kAll}) {
    Offset next{0};
    while (next < Offset{250}) {
      const Offset from{std::min<std::uint64_t>(value(next) + value(next) % 2, 249)};
      const auto blocks = journal->read_blocks(from, bytes_max).value();
      ASSERT_FALSE(blocks.empty());
      EXPECT_LE(blocks.front().first, from);
      std::size_t bytes = 0;
      for (const RawBlock& block : blocks) {
        ASSERT_TRUE(block.first == next || block.end() > next);
        EXPECT_TRUE(block.copyable);
        EXPECT_EQ(block.codec, BlockCodec::ZstdDictionary);
        ASSERT_TRUE(block.dictionary);
        const auto decoded = block.decode().value();
        ASSERT_EQ(decoded.size(), block.record_count);
        for (std::size_t i = 0; i < decoded.size(); ++i) {
          ASSERT_TRUE(same(decoded.record(i).value(), make_record(value(block.first) + i)));
        }
        bytes += block.payload.size();
        next = block.end();
      }
      EXPECT_TRUE(bytes < bytes_max + 4000);
    }
    EXPECT_EQ(next, Offset{250});
  }
  EXPECT_TRUE(journal->read_blocks(Offset{250}, kAll).value().empty());
}

TEST(Journal, TrainsADictionaryBesideTheWriterAndBeginsASegmentWithIt) {
  io::FaultyFilesystem files(1);
  JournalOptions options = small_options();
  options.segment_bytes_max = 64 << 20;
  options.dictionary_sample_bytes = 300 << 10;
  auto journal = open_journal(files, options);
  std::uint64_t end = 0;
  const auto newest = [&journal, &end] {
    return journal->read_blocks(Offset{end - 1}, 1).value().at(0).codec;
  };
  do {
    ASSERT_LT(end, 100'000U);
    ASSERT_TRUE(journal->append_and_wait(make_records(end, 20)));
    end += 20;
  } while (newest() != BlockCodec::ZstdDictionary);
  EXPECT_GE(end, 240U);
  EXPECT_EQ(files.list("data/journal").value().size(), 2U);
  expect_records(*journal, end);
  journal.reset();
  journal = open_journal(files, options);
  append_each(*journal, end++, 1);
  EXPECT_EQ(newest(), BlockCodec::ZstdDictionary);
  EXPECT_EQ(files.list("data/journal").value().size(), 2U);
  expect_records(*journal, end);
}

TEST(Journal, ADictionaryTakesOneSegmentHoweverManyBatchesWait) {
  io::FaultyFilesystem files(1);
  JournalOptions options = small_options();
  options.segment_bytes_max = 64 << 20;
  auto journal = open_journal(files, options);
  append_each(*journal, 0, 1);
  journal.reset();
  options.dictionary = synthetic::make_dictionary();
  journal = open_journal(files, options);
  for (std::uint64_t i = 1; i < 100; ++i) {
    ASSERT_TRUE(journal->append({make_record(i)}, nullptr));
  }
  ASSERT_TRUE(journal->wait_durable(Offset{100}, kLong));
  expect_records(*journal, 100);
  EXPECT_EQ(files.list("data/journal").value().size(), 2U);
}

TEST(Journal, SamplesThatMakeNoDictionaryDoNoHarm) {
  io::FaultyFilesystem files(1);
  JournalOptions options = small_options();
  options.dictionary_sample_bytes = 1;
  const auto journal = open_journal(files, options);
  append_each(*journal, 0, 30);
  expect_records(*journal, 30);
}

TEST(Journal, ReadersSeeOnlyDurableRecordsWhileItIsWritten) {
  io::FaultyFilesystem files(1);
  const auto journal = open_journal(files);
  constexpr std::uint64_t kRecords = 400;
  constexpr std::uint64_t kWriters = 2;
  std::atomic<bool> failed = false;
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (std::uint64_t w = 0; w < kWriters; ++w) {
    threads.emplace_back([&] {
      for (std::uint64_t i = 0; i < kRecords / kWriters; ++i) {
        failed = failed || !journal->append({make_record(i)}, nullptr);
      }
    });
  }
  for (int r = 0; r < 2; ++r) {
    threads.emplace_back([&] {
      std::uint64_t next = 0;
      while (next < kRecords && !failed) {
        failed = failed || !journal->wait_durable(Offset{next + 1}, kLong);
        const auto found = journal->read(Offset{next}, 3000);
        failed = failed || !found || found->empty() || found->front().offset != Offset{next};
        next += found ? found->size() : 0;
      }
    });
  }
  threads.clear();
  EXPECT_FALSE(failed);
  EXPECT_EQ(journal->durable_end(), Offset{kRecords});
}

TEST(Journal, ReadersMeetNotFoundWhenDroppedUnderThem) {
  io::FaultyFilesystem files(1);
  const auto journal = open_journal(files);
  append_each(*journal, 0, 80);
  std::atomic<bool> failed = false;
  {
    const std::jthread reader([&] {
      for (std::uint64_t i = 0; i < 80; ++i) {
        const auto found = journal->read(Offset{i}, 1);
        const bool dropped = !found && found.error().code() == ErrorCode::NotFound;
        failed = failed || (found ? found->empty() : !dropped);
      }
    });
    for (std::uint64_t i = 0; i < 80; i += 3) {
      failed = failed || !journal->drop_before(Offset{i});
    }
  }
  EXPECT_FALSE(failed);
}

}  // namespace
}  // namespace opentrail::journal
