// Goal: what was never acknowledged may be cut off the end; anything else that is wrong with the
// files stops the journal from opening, and the message says where. Method: files made by the
// journal, then changed byte by byte behind its back.
#include "base/log.h"
#include "io/faulty_filesystem.h"
#include "journal/block.h"
#include "journal/journal.h"
#include "journal/synthetic_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::journal {
namespace {

using namespace std::string_view_literals;
using synthetic::make_record;
using synthetic::make_records;
using synthetic::same;
using testing::AllOf;
using testing::HasSubstr;

const std::string kFolder = "journal";
const std::string kFirstPath = "journal/00000000000000000000.journal";

class JournalRecovery : public testing::Test {
 public:
  JournalRecovery() { log::set_level(log::Level::Error); }
  ~JournalRecovery() override { log::set_level(log::Level::Info); }
  JournalRecovery(const JournalRecovery&) = delete;
  JournalRecovery& operator=(const JournalRecovery&) = delete;

 protected:
  std::unique_ptr<Journal> open() { return Journal::open(files_, options_).value(); }
  /// `commits` commits of one record each, then a stop.
  void write_commits(std::uint64_t commits) {
    const auto journal = open();
    for (std::uint64_t i = 0; i < commits; ++i) {
      ASSERT_TRUE(journal->append_and_wait({make_record(value(journal->end()))}));
    }
  }
  std::string contents(const std::string& path) {
    return io::read_file(files_, path, 64 << 20).value();
  }
  void write(const std::string& path, std::string_view bytes) {
    ASSERT_TRUE(io::write_file_atomically(files_, path, bytes));
  }
  void flip(const std::string& path, std::uint64_t position) {
    std::string bytes = contents(path);
    bytes.at(position) = static_cast<char>(bytes.at(position) ^ 1);
    write(path, bytes);
  }
  std::vector<std::string> segments() {
    std::vector<std::string> paths;
    for (const std::string& name : files_.list(kFolder).value()) {
      paths.push_back(io::join_path(kFolder, name));
    }
    return paths;
  }
  /// Where the blocks of a file begin.
  std::vector<std::uint64_t> positions(const std::string& path) {
    const std::string bytes = contents(path);
    std::vector<std::uint64_t> found;
    for (std::uint64_t at = 0; at < bytes.size();) {
      found.push_back(at);
      at += decode_header(bytes.substr(at, kBlockHeaderBytes)).value().block_bytes();
    }
    return found;
  }
  void expect_refused(ErrorCode code, const std::string& path, std::uint64_t position) {
    const auto opened = Journal::open(files_, options_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), code);
    EXPECT_THAT(opened.error().message(),
                AllOf(HasSubstr(path), HasSubstr("byte " + std::to_string(position) + ":")));
  }
  void expect_records(std::uint64_t end) {
    const auto journal = open();
    const auto found = journal->read(Offset{0}, 1 << 30).value();
    ASSERT_EQ(found.size(), end);
    for (std::uint64_t i = 0; i < end; ++i) {
      ASSERT_EQ(found[i].offset, Offset{i});
      ASSERT_TRUE(same(found[i].record, make_record(i)));
    }
  }

  io::FaultyFilesystem files_{1};
  JournalOptions options_{.folder = kFolder, .segment_bytes_max = 64 << 10};
};

TEST_F(JournalRecovery, CutsATornTailAtEveryLength) {
  write_commits(3);
  const std::string whole = contents(kFirstPath);
  const std::uint64_t last = positions(kFirstPath).back();
  for (std::uint64_t bytes = last; bytes < whole.size(); ++bytes) {
    write(kFirstPath, whole.substr(0, bytes));
    const auto journal = open();
    ASSERT_EQ(journal->recovery().bytes_cut, bytes - last);
    ASSERT_EQ(journal->recovery().cut_file, bytes == last ? "" : kFirstPath);
    ASSERT_EQ(journal->end(), Offset{2});
    ASSERT_EQ(contents(kFirstPath), whole.substr(0, last));
  }
  write_commits(1);
  expect_records(3);
}

TEST_F(JournalRecovery, CutsABlockWithLostSectorsAndZerosBehindTheEnd) {
  write_commits(2);
  std::string bytes = contents(kFirstPath);
  const std::size_t whole = bytes.size();
  bytes.append(5000, '\0');
  write(kFirstPath, bytes);
  EXPECT_EQ(open()->recovery().bytes_cut, 5000U);
  flip(kFirstPath, whole - 1);
  EXPECT_EQ(open()->recovery().bytes_cut,
            whole - positions(kFirstPath).at(0) - contents(kFirstPath).size());
  expect_records(1);
}

TEST_F(JournalRecovery, ABadBlockBeforeALaterCommitIsCorruption) {
  write_commits(4);
  const std::string whole = contents(kFirstPath);
  const auto blocks = positions(kFirstPath);
  ASSERT_EQ(blocks.size(), 4U);
  for (const std::size_t block : {0U, 1U, 2U}) {
    for (const std::uint64_t at : {0U, 9U, 43U, 44U, 300U}) {
      flip(kFirstPath, blocks[block] + at);
      expect_refused(ErrorCode::Corruption, kFirstPath, blocks[block]);
      write(kFirstPath, whole);
    }
  }
  // Two damaged blocks in a row do not hide the good one behind them.
  flip(kFirstPath, blocks[1] + 50);
  flip(kFirstPath, blocks[2] + 2);
  expect_refused(ErrorCode::Corruption, kFirstPath, blocks[1]);
}

TEST_F(JournalRecovery, ABadBlockBeforeAnotherOfItsOwnCommitIsATornTail) {
  options_.block_bytes_max = 2000;
  write_commits(1);
  ASSERT_TRUE(open()->append_and_wait(make_records(1, 6)));
  const auto blocks = positions(kFirstPath);
  ASSERT_GE(blocks.size(), 4U);
  const std::uint64_t size = contents(kFirstPath).size();
  flip(kFirstPath, blocks[2] + 100);  // as when the disk wrote a later sector of the commit first
  const auto journal = open();
  EXPECT_EQ(journal->recovery().bytes_cut, size - blocks[2]);
  EXPECT_GT(journal->end(), Offset{1});
  EXPECT_LT(journal->end(), Offset{7});
}

TEST_F(JournalRecovery, TextThatLooksLikeABlockIsNone) {
  write_commits(1);
  const std::string before = contents(kFirstPath);
  for (const std::string_view magic : {"OTJB"sv, "OTJB\1\1"sv, "OTJBzzzz"sv}) {
    {
      // Bytes that do not compress, so that they stand in the file as they are.
      io::SeededRandom random(7);
      record::Record record;
      record.json = io::random_bytes(random, 300) + std::string(magic);
      record.json += io::random_bytes(random, 300);
      ASSERT_TRUE(open()->append_and_wait({record}));
    }
    const std::string bytes = contents(kFirstPath);
    ASSERT_NE(bytes.find(magic, before.size() + kBlockHeaderBytes), std::string::npos);
    write(kFirstPath, bytes.substr(0, bytes.size() - 1));
    EXPECT_EQ(open()->recovery().bytes_cut, bytes.size() - 1 - before.size());
    expect_records(1);
  }
}

TEST_F(JournalRecovery, BlocksOutOfOrderAreCorruption) {
  write_commits(3);
  const std::string whole = contents(kFirstPath);
  const auto blocks = positions(kFirstPath);
  write(kFirstPath, whole + whole.substr(blocks[2]));  // the last one twice
  expect_refused(ErrorCode::Corruption, kFirstPath, whole.size());
}

TEST_F(JournalRecovery, ANewerFormatIsNotTouched) {
  write_commits(2);
  std::string bytes = contents(kFirstPath);
  const std::uint64_t last = positions(kFirstPath).back();
  bytes[last + 4] = '\2';
  write(kFirstPath, bytes);
  expect_refused(ErrorCode::Unsupported, kFirstPath, last);
  EXPECT_EQ(contents(kFirstPath), bytes);
}

TEST_F(JournalRecovery, AnEmptyOrTornNewestSegmentIsFine) {
  options_.segment_bytes_max = 3000;
  write_commits(12);
  const std::string last = segments().back();
  const auto journal_end = Offset{std::stoull(last.substr(kFolder.size() + 1))};
  for (const std::string_view bytes : {""sv, "O"sv, "OTJB\1"sv, "\0\0\0"sv}) {
    write(last, bytes);
    const auto journal = open();
    EXPECT_EQ(journal->end(), journal_end);
    EXPECT_EQ(journal->recovery().bytes_cut, bytes.size());
    EXPECT_EQ(contents(last), "");
  }
  write_commits(1);
  expect_records(value(journal_end) + 1);
}

TEST_F(JournalRecovery, AnyDamageToAnEarlierSegmentsChainIsCorruption) {
  options_.segment_bytes_max = 3000;
  write_commits(12);
  const auto paths = segments();
  ASSERT_GE(paths.size(), 3U);
  const std::string whole = contents(paths[1]);
  const auto blocks = positions(paths[1]);
  ASSERT_GE(blocks.size(), 2U);

  flip(paths[1], blocks[1] + 10);
  expect_refused(ErrorCode::Corruption, paths[1], blocks[1]);
  write(paths[1], whole.substr(0, whole.size() - 1));
  expect_refused(ErrorCode::Corruption, paths[1], blocks.back());
  write(paths[1], whole + "x");
  expect_refused(ErrorCode::Corruption, paths[1], whole.size());
  write(paths[1], whole.substr(0, blocks.back()));  // ends early, at a block
  expect_refused(ErrorCode::Corruption, paths[1], blocks.back());
  write(paths[1], "");
  expect_refused(ErrorCode::Corruption, paths[1], 0);
  ASSERT_TRUE(files_.remove(paths[1]));
  expect_refused(ErrorCode::Corruption, paths[0], contents(paths[0]).size());
}

TEST_F(JournalRecovery, DamagedPayloadsOfEarlierSegmentsAreFoundWhenRead) {
  options_.segment_bytes_max = 3000;
  write_commits(12);
  const auto paths = segments();
  const auto blocks = positions(paths[1]);
  const Offset first{std::stoull(paths[1].substr(kFolder.size() + 1))};
  flip(paths[1], blocks[1] + kBlockHeaderBytes + 5);
  const auto journal = open();
  const auto before = journal->read(Offset{0}, 1 << 30).value();  // what is good, up to there
  ASSERT_EQ(before.size(), value(first) + 1);
  const auto read = journal->read(first + 1, 1 << 30);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), ErrorCode::Corruption);
  EXPECT_THAT(read.error().message(),
              AllOf(HasSubstr(paths[1]), HasSubstr("byte " + std::to_string(blocks[1]) + ":")));
  EXPECT_EQ(journal->read(first + 2, 1).value().at(0).offset, first + 2);  // the rest is there
}

TEST_F(JournalRecovery, AMissingFileIsCorruptionNotAnOldOffset) {
  options_.segment_bytes_max = 3000;
  write_commits(12);
  const auto journal = open();
  ASSERT_TRUE(files_.remove(segments()[0]));
  EXPECT_EQ(journal->read(Offset{0}, 1).error().code(), ErrorCode::Corruption);
}

TEST_F(JournalRecovery, LeavesForeignFilesAndRemovesItsOwnUnfinishedOnes) {
  write_commits(2);
  write("journal/notes.txt", "mine");
  write("journal/123.journal", "mine");
  write(kFirstPath + ".tmp", "half a copy");
  expect_records(2);
  EXPECT_TRUE(files_.exists("journal/notes.txt"));
  EXPECT_TRUE(files_.exists("journal/123.journal"));
  EXPECT_FALSE(files_.exists(kFirstPath + ".tmp"));
}

}  // namespace
}  // namespace opentrail::journal
