// Goal: a file that is gone, or another one than was written, is noticed and named, and nothing
// that is not the history's own is touched. Method: the files of a whole history are removed,
// swapped, cut and added to before it is opened.
#include "history/history_fault_kit_test.h"

namespace opentrail::history {
namespace {

using journal::Offset;

void expect_refused(Life& life, std::string_view named) {
  const auto opened = life.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::Corruption);
  EXPECT_NE(opened.error().message().find(named), std::string::npos) << opened.error().message();
}

TEST_F(HistoryFault, NoticesALostSegment) {
  for (std::size_t i = 0; i < 7; ++i) {
    Life life(i + 1);
    restore(seven_segments(), life);
    const std::string path = life.segment_files()[i];
    life.disk.lose_file(path);
    expect_refused(life, path);
  }
}

TEST_F(HistoryFault, NoticesALostManifest) {
  Life life(1);
  restore(seven_segments(), life);
  life.disk.lose_file(io::join_path(kFolder, "manifest"));
  expect_refused(life, "manifest is missing");
  EXPECT_EQ(life.segment_files().size(), 7U) << "nothing was removed";
}

TEST_F(HistoryFault, NoticesALostFolderOnceTheJournalHasDroppedRecords) {
  Life life(1);
  restore(seven_segments(), life);
  ASSERT_TRUE(life.open());
  ASSERT_TRUE(live(life));
  ASSERT_TRUE(life.settle());
  life.close();
  for (const std::string& name : life.disk.list(std::string(kFolder)).value()) {
    ASSERT_TRUE(life.disk.remove(io::join_path(kFolder, name)));
  }
  const std::string consent = io::join_path(kFolder, "begin-anew");
  expect_refused(life, consent);
  expect_refused(life, consent);  // Not only the first time.
  write_file(life.disk, consent, "");
  const auto opened = life.open();
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_GT(life.journal->begin(), Offset{0});
  EXPECT_FALSE(life.disk.exists(consent)) << "it was said once";
  ASSERT_TRUE(life.append(5));
  ASSERT_TRUE(caught_up(life));
  EXPECT_EQ(life.history->applied_end(), life.journal->end());
}

TEST_F(HistoryFault, NoticesASegmentThatIsAnotherOne) {
  Life life(1);
  restore(seven_segments(), life);
  const auto paths = life.segment_files();
  ASSERT_TRUE(life.disk.rename(paths[0], "data/aside"));
  ASSERT_TRUE(life.disk.rename(paths[1], paths[0]));
  ASSERT_TRUE(life.disk.rename("data/aside", paths[1]));
  expect_refused(life, paths[0]);
}

TEST_F(HistoryFault, NoticesASegmentOfAnotherHistory) {
  // The same run of offsets, other records.
  Life other(8);
  ASSERT_TRUE(other.open());
  ASSERT_TRUE(other.append(kBatch));
  ASSERT_TRUE(caught_up(other));
  ASSERT_TRUE(other.settle());
  const std::string path = other.segment_files().front();
  Life life(9);
  ASSERT_TRUE(life.open());
  ASSERT_TRUE(life.append(kBatch));
  ASSERT_TRUE(caught_up(life));
  ASSERT_TRUE(life.settle());
  life.close();
  ASSERT_EQ(life.segment_files(), std::vector<std::string>{path});
  ASSERT_TRUE(life.disk.remove(path));
  write_file(life.disk, path, io::read_file(other.disk, path, kFileBytesMax).value());
  expect_refused(life, path);
}

TEST_F(HistoryFault, NoticesASegmentOfAnotherLength) {
  for (const bool shorter : {true, false}) {
    Life life(1);
    restore(seven_segments(), life);
    const std::string path = life.segment_files()[3];
    {
      const auto file = life.disk.open(path, io::OpenMode::Append).value();
      if (shorter) {
        ASSERT_TRUE(file->truncate(file->size().value() - 1));
      } else {
        ASSERT_TRUE(file->append(as_bytes(std::string_view("x"))));
      }
    }
    expect_refused(life, path);
  }
}

TEST_F(HistoryFault, RemovesLeftoversAndNothingElse) {
  Life life(1);
  restore(seven_segments(), life);
  const auto in_force = life.segment_files();
  const std::string unnamed =
      io::join_path(kFolder, segment_file_name(Offset{0}, Offset{1'000'000}));
  const std::string unfinished = unnamed + ".tmp";
  const std::string foreign = io::join_path(kFolder, "notes.txt");
  write_file(life.disk, unnamed, "x");
  write_file(life.disk, unfinished, "");
  write_file(life.disk, foreign, "keep");
  ASSERT_TRUE(life.open());
  EXPECT_EQ(life.segment_files(), in_force);
  EXPECT_FALSE(life.disk.exists(unfinished));
  EXPECT_TRUE(life.disk.exists(foreign));
  expect_whole(life, 0);
}

}  // namespace
}  // namespace opentrail::history
