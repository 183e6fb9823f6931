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
  for (const std::string_view magic : {"OTJB"sv, "OTJB\2\1"sv, "OTJBzzzz"sv}) {
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
  bytes[last + 4] = '\3';
  write(kFirstPath, bytes);
  expect_refused(ErrorCode::Unsupported, kFirstPath, last);
  EXPECT_EQ(contents(kFirstPath), bytes);
}

/// Written by the program that wrote version 1: commits of one, three (in three blocks) and one.
constexpr std::string_view kVersion1File =
    "4f544a420100000041000000410000000000000000000000010000000000000000000000be3606759082bb5304000c"
    "00"
    "0900000000008059bc0ca20100001200000069642d3031313131323232323333333365752d776573742d317b226e22"
    "3a"
    "302c2274657874223a2278227d4f544a420101000061000000820000000100000000000000020000006d0000000000"
    "00"
    "008edfa24bf5e1f9d928b52ffd2082c50200d2c4111bb0351dcc61a928823a2763bf21434f5f8a5c95a60949259252"
    "78"
    "a7b90bb2cd80edd35cbb74abedbae2e994638e4b1d8b8aa9aa6666feff11496c13f611a08101b08f3d185908050080"
    "0b"
    "5028e018c817105888024f544a420100000041000000410000000300000000000000010000006d00000000000000ff"
    "66"
    "256edb1f38b704000c000900000001008359bc0ca20100001200000069642d3331313131323232323333333375732d"
    "65"
    "6173742d317b226e223a332c2274657874223a2278227d4f544a4201010000520000007c0000000400000000000000"
    "01"
    "00000067010000000000009b272add7a57905828b52ffd207c4d0200140404000c000900000000008459bc0ca20100"
    "00"
    "4d00000069642d3431313131323232323333333365752d776573742d317b226e223a342c2274657874223a2278227d"
    "01"
    "000f094001";

record::Record version_1_record(std::uint64_t n) {
  record::Record record;
  record.id = "id-" + std::to_string(n);
  record.account_id = "111122223333";
  record.region = n % 2 == 1 ? "us-east-1" : "eu-west-1";
  record.event_time = Timestamp(std::chrono::milliseconds(1795510000000 + n));
  record.category = n == 2 ? record::Category::Data : record::Category::Management;
  record.origin = n == 1 ? record::Origin::Import : record::Origin::Call;
  record.event_time_is_arrival = n == 3;
  record.json =
      R"({"n":)" + std::to_string(n) + R"(,"text":")" + std::string(n == 4 ? 60 : 1, 'x') + R"("})";
  return record;
}

TEST_F(JournalRecovery, AFileOfVersion1IsReadAndFollowedByANewOne) {
  const std::string bytes = from_hex(kVersion1File).value();
  ASSERT_TRUE(files_.create_directories(kFolder));
  write(kFirstPath, bytes);
  for (const std::uint64_t end : {5U, 7U, 8U}) {
    const auto journal = open();
    EXPECT_EQ(journal->recovery().bytes_cut, 0U);
    ASSERT_EQ(journal->end(), Offset{end});
    const auto found = journal->read(Offset{0}, 1 << 30).value();
    ASSERT_EQ(found.size(), end);
    for (std::uint64_t i = 0; i < end; ++i) {
      const auto expected = i < 5 ? version_1_record(i) : make_record(i);
      ASSERT_EQ(found[i].offset, Offset{i});
      ASSERT_TRUE(same(found[i].record, expected)) << i;
    }
    const auto blocks = journal->read_blocks(Offset{0}, 1 << 30).value();
    for (const RawBlock& block : blocks) {
      EXPECT_EQ(block.copyable, value(block.first) >= 5);
      EXPECT_EQ(block.decode().value().size(), block.record_count);
    }
    ASSERT_TRUE(journal->append_and_wait(make_records(end, end == 5 ? 2 : 1)));
    EXPECT_EQ(contents(kFirstPath), bytes);
    EXPECT_EQ(segments().size(), 2U);
  }
}

TEST_F(JournalRecovery, ATornFileOfVersion1IsCutAndClosed) {
  const std::string bytes = from_hex(kVersion1File).value();
  ASSERT_TRUE(files_.create_directories(kFolder));
  write(kFirstPath, bytes.substr(0, bytes.size() - 1));
  const auto journal = open();
  EXPECT_EQ(journal->end(), Offset{4});
  ASSERT_TRUE(journal->append_and_wait({make_record(4)}));
  EXPECT_EQ(segments().size(), 2U);
  EXPECT_TRUE(same(journal->read(Offset{3}, 1).value().at(0).record, version_1_record(3)));
  EXPECT_TRUE(same(journal->read(Offset{4}, 1).value().at(0).record, make_record(4)));
}

TEST_F(JournalRecovery, ADictionaryThatIsDamagedOrGoneIsCorruption) {
  options_.dictionary = synthetic::make_dictionary();
  options_.segment_bytes_max = 2000;
  write_commits(8);
  const auto paths = segments();
  ASSERT_GE(paths.size(), 3U);
  const std::string whole = contents(paths[1]);
  const auto blocks = positions(paths[1]);
  ASSERT_GE(blocks.size(), 2U);
  const Offset first{std::stoull(paths[1].substr(kFolder.size() + 1))};
  // Found when read, as payloads are.
  flip(paths[1], kBlockHeaderBytes + 100);
  const auto read = open()->read(first, 1);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), ErrorCode::Corruption);
  EXPECT_THAT(read.error().message(), HasSubstr(paths[1] + " at byte 0"));
  // Without it the blocks cannot be read, and another one has no place behind them.
  write(paths[1], whole.substr(blocks[1]));
  expect_refused(ErrorCode::Corruption, paths[1], 0);
  write(paths[1], whole);
  expect_records(8);
}

TEST_F(JournalRecovery, ATornDictionaryIsATornTail) {
  options_.segment_bytes_max = 2000;
  write_commits(4);
  options_.dictionary = synthetic::make_dictionary();
  write_commits(1);
  const std::string last = segments().back();
  const std::string whole = contents(last);
  const auto blocks = positions(last);
  ASSERT_EQ(blocks.size(), 2U);
  for (const std::uint64_t bytes :
       {std::uint64_t{0}, std::uint64_t{20}, blocks[1] / 2, blocks[1], blocks[1] + 10}) {
    write(last, whole.substr(0, bytes));
    EXPECT_EQ(open()->end(), Offset{4});
  }
  write_commits(2);
  expect_records(6);
}

TEST_F(JournalRecovery, ANewStartTakesTheDictionaryOver) {
  options_.dictionary = synthetic::make_dictionary();
  options_.segment_bytes_max = 2000;
  write_commits(4);
  options_.dictionary = nullptr;
  write_commits(4);
  const auto journal = open();
  const auto blocks = journal->read_blocks(Offset{0}, 1 << 30).value();
  for (const RawBlock& block : blocks) {
    EXPECT_EQ(block.codec, BlockCodec::ZstdDictionary);
    EXPECT_EQ(block.dictionary, blocks.front().dictionary);  // held once for all segments
  }
  expect_records(8);
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
