// Goal: no byte of a blob can change unnoticed, and files come and go as the index says. Method: a
// disk in memory whose bytes are changed behind the folder's back: flipped, cut, moved.
#include "objects/blob_folder.h"

#include "base/text.h"
#include "crypto/keyring.h"
#include "io/faulty_filesystem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::objects {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr std::size_t kHeadingBytes = 8;
constexpr std::size_t kSealedChunkBytes =
    kChunkBytes + crypto::AesGcm::kNonceBytes + crypto::AesGcm::kTagBytes;

struct Written {
  Blob blob;
  std::string data_key;
  std::string path;
};

class BlobFolderTest : public testing::Test {
 protected:
  BlobFolderTest() { EXPECT_TRUE(files_.create_directories("data")); }

  Written write(std::string_view bytes, std::size_t step = 1000) {
    const auto writer = folder_->create(random_).value();
    while (!bytes.empty()) {
      EXPECT_TRUE(writer->append(bytes.substr(0, step)));
      bytes.remove_prefix(std::min(step, bytes.size()));
    }
    EXPECT_TRUE(writer->finish());
    writer->keep();
    return {.blob = {.id = writer->id(), .size = writer->size(), .sealed_key = {}},
            .data_key = writer->data_key(),
            .path = "data/" + writer->id().substr(0, 2) + "/" + writer->id()};
  }

  Result<std::string> read(const Written& written) {
    OT_TRY(const auto reader, folder_->open(written.blob, written.data_key));
    std::string all;
    std::uint64_t index = 0;
    do {
      OT_TRY(const std::string chunk, reader->chunk(index++));
      all += chunk;
    } while (all.size() < written.blob.size);
    return all;
  }

  void expect_corruption(const Written& written, std::string_view what) {
    const auto bytes = read(written);
    ASSERT_FALSE(bytes.has_value()) << what;
    EXPECT_EQ(bytes.error().code(), ErrorCode::Corruption) << what;
    EXPECT_THAT(bytes.error().message(), HasSubstr(written.blob.id));
  }

  std::string file_of(const Written& written) {
    return io::read_file(files_, written.path, 1 << 20).value();
  }

  void replace(const Written& written, std::string_view bytes) {
    ASSERT_TRUE(io::write_file_atomically(files_, written.path, bytes));
  }

  io::FaultyFilesystem files_{7};
  io::SeededRandom random_{7};
  std::shared_ptr<BlobFolder> folder_ = std::make_shared<BlobFolder>(files_, "data");
};

std::string pattern(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; text.size() < bytes; ++i) {
    text += std::to_string(i) + ",";
  }
  text.resize(bytes);
  return text;
}

TEST_F(BlobFolderTest, GivesBackWhatWasWritten) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, kChunkBytes - 1, kChunkBytes,
                                  kChunkBytes + 1, 3 * kChunkBytes}) {
    const std::string plain = pattern(bytes);
    for (const std::size_t step : {std::size_t{999}, kChunkBytes, std::size_t{1} << 20}) {
      const Written written = write(plain, step);
      EXPECT_EQ(read(written).value(), plain) << bytes << " in steps of " << step;
    }
  }
}

TEST_F(BlobFolderTest, ThePlainBytesAreNotOnTheDisk) {
  const Written written = write("the secret is out");
  EXPECT_EQ(file_of(written).find("secret"), std::string::npos);
  EXPECT_EQ(file_of(written).find(written.data_key), std::string::npos);
}

TEST_F(BlobFolderTest, EveryFlippedByteIsCorruption) {
  const Written written = write("a short text");
  const std::string good = file_of(written);
  for (std::size_t i = 0; i < good.size(); ++i) {
    files_.overwrite(written.path, i, std::string(1, static_cast<char>(good[i] ^ 1)));
    expect_corruption(written, "byte " + std::to_string(i));
    files_.overwrite(written.path, i, std::string(1, good[i]));
  }
  EXPECT_EQ(read(written).value(), "a short text");
}

TEST_F(BlobFolderTest, CutLengthenedMissingIsCorruption) {
  const Written written = write(pattern(2 * kChunkBytes + 5));
  const std::string good = file_of(written);
  for (const std::size_t keep :
       {std::size_t{0}, kHeadingBytes, kHeadingBytes + kSealedChunkBytes, good.size() - 1}) {
    replace(written, good.substr(0, keep));
    expect_corruption(written, "cut to " + std::to_string(keep));
  }
  replace(written, good + "x");
  expect_corruption(written, "lengthened");
  ASSERT_TRUE(files_.remove(written.path));
  expect_corruption(written, "missing");
}

TEST_F(BlobFolderTest, MovedChunksAreCorruption) {
  const Written one = write(pattern(3 * kChunkBytes));
  const std::string good = file_of(one);
  const auto chunk = [](const std::string& file, std::size_t index) {
    return file.substr(kHeadingBytes + index * kSealedChunkBytes, kSealedChunkBytes);
  };
  const std::string heading = good.substr(0, kHeadingBytes);
  replace(one, heading + chunk(good, 1) + chunk(good, 0) + chunk(good, 2));
  expect_corruption(one, "swapped");
  replace(one, heading + chunk(good, 0) + chunk(good, 0) + chunk(good, 2));
  expect_corruption(one, "repeated");

  // A row that says two chunks: the second was not sealed as the last one.
  Written shorter = one;
  shorter.blob.size = 2 * kChunkBytes;
  replace(one, heading + chunk(good, 0) + chunk(good, 1));
  expect_corruption(shorter, "shortened with its row");

  // Another blob's file, also under that blob's key.
  const Written two = write(pattern(3 * kChunkBytes));
  replace(one, file_of(two));
  expect_corruption(one, "another blob");
  Written other_key = one;
  other_key.data_key = two.data_key;
  expect_corruption(other_key, "another blob under its key");
}

TEST_F(BlobFolderTest, AWriterThatIsNotKeptLeavesNothing) {
  std::string id;
  {
    const auto writer = folder_->create(random_).value();
    id = writer->id();
    ASSERT_TRUE(writer->append("half"));
    ASSERT_TRUE(writer->finish());
  }
  EXPECT_FALSE(files_.exists("data/" + id.substr(0, 2) + "/" + id));
}

TEST_F(BlobFolderTest, AFolderThatWasNotSyncedIsSyncedBeforeItIsUsed) {
  // The second blob goes into the folder of a first try whose sync of the name failed: a crash
  // must not take it away.
  io::SeededRandom again(9);
  files_.fail_call(2, Error(ErrorCode::Unavailable, "sync"));  // 1 makes the folder
  ASSERT_FALSE(folder_->create(again).has_value());
  io::SeededRandom same(9);
  const auto writer = folder_->create(same).value();
  ASSERT_TRUE(writer->append("kept"));
  ASSERT_TRUE(writer->finish());
  writer->keep();
  ASSERT_TRUE(files_.sync_directory(""));
  files_.crash();
  EXPECT_TRUE(files_.exists("data/" + writer->id().substr(0, 2) + "/" + writer->id()));
}

TEST_F(BlobFolderTest, PinnedFilesStayUntilTheLastReaderGoes) {
  const Written written = write("text");
  const auto look_up = [] { return Result<std::string>("owner"); };
  auto first = folder_->pin(look_up).value();
  auto second = folder_->pin(look_up).value();
  folder_->retire("owner", {written.blob.id});
  EXPECT_EQ(read(written).value(), "text");
  first.reset();
  EXPECT_EQ(read(written).value(), "text");
  second.reset();
  EXPECT_FALSE(files_.exists(written.path));

  const Written unpinned = write("text");
  folder_->retire("owner", {unpinned.blob.id});
  EXPECT_FALSE(files_.exists(unpinned.path));
}

TEST_F(BlobFolderTest, APinThatFindsNothingHoldsNothing) {
  const auto pin =
      folder_->pin([]() -> Result<std::string> { return fail(ErrorCode::NotFound, "no key"); });
  ASSERT_FALSE(pin.has_value());
  EXPECT_EQ(pin.error().code(), ErrorCode::NotFound);
}

TEST_F(BlobFolderTest, SweepRemovesOrphansAndNamesTheMissing) {
  const Written known = write("known");
  const Written orphan = write("orphan");
  std::vector<std::string> rows = {known.blob.id};
  for (int i = 0; i < 12; ++i) {
    rows.push_back("ee" + std::string(28, '0') + (i < 10 ? "0" : "1") + std::to_string(i % 10));
  }
  std::ranges::sort(rows);
  const auto report = folder_->sweep([&](const std::string& from, const std::string& to) {
    std::vector<std::string> found;
    for (const std::string& row : rows) {
      if (row >= from && row < to) {
        found.push_back(row);
      }
    }
    return Result<std::vector<std::string>>(found);
  });
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->removed, 1U);
  EXPECT_EQ(report->missing_count, 12U);
  EXPECT_THAT(report->missing, SizeIs(10));
  EXPECT_TRUE(files_.exists(known.path));
  EXPECT_FALSE(files_.exists(orphan.path));
}

}  // namespace
}  // namespace opentrail::objects
