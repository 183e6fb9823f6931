// Goal: whatever the disk does, an answer is right or an error, never wrong and never silently
// shorter; what failed goes on by itself once the disk is well, and is whole after opening again.
// Method: a short life (history_fault_kit_test.h) while a call fails, the power goes, the disk is
// full, files run out, syncs lie or bytes rot.
#include "history/history_fault_kit_test.h"
#include "history/store/segment_file.h"

namespace opentrail::history {
namespace {

using model::Dice;

TEST_F(HistoryFault, GoesOnAfterAFailingCall) {
  const std::uint64_t calls = calls_of_a_life();
  constexpr std::uint64_t kStep = 7;
  for (std::uint64_t n = 1; n <= calls && !HasFailure(); n += kStep) {
    SCOPED_TRACE(testing::Message() << "call " << n << " of " << calls << " fails");
    Life life(n);
    restore(seven_segments(), life);
    const std::uint64_t first = life.disk.calls();
    life.disk.fail_call(n, n % 2 == 0 ? Error(ErrorCode::Unavailable, "input/output error")
                                      : Error(ErrorCode::ResourceExhausted, "no room"));
    // Opened again when an error says that it is needed, and then it works: it fails once.
    if (!life.open()) {
      ASSERT_TRUE(life.open());
    }
    if (!live(life)) {
      if (const auto failure = life.journal->failure();
          failure && failure->code() == ErrorCode::Unavailable) {
        life.close();
        ASSERT_TRUE(life.open());
      }
      life.take_over();
      const auto again = live(life);
      ASSERT_TRUE(again) << again.error().message();
    }
    ASSERT_TRUE(life.settle()) << life.history->failure()->message();
    EXPECT_EQ(life.lasting_failure(), std::nullopt);
    while (life.disk.calls() <= first + n) {  // This life was shorter: nothing of it failed.
      static_cast<void>(life.disk.list(std::string(kFolder)));
    }
    expect_whole(life, n);
    life.close();
    life.disk.crash();
    const auto opened = life.open();
    ASSERT_TRUE(opened) << opened.error().message();
    expect_whole(life, n + 1);
  }
}

TEST_F(HistoryFault, IsWholeAfterAPowerCutAtAnyCall) {
  const std::uint64_t calls = calls_of_a_life();
  Dice dice(11);
  for (std::uint64_t n = 1; n <= calls && !HasFailure(); n += 1 + dice.below(5)) {
    SCOPED_TRACE(testing::Message() << "the power goes at call " << n << " of " << calls);
    Life life(n);
    restore(seven_segments(), life);
    life.disk.stop_at_call(n);
    if (life.open()) {
      static_cast<void>(live(life));
    }
    life.close();
    life.disk.crash();
    if (dice.one_in(3)) {  // Once more, while it recovers.
      life.disk.stop_at_call(1 + dice.below(40));
      static_cast<void>(life.open());
      life.close();
      life.disk.crash();
    }
    const auto opened = life.open();
    ASSERT_TRUE(opened) << opened.error().message();
    life.take_over();
    expect_whole(life, n);
    EXPECT_TRUE(life.settle());
    expect_whole(life, n + 1);
  }
}

TEST_F(HistoryFault, GoesOnWhenAFullDiskHasRoomAgain) {
  std::uint64_t used = 0;
  for (const auto& [path, bytes] : seven_segments().files) {
    used += bytes.size();
  }
  int refused = 0;
  int unsealed = 0;
  for (std::uint64_t room = 0; room < 400'000 && !HasFailure(); room += 38'000) {
    SCOPED_TRACE(testing::Message() << room << " bytes of room");
    Life life(room);
    restore(seven_segments(), life);
    ASSERT_TRUE(life.open());
    life.disk.set_capacity(used + room);
    for (int i = 0; i < 4; ++i) {
      const auto appended = life.append(kBatch);
      if (!appended) {
        ++refused;
        EXPECT_EQ(appended.error().code(), ErrorCode::ResourceExhausted)
            << appended.error().message();
        life.take_over();
      }
      expect_whole(life, 8 * room + 1);
      static_cast<void>(life.history->wait_settled());
    }
    if (const auto failure = life.history->failure()) {
      ++unsealed;
      EXPECT_EQ(failure->code(), ErrorCode::ResourceExhausted) << failure->message();
    }
    expect_whole(life, room);
    life.disk.set_capacity(std::nullopt);
    ASSERT_TRUE(life.settle());
    EXPECT_EQ(life.lasting_failure(), std::nullopt);
    // The journal tries again by itself, or with the first append.
    for (int i = 0; i < kTries && !life.append(kBatch); ++i) {
      life.take_over();
    }
    expect_whole(life, room + 8);
    life.close();
    ASSERT_TRUE(life.open());
    expect_whole(life, room + 16);
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(unsealed, 0);
}

TEST_F(HistoryFault, SegmentsTooLargeForEightAreMergedFewerAtATime) {
  Life life(25);
  ASSERT_TRUE(life.open());
  // 700 records each: five fill a segment of 3000 and a quarter more.
  for (int i = 0; i < 15; ++i) {
    ASSERT_TRUE(life.append(700));
    ASSERT_TRUE(caught_up(life));
    ASSERT_TRUE(life.settle());
  }
  EXPECT_LE(life.segment_files().size(), 8U);
  const std::uint64_t calls = life.disk.calls();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(life.disk.calls(), calls) << "what they make is not merged again";
  expect_whole(life, 8);
}

TEST_F(HistoryFault, MergesOnlyWhereThereIsRoomForMore) {
  Life life(24);
  restore(seven_segments(), life);
  ASSERT_TRUE(life.open());
  std::uint64_t used = 0;
  for (const std::string_view folder : {kJournalFolder, kFolder}) {
    for (const std::string& name : life.disk.list(std::string(folder)).value()) {
      used += io::read_file(life.disk, io::join_path(folder, name), kFileBytesMax)->size();
    }
  }
  // For the append and the seal, and for the merge too, but not twice.
  life.disk.set_capacity(used + 400'000);
  ASSERT_TRUE(life.append(kBatch));
  ASSERT_TRUE(caught_up(life));
  ASSERT_TRUE(life.settle());
  EXPECT_EQ(life.segment_files().size(), 8U);
  EXPECT_EQ(life.lasting_failure(), std::nullopt) << "it can wait";
  expect_whole(life, 8);
  life.disk.set_capacity(std::nullopt);
  ASSERT_TRUE(life.append(kBatch));
  ASSERT_TRUE(caught_up(life));
  ASSERT_TRUE(life.settle());
  EXPECT_LT(life.segment_files().size(), 4U);
  expect_whole(life, 8);
}

TEST_F(HistoryFault, GoesOnWhenThereAreFilesAgain) {
  for (std::size_t files = 0; files < 16 && !HasFailure(); files += 2) {
    SCOPED_TRACE(testing::Message() << files << " open files");
    Life life(files + 1);
    restore(seven_segments(), life);
    ASSERT_TRUE(life.open());
    life.disk.set_open_files_max(files);
    for (int i = 0; i < 3; ++i) {
      if (!life.append(kBatch)) {
        life.take_over();
      }
      static_cast<void>(check_some(life, files));
      static_cast<void>(life.history->wait_settled());
    }
    life.disk.set_open_files_max(std::nullopt);
    ASSERT_TRUE(life.settle());
    for (int i = 0; i < kTries && !life.append(kBatch); ++i) {
      life.take_over();
    }
    expect_whole(life, files);
    EXPECT_TRUE(life.settle());
    EXPECT_EQ(life.lasting_failure(), std::nullopt);
  }
}

/// The bytes of a segment's file that belong to pages with nothing but its table of ids: one of
/// each page.
std::vector<std::uint64_t> id_pages(Life& life, const std::string& path) {
  const auto segment = SegmentFile::open(life.disk, path).value();
  const IdPagesMeta& ids = segment->index().meta().ids;
  const std::uint64_t bytes = ids.count() * ids.entry_bytes();
  const auto table = segment->index().bytes().view(ids.position, bytes).value();
  const std::uint64_t begin = io::read_file(life.disk, path, kFileBytesMax).value().find(table);
  std::vector<std::uint64_t> pages;
  constexpr std::uint64_t kPage = CheckedBytes::kPageBytes;
  for (std::uint64_t page = (ids.position + kPage - 1) / kPage * kPage;
       page + kPage <= ids.position + bytes; page += kPage) {
    pages.push_back(begin + page - ids.position);
  }
  return pages;
}

TEST_F(HistoryFault, DamagedTablesOfIdsKeepNothingBack) {
  for (const bool while_open : {true, false}) {
    Life life(21);
    restore(seven_segments(), life);
    if (while_open) {
      ASSERT_TRUE(life.open());
    }
    int flips = 0;
    for (const std::string& path : life.segment_files()) {
      for (const std::uint64_t at : id_pages(life, path)) {
        life.disk.flip_bit(path, at, 3);
        ++flips;
      }
    }
    ASSERT_GT(flips, 3);
    if (!while_open) {
      ASSERT_TRUE(life.open());
    }
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(life.append(kBatch));  // Many of them repeat ids that are sealed.
      expect_whole(life, 8);
      expect_whole(life, 9 + static_cast<std::uint64_t>(i));
      ASSERT_TRUE(life.settle());
    }
    EXPECT_EQ(life.lasting_failure(), std::nullopt);
  }
}

TEST_F(HistoryFault, AListOfAccountsIsWholeOrAnError) {
  std::size_t refused = 0;
  for (const std::string& path : {std::string("first"), std::string("last")}) {
    Life life(23);
    restore(seven_segments(), life);
    ASSERT_TRUE(life.open());
    const auto accounts = life.history->accounts().value();
    const auto paths = life.segment_files();
    const std::string& damaged = path == "first" ? paths.front() : paths.back();
    const auto segment = SegmentFile::open(life.disk, damaged).value();
    const auto& block = segment->index().field(record::Field::AccountId).blocks.front();
    const auto bytes = segment->index().bytes().view(block.position, block.bytes).value();
    const std::string file = io::read_file(life.disk, damaged, kFileBytesMax).value();
    life.disk.flip_bit(damaged, file.find(bytes), 0);
    const auto again = life.history->accounts();
    refused += again ? 0U : 1U;
    EXPECT_TRUE(!again || *again == accounts);
  }
  EXPECT_EQ(refused, 2U);
}

TEST_F(HistoryFault, ADamagedSegmentIsNotMergedAndOthersAre) {
  Life life(22);
  restore(seven_segments(), life);
  const auto paths = life.segment_files();
  life.disk.flip_bit(paths[2], 200, 1);  // In its first block.
  ASSERT_TRUE(life.open());
  // Enough for others to become eight neighbours.
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(life.append(kBatch));
    ASSERT_TRUE(caught_up(life));
    ASSERT_TRUE(life.settle()) << life.history->failure()->message();
  }
  EXPECT_EQ(life.lasting_failure(), std::nullopt);
  EXPECT_TRUE(life.disk.exists(paths[2]));
  EXPECT_FALSE(life.disk.exists(paths[6])) << "the healthy ones behind it are merged";
  const std::uint64_t calls = life.disk.calls();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(life.disk.calls(), calls) << "the merge is not tried again and again";
  const auto error = check_all(life);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Corruption);
  EXPECT_NE(error->message().find(paths[2]), std::string::npos);
}

TEST_F(HistoryFault, NoticesThatTheJournalLostWhatIsSealed) {
  Life life(3);
  restore(seven_segments(), life);
  ASSERT_TRUE(life.open());
  for (const std::string& name : life.disk.list(std::string(kJournalFolder)).value()) {
    life.disk.lie_about_syncs_of(io::join_path(kJournalFolder, name));
  }
  life.disk.lie_about_syncs_of(std::string(kJournalFolder));
  ASSERT_TRUE(live(life));
  ASSERT_TRUE(life.settle());
  life.close();
  life.disk.crash();
  const auto opened = life.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::Corruption) << opened.error().message();
}

TEST_F(HistoryFault, SurvivesOrNoticesLyingSyncs) {
  const std::uint64_t calls = calls_of_a_life();
  Dice dice(5);
  int noticed = 0;
  for (std::uint64_t seed = 1; seed <= 30 && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Life life(seed);
    restore(seven_segments(), life);
    life.disk.lie_about_syncs_from_call(1 + dice.below(calls));
    ASSERT_TRUE(life.open());
    ASSERT_TRUE(live(life));
    life.close();
    life.disk.crash();
    life.in_flight = life.plain.size();  // The journal's own loss is not the history's to notice.
    if (const auto opened = life.open(); !opened) {
      ++noticed;
      EXPECT_TRUE(opened.error().code() == ErrorCode::Corruption ||
                  opened.error().code() == ErrorCode::NotFound)
          << opened.error().message();
      continue;
    }
    life.take_over();
    if (const auto error = check_all(life)) {
      EXPECT_EQ(error->code(), ErrorCode::Corruption) << error->message();
    }
  }
  EXPECT_GT(noticed, 0);
}

TEST_F(HistoryFault, NoFlippedBitMakesAWrongAnswer) {
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : seven_segments().files) {
    if (!bytes.empty()) {
      paths.push_back(path);
    }
  }
  Dice dice(17);
  int refused = 0;
  int failed = 0;
  int harmless = 0;
  for (int i = 0; i < 160 && !HasFailure(); ++i) {
    Life life(static_cast<std::uint64_t>(i));
    restore(seven_segments(), life);
    // One byte of each kind of file alike, half of the time behind an open history's back.
    const std::string& path = dice.of(paths);
    const std::uint64_t bytes = seven_segments().files.at(path).size();
    const std::uint64_t at = dice.one_in(3)
                                 ? bytes - 1 - dice.below(std::min<std::uint64_t>(bytes, 3000))
                                 : dice.below(bytes);
    SCOPED_TRACE(testing::Message() << "flip " << i << ": " << path << " at byte " << at);
    const auto expect_named = [&](const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::Corruption || error.code() == ErrorCode::Unsupported ||
                  error.message().find("orrupt") != std::string::npos ||
                  error.message().find("byte") != std::string::npos)
          << error.message();
      EXPECT_NE(error.message().find(path.substr(0, path.rfind('.'))), std::string::npos)
          << error.message();
    };
    const bool while_open = dice.one_in(2);
    if (while_open) {
      ASSERT_TRUE(life.open());
    }
    life.disk.flip_bit(path, at, static_cast<unsigned>(dice.below(8)));
    if (!while_open) {
      if (const auto opened = life.open(); !opened) {
        ++refused;
        expect_named(opened.error());
        continue;
      }
      if (life.journal->recovery().bytes_cut > 0) {
        // As if the last commit had been torn: reported by the journal, and never sealed.
        life.in_flight = life.plain.size();
        life.take_over();
      }
    }
    auto error = check_all(life);
    if (!error) {
      error = check_some(life, static_cast<std::uint64_t>(i));
    }
    if (error) {
      ++failed;
      expect_named(*error);
    } else {
      ++harmless;
    }
  }
  EXPECT_GT(refused, 15);
  EXPECT_GT(failed, 15);
  EXPECT_GT(harmless, 15);
}

}  // namespace
}  // namespace opentrail::history
