// Goal: read a file of records whatever it is called and however it is packed, and say what was
// seen of it when it breaks. Method: files in a temp folder; the records and facts compared.
#include "collect/record_file.h"

#include "collect/gzip.h"
#include "io/temp_folder.h"

#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::collect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RecordFile : public testing::Test {
 protected:
  Result<void> read(std::string_view bytes) {
    const std::string path = folder_.path() + "/file";
    std::ofstream(path, std::ios::binary) << bytes;
    return read_path(path);
  }

  Result<void> read_path(const std::string& path) {
    records_.clear();
    facts_ = {};
    bytes_read_ = 0;
    return read_record_file(
        *files_, path,
        [&](const record::RecordSplitter::Item& item) -> Result<void> {
          records_.push_back(std::to_string(item.line) + ":" + std::string(item.json));
          return {};
        },
        [&](const record::RecordSplitter::BrokenLines& lines) -> Result<void> {
          records_.push_back(std::to_string(lines.first) + ":broken");
          return {};
        },
        [&](std::uint64_t bytes) -> Result<void> {
          bytes_read_ += bytes;
          return {};
        },
        facts_);
  }

  io::TempFolder folder_;
  std::unique_ptr<io::Filesystem> files_ = io::make_posix_filesystem();
  std::vector<std::string> records_;
  RecordFileFacts facts_;
  std::uint64_t bytes_read_ = 0;
};

constexpr std::string_view kLogFile = "{\"Records\":[{\"a\":1},\n{\"a\":2}]}";

TEST_F(RecordFile, ReadsPlainAndPackedAlike) {
  ASSERT_TRUE(read(kLogFile).has_value());
  EXPECT_THAT(records_, ElementsAre("1:{\"a\":1}", "2:{\"a\":2}"));
  EXPECT_EQ(facts_.coding, Coding::Identity);
  EXPECT_EQ(bytes_read_, kLogFile.size());

  const std::string packed = gzip(kLogFile);
  ASSERT_TRUE(read(packed).has_value());
  EXPECT_THAT(records_, ElementsAre("1:{\"a\":1}", "2:{\"a\":2}"));
  EXPECT_EQ(facts_.coding, Coding::Gzip);
  EXPECT_EQ(bytes_read_, packed.size());
}

TEST_F(RecordFile, PassesOverAByteOrderMark) {
  ASSERT_TRUE(read("\xef\xbb\xbf {\"a\":1}").has_value());
  EXPECT_THAT(records_, ElementsAre("1:{\"a\":1}"));
  EXPECT_FALSE(facts_.not_json);
}

TEST_F(RecordFile, ReadsFilesOfManyPieces) {
  std::string text;
  const std::size_t count = 3 * kReadBytes / 100;
  for (std::size_t i = 0; i < count; ++i) {
    text += "{\"n\":\"" + std::string(100, 'x') + "\"}\n";
  }
  ASSERT_TRUE(read(text).has_value());
  EXPECT_EQ(records_.size(), count);
  ASSERT_TRUE(read(gzip(text)).has_value());
  EXPECT_EQ(records_.size(), count);
}

TEST_F(RecordFile, KeepsWhatCameBeforeABreak) {
  const auto broken = read("{\"a\":1}\n{\"a\":2}\n{\"a\":");
  ASSERT_FALSE(broken.has_value());
  EXPECT_THAT(broken.error().message(), HasSubstr("line 3: "));
  EXPECT_EQ(records_.size(), 2U);

  const std::string packed = gzip("{\"a\":1}\n{\"a\":2}\n");
  const auto truncated = read(packed.substr(0, packed.size() - 4));
  ASSERT_FALSE(truncated.has_value());
  EXPECT_THAT(truncated.error().message(), HasSubstr("truncated"));
  EXPECT_EQ(records_.size(), 2U);
}

TEST_F(RecordFile, TellsWhatIsNotJsonAndWhatIsEmpty) {
  ASSERT_TRUE(read("2 123456789010 eni-1 172.31.16.139").has_value());
  EXPECT_TRUE(facts_.not_json);
  EXPECT_EQ(facts_.first_byte, '2');
  ASSERT_TRUE(read("").has_value());
  EXPECT_FALSE(facts_.has_text);
  ASSERT_TRUE(read(" \r\n\t\n").has_value());
  EXPECT_FALSE(facts_.has_text);
  ASSERT_TRUE(read(gzip("")).has_value());
  EXPECT_FALSE(facts_.has_text);
  ASSERT_TRUE(read(gzip("PAX header of a tar file")).has_value());
  EXPECT_TRUE(facts_.not_json);
}

TEST_F(RecordFile, CountsDigestFiles) {
  ASSERT_TRUE(read(R"({"awsAccountId":"1","digestS3Object":"x","logFiles":[]})").has_value());
  EXPECT_TRUE(records_.empty());
  EXPECT_EQ(facts_.digests, 1U);
}

TEST_F(RecordFile, NamesAFileThatCannotBeOpened) {
  const auto missing = read_path(folder_.path() + "/none.json");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code(), ErrorCode::NotFound);
  EXPECT_THAT(missing.error().message(), HasSubstr("none.json"));
}

}  // namespace
}  // namespace opentrail::collect
