// Goal: the posix filesystem does what its header says, on a folder of its own.
#include "io/filesystem.h"

#include "io/temp_folder.h"

#include <array>

#include <gtest/gtest.h>

namespace opentrail::io {
namespace {

TEST(PosixFilesystem, AppendsReadsAndTruncates) {
  const TempFolder folder;
  const auto files = make_posix_filesystem();
  const std::string path = join_path(folder.path(), "a");
  const auto file = files->open(path, OpenMode::CreateNew).value();
  ASSERT_TRUE(file->append(as_bytes("hello ")));
  ASSERT_TRUE(file->append(as_bytes("world")));
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(file->size(), 11U);
  EXPECT_EQ(file->read_at(6, 100), "world");
  ASSERT_TRUE(file->truncate(5));
  ASSERT_TRUE(file->append(as_bytes("!")));
  EXPECT_EQ(read_file(*files, path, 100), "hello!");
  EXPECT_EQ(read_file(*files, path, 3).error().code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(files->open(path, OpenMode::CreateNew).error().code(), ErrorCode::AlreadyExists);
}

TEST(PosixFilesystem, AppendsPartsAndReadsIntoABuffer) {
  const TempFolder folder;
  const auto files = make_posix_filesystem();
  const auto file = files->open(join_path(folder.path(), "a"), OpenMode::CreateNew).value();
  const std::string text = "abcdefghijklmnopqrstuvwxyz";
  std::vector<ByteSpan> parts;  // more than go to the kernel at once, empty ones among them
  std::string wanted;
  for (std::size_t i = 0; i < 500; ++i) {
    const std::string_view part = std::string_view(text).substr(i % 26, i % 7);
    parts.push_back(as_bytes(part));
    wanted += part;
  }
  ASSERT_TRUE(file->append(parts));
  ASSERT_TRUE(file->append(std::span<const ByteSpan>()));
  ASSERT_TRUE(file->append(std::array<ByteSpan, 2>{}));
  EXPECT_EQ(file->size(), wanted.size());
  std::string buffer(wanted.size() + 10, '?');
  const std::span<std::byte> out = std::as_writable_bytes(std::span(buffer));
  EXPECT_EQ(file->read_at(0, out), wanted.size());
  EXPECT_EQ(buffer.substr(0, wanted.size()), wanted);
  EXPECT_EQ(file->read_at(wanted.size() - 3, out), 3U);
  EXPECT_EQ(buffer.substr(0, 3), wanted.substr(wanted.size() - 3));
  EXPECT_EQ(file->read_at(wanted.size(), out), 0U);
  EXPECT_EQ(file->read_at(0, std::span<std::byte>()), 0U);
}

TEST(PosixFilesystem, WritesAtomicallyOverALeftDraft) {
  const TempFolder folder;
  const auto files = make_posix_filesystem();
  const std::string path = join_path(folder.path(), "a");
  ASSERT_TRUE(files->open(path + ".new", OpenMode::CreateNew).value()->append(as_bytes("half")));
  ASSERT_TRUE(write_file_atomically(*files, path, "whole"));
  EXPECT_EQ(read_file(*files, path, 100), "whole");
  EXPECT_EQ(files->list(folder.path()), std::vector<std::string>{"a"});
}

TEST(PosixFilesystem, LocksOnce) {
  const TempFolder folder;
  const auto files = make_posix_filesystem();
  const std::string path = join_path(folder.path(), "lock");
  auto first = files->lock(path);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(files->lock(path).error().code(), ErrorCode::Conflict);
  first->reset();
  EXPECT_TRUE(files->lock(path).has_value());
}

TEST(PosixFilesystem, TellsHowMuchRoomThereIs) {
  const TempFolder folder;
  const auto files = make_posix_filesystem();
  EXPECT_GT(files->free_bytes(folder.path()).value(), 0U);
  EXPECT_EQ(files->free_bytes(join_path(folder.path(), "missing")).error().code(),
            ErrorCode::NotFound);
}

TEST(PosixFilesystem, NamesWhatIsMissing) {
  const auto files = make_posix_filesystem();
  const auto missing = files->open("/nonexistent/x", OpenMode::Read);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code(), ErrorCode::NotFound);
  EXPECT_NE(missing.error().message().find("/nonexistent/x"), std::string::npos);
}

TEST(Paths, JoinAndParent) {
  EXPECT_EQ(join_path("a/", "b"), "a/b");
  EXPECT_EQ(join_path("", "b"), "b");
  EXPECT_EQ(parent_path("a/b/"), "a");
  EXPECT_EQ(parent_path("/a"), "/");
  EXPECT_EQ(parent_path("a"), "");
}

}  // namespace
}  // namespace opentrail::io
