// Goal: a disk that is full, fails or has no files to give ends no more than it must, and nothing
// is acknowledged that is not there afterwards. Method: as in journal_test.cc, on a disk that fails
// when told.
#include "journal/journal_kit_test.h"

#include <thread>

#include <gmock/gmock.h>

namespace opentrail::journal {
namespace {

using synthetic::make_record;
using synthetic::same;
using testing::HasSubstr;

TEST(Journal, AFailedWriteOrSyncEndsIt) {
  constexpr struct {
    std::uint64_t call;
    ErrorCode code;
    std::string_view reason;
  } kCases[] = {
      {1, ErrorCode::Unavailable, "Unavailable"},              // the write
      {2, ErrorCode::ResourceExhausted, "ResourceExhausted"},  // the fdatasync
  };
  for (const auto& failing : kCases) {
    SCOPED_TRACE(failing.call);
    io::FaultyFilesystem files(1);
    auto journal = open_journal(files);
    append_each(*journal, 0, 2);
    std::vector<Result<Offset>> outcomes;
    {
      HeldWriter held(*journal);
      files.fail_call(failing.call, Error(failing.code, "it broke"));
      for (std::uint64_t i = 3; i < 6; ++i) {
        ASSERT_TRUE(journal->append({make_record(i)}, [&outcomes](Result<Offset> outcome) {
          outcomes.push_back(std::move(outcome));
        }));
      }
    }
    const auto waited = journal->wait_durable(Offset{4}, kLong);
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().code(), ErrorCode::Unavailable);
    EXPECT_THAT(waited.error().message(), HasSubstr("it broke"));
    ASSERT_TRUE(journal->failure());
    EXPECT_EQ(journal->failure()->reason(), failing.reason);
    const auto appended = journal->append({make_record(9)}, nullptr);
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().code(), ErrorCode::Unavailable);
    EXPECT_EQ(journal->durable_end(), Offset{3});
    EXPECT_EQ(journal->read(Offset{0}, kAll).value().size(), 3U);
    journal->stop();
    ASSERT_EQ(outcomes.size(), 3U);
    for (const auto& outcome : outcomes) {
      ASSERT_FALSE(outcome);
      EXPECT_EQ(outcome.error().code(), ErrorCode::Unavailable);
    }
    journal.reset();
    journal = open_journal(files);
    EXPECT_FALSE(journal->failure());
    EXPECT_TRUE(journal->append_and_wait({make_record(9)}));
  }
}

TEST(Journal, AFullDiskIsOverWhenThereIsRoomAgain) {
  io::FaultyFilesystem files(1);
  JournalOptions options = small_options();
  options.retry_interval = kLong;  // appends alone try again
  auto journal = open_journal(files, options);
  append_each(*journal, 0, 3);  // less than a segment
  std::vector<Result<Offset>> outcomes;
  std::uint64_t durable = 3;
  for (int round = 0; round < 3; ++round) {
    HeldWriter held(*journal, durable++);
    files.fail_call(1, Error(ErrorCode::ResourceExhausted, "no space left on device"));
    for (std::uint64_t i = 0; i < 3; ++i) {
      const auto first = journal->append(
          {make_record(77), make_record(78)},
          [&outcomes](Result<Offset> outcome) { outcomes.push_back(std::move(outcome)); });
      ASSERT_EQ(first.value(), Offset{durable + 2 * i});
    }
    held.release();
    const auto waited = journal->wait_durable(Offset{durable + 1}, kLong);
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().code(), ErrorCode::ResourceExhausted);
    EXPECT_THAT(waited.error().message(), HasSubstr("no space left"));
    EXPECT_THAT(waited.error().message(), HasSubstr("Make room on the disk of data/journal"));
    EXPECT_EQ(journal->end(), Offset{durable});
    EXPECT_EQ(journal->durable_end(), Offset{durable});
    ASSERT_TRUE(journal->failure());
    EXPECT_EQ(journal->failure()->code(), ErrorCode::ResourceExhausted);
    // There is room again: the next one is kept, at the offset that was taken back.
    append_each(*journal, durable++, 1);
    EXPECT_FALSE(journal->failure());
    expect_records(*journal, durable);
  }
  journal->stop();
  ASSERT_EQ(outcomes.size(), 9U);
  for (const auto& outcome : outcomes) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), ErrorCode::ResourceExhausted);
  }
  journal.reset();
  journal = open_journal(files, options);
  EXPECT_EQ(journal->recovery().bytes_cut, 0U);
  expect_records(*journal, durable);
}

TEST(Journal, AStartOnAFullDiskLeavesNothingBehind) {
  io::FaultyFilesystem files(1);
  auto journal = open_journal(files, small_options());
  append_each(*journal, 0, 3);
  journal->stop();
  journal.reset();
  const auto names = files.list("data/journal").value();
  files.set_capacity(0);
  const auto refused = Journal::open(files, small_options());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::ResourceExhausted);
  EXPECT_EQ(files.list("data/journal").value(), names);
  files.set_capacity(std::nullopt);
  journal = open_journal(files, small_options());
  expect_records(*journal, 3);
}

TEST(Journal, TriesAgainByItselfWhileTheDiskIsFull) {
  io::FaultyFilesystem files(1);
  JournalOptions options = small_options();
  options.retry_interval = std::chrono::milliseconds(1);
  const auto journal = open_journal(files, options);
  append_each(*journal, 0, 2);
  const Error full(ErrorCode::ResourceExhausted, "no space left on device");
  files.fail_call(1, full);  // the write
  files.fail_call(4, full);  // behind truncate and sync: the first trial's
  const auto appended = journal->append_and_wait({make_record(2)});
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code(), ErrorCode::ResourceExhausted);
  while (journal->failure()) {
    std::this_thread::yield();
  }
  append_each(*journal, 2, 5);
  expect_records(*journal, 7);
}

TEST(Journal, ASegmentThatCannotBeMadeIsMadeLater) {
  io::FaultyFilesystem files(1);
  JournalOptions options = small_options();
  options.segment_bytes_max = 1;  // one for each commit
  options.retry_interval = kLong;
  const auto journal = open_journal(files, options);
  append_each(*journal, 0, 1);
  files.fail_call(1, Error(ErrorCode::ResourceExhausted, "too many open files"));
  const auto appended = journal->append_and_wait({make_record(1)});
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code(), ErrorCode::ResourceExhausted);
  EXPECT_EQ(journal->end(), Offset{1});
  append_each(*journal, 1, 3);
  expect_records(*journal, 4);
  // Nor is it for good that its folder could not be synced for want of room or descriptors.
  files.fail_call(2, Error(ErrorCode::ResourceExhausted, "no space left on device"));
  EXPECT_FALSE(journal->append_and_wait({make_record(4)}));
  append_each(*journal, 4, 1);
  expect_records(*journal, 5);
  // But every other reason is: whether the name will last is not known then.
  files.fail_call(2, Error(ErrorCode::Unavailable, "input/output error"));
  EXPECT_FALSE(journal->append_and_wait({make_record(5)}));
  EXPECT_EQ(journal->append({make_record(5)}, nullptr).error().code(), ErrorCode::Unavailable);
}

TEST(Journal, WhatCannotBeTakenBackEndsIt) {
  for (const std::uint64_t call : {2U, 3U}) {  // the truncation, its sync
    SCOPED_TRACE(call);
    io::FaultyFilesystem files(1);
    const auto journal = open_journal(files);
    append_each(*journal, 0, 2);
    files.fail_call(1, Error(ErrorCode::ResourceExhausted, "no space left on device"));
    files.fail_call(call, Error(ErrorCode::ResourceExhausted, "no space left on device"));
    const auto appended = journal->append_and_wait({make_record(2)});
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().code(), ErrorCode::Unavailable);
    EXPECT_EQ(journal->append({make_record(2)}, nullptr).error().code(), ErrorCode::Unavailable);
  }
}

TEST(Journal, ABatchOfManyBlocksIsKeptWholeOrNotAtAll) {
  io::FaultyFilesystem files(1);
  const auto journal = open_journal(files);
  append_each(*journal, 0, 1);
  // Several writes of a megabyte; the third does not fit.
  files.fail_call(3, Error(ErrorCode::ResourceExhausted, "no space left on device"));
  std::vector<record::Record> large;
  for (std::uint64_t i = 0; i < 12; ++i) {
    large.push_back(make_record(1 + i, 400 << 10));
  }
  EXPECT_FALSE(journal->append_and_wait(large));
  expect_records(*journal, 1);
  ASSERT_TRUE(journal->append_and_wait(large));
  EXPECT_EQ(journal->durable_end(), Offset{13});
  for (std::uint64_t i = 0; i < 12; ++i) {
    ASSERT_TRUE(same(journal->read(Offset{1 + i}, 1).value().at(0).record, large[i]));
  }
}

}  // namespace
}  // namespace opentrail::journal
