// Goal: the faulty disk keeps what was synced, whatever the seed, and does lose the rest at times:
// a fake that is too kind would make the crash tests of others worthless. Method: small histories,
// crashed under many seeds; every outcome that must be possible is seen, none that must not.
#include "io/faulty_filesystem.h"

#include <array>
#include <optional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::io {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using testing::StartsWith;

constexpr std::uint64_t kSeeds = 400;

std::string contents(Filesystem& files, const std::string& path) {
  auto text = read_file(files, path, 1 << 20);
  return text ? *std::move(text) : "(" + std::string(to_string(text.error().code())) + ")";
}

TEST(FaultyFilesystem, BehavesAsADiskUntilToldOtherwise) {
  FaultyFilesystem files(1);
  EXPECT_EQ(files.open("d/a", OpenMode::Append).error().code(), ErrorCode::NotFound);
  ASSERT_TRUE(files.create_directories("d/e"));
  ASSERT_TRUE(write_file_atomically(files, "d/a", "one"));
  ASSERT_TRUE(write_file_atomically(files, "d/a", "two"));
  EXPECT_EQ(contents(files, "d/a"), "two");
  EXPECT_THAT(files.list("d").value(), ElementsAre("a", "e"));
  EXPECT_EQ(files.open("d/a", OpenMode::CreateNew).error().code(), ErrorCode::AlreadyExists);
  EXPECT_EQ(files.remove_directory("d").error().code(), ErrorCode::AlreadyExists);
  {
    const auto file = files.open("d/a", OpenMode::Append).value();
    ASSERT_TRUE(file->append(as_bytes("+more")));
    EXPECT_EQ(file->read_at(2, 4).value(), "o+mo");
    EXPECT_EQ(file->read_at(100, 4).value(), "");
    ASSERT_TRUE(file->truncate(3));
    EXPECT_EQ(file->size().value(), 3U);
    EXPECT_FALSE(files.open("d/a", OpenMode::Read).value()->append(as_bytes("x")));
  }
  const auto held = files.lock("d/lock");
  ASSERT_TRUE(held);
  EXPECT_EQ(files.lock("d/lock").error().code(), ErrorCode::Conflict);
  ASSERT_TRUE(files.remove("d/a"));
  EXPECT_FALSE(files.exists("d/a"));
  EXPECT_EQ(files.remove("d/a").error().code(), ErrorCode::NotFound);
}

TEST(FaultyFilesystem, FailsTheCallItWasToldTo) {
  FaultyFilesystem files(7);
  const auto file = files.open("a", OpenMode::Append).value();
  files.fail_call(2, Error(ErrorCode::ResourceExhausted, "no space"));
  ASSERT_TRUE(file->append(as_bytes("first")));
  const auto failed = file->append(as_bytes("second"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), ErrorCode::ResourceExhausted);
  EXPECT_EQ(failed.error().message(), "write a: no space");
  EXPECT_THAT(contents(files, "a"), StartsWith("first"));
  EXPECT_TRUE(file->append(as_bytes("third")));

  files.stop_at_call(2);
  EXPECT_TRUE(file->sync());
  EXPECT_FALSE(file->sync());
  EXPECT_FALSE(file->size());
  EXPECT_TRUE(files.stopped());
  files.crash();
  EXPECT_FALSE(files.stopped());
  EXPECT_FALSE(file->size()) << "a handle from before the crash";
}

TEST(FaultyFilesystem, KeepsSyncedBytesAndNamesAndMayLoseTheOthers) {
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    FaultyFilesystem files(seed);
    const auto file = files.open("a", OpenMode::Append).value();
    ASSERT_TRUE(file->append(as_bytes("safe")));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(files.sync_directory(""));
    ASSERT_TRUE(file->append(as_bytes("XY")));
    files.crash();
    outcomes.insert(contents(files, "a"));
  }
  EXPECT_THAT(outcomes, testing::IsSupersetOf({"safe", "safeX", "safeXY"}));
  for (const std::string& outcome : outcomes) {
    EXPECT_THAT(outcome, StartsWith("safe"));
  }
  EXPECT_THAT(outcomes, Contains(std::string("safe\0", 5))) << "sectors may be missing";
}

TEST(FaultyFilesystem, MayLoseASectorInTheMiddle) {
  bool hole = false;
  for (std::uint64_t seed = 0; seed < kSeeds && !hole; ++seed) {
    FaultyFilesystem files(seed);
    const auto file = files.open("a", OpenMode::Append).value();
    ASSERT_TRUE(files.sync_directory(""));
    ASSERT_TRUE(file->append(as_bytes(std::string(2048, 'x'))));
    files.crash();
    const std::string left = contents(files, "a");
    hole = left.find(std::string(512, '\0') + "x") != std::string::npos;
  }
  EXPECT_TRUE(hole);
}

TEST(FaultyFilesystem, MayLoseNamesThatWereNotSynced) {
  std::set<std::string> created;
  std::set<std::string> renamed;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    FaultyFilesystem files(seed);
    {
      const auto file = files.open("new", OpenMode::Append).value();
      ASSERT_TRUE(file->append(as_bytes("n")));
      ASSERT_TRUE(file->sync());
    }
    ASSERT_TRUE(write_file_atomically(files, "b", "old"));
    ASSERT_TRUE(write_file_atomically(files, "b.next", "next"));
    ASSERT_TRUE(files.rename("b.next", "b"));
    files.crash();
    created.insert(contents(files, "new"));
    renamed.insert(contents(files, "b") + contents(files, "b.next"));
  }
  EXPECT_THAT(created, ElementsAre("n")) << "synced with its folder by the atomic writes";
  EXPECT_THAT(renamed, ElementsAre("next(NotFound)", "oldnext"));

  created.clear();
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    FaultyFilesystem files(seed);
    ASSERT_TRUE(files.create_directories("d"));
    ASSERT_TRUE(files.open("d/a", OpenMode::Append).has_value());
    files.crash();
    created.insert(files.exists("d") ? contents(files, "d/a") : "no folder");
  }
  EXPECT_THAT(created, ElementsAre("", "(NotFound)", "no folder"));
}

TEST(FaultyFilesystem, AFailedSyncIsNotMendedByTheNext) {
  bool lost = false;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    FaultyFilesystem files(seed);
    const auto file = files.open("a", OpenMode::Append).value();
    ASSERT_TRUE(files.sync_directory(""));
    ASSERT_TRUE(file->append(as_bytes("x")));
    files.fail_call(1, Error(ErrorCode::Unavailable, "I/O error"));
    ASSERT_FALSE(file->sync());
    ASSERT_TRUE(file->sync());
    files.crash();
    lost = lost || contents(files, "a").empty();
  }
  EXPECT_TRUE(lost);
}

TEST(FaultyFilesystem, AtomicWritesSurviveAnyCrash) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    FaultyFilesystem files(seed);
    ASSERT_TRUE(write_file_atomically(files, "a", "old"));
    files.stop_at_call(1 + seed % 8);
    const bool written = write_file_atomically(files, "a", "new").has_value();
    files.crash();
    const std::string left = contents(files, "a");
    EXPECT_TRUE(left == "new" || (left == "old" && !written)) << left;
    EXPECT_THAT(left, Not(StartsWith("(")));
  }
}

TEST(FaultyFilesystem, ReadsIntoABufferAndAppendsPartsInOneCall) {
  FaultyFilesystem files(3);
  const auto file = files.open("a", OpenMode::Append).value();
  const std::array<ByteSpan, 3> parts = {as_bytes("one"), ByteSpan(), as_bytes("two")};
  const std::uint64_t before = files.calls();
  ASSERT_TRUE(file->append(parts));
  EXPECT_EQ(files.calls() - before, 1U);
  std::array<std::byte, 4> buffer{};
  EXPECT_EQ(file->read_at(2, buffer).value(), 4U);
  EXPECT_EQ(as_text(buffer), "etwo");
  EXPECT_EQ(file->read_at(5, buffer).value(), 1U);
  EXPECT_EQ(as_text(ByteSpan(buffer).first(1)), "o");
  EXPECT_EQ(file->read_at(6, buffer).value(), 0U);
  EXPECT_EQ(file->read_at(600, buffer).value(), 0U);
}

TEST(FaultyFilesystem, ALyingDiskLosesWhatItSaidIsSafe) {
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    FaultyFilesystem files(seed);
    const auto file = files.open("a", OpenMode::Append).value();
    ASSERT_TRUE(file->append(as_bytes("safe")));
    files.lie_about_syncs_from_call(3);
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(files.sync_directory(""));
    ASSERT_TRUE(file->append(as_bytes("X")));  // the third
    ASSERT_TRUE(file->sync());
    files.crash();
    outcomes.insert(contents(files, "a"));
  }
  EXPECT_THAT(outcomes, testing::IsSupersetOf({"safe", "safeX"}));
  for (const std::string& outcome : outcomes) {
    EXPECT_THAT(outcome, StartsWith("safe"));
  }
}

TEST(FaultyFilesystem, LiesAboutOneFileOrFolderUntilItStops) {
  std::set<std::string> lied;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    FaultyFilesystem files(seed);
    files.lie_about_syncs_of("a");
    const auto a = files.open("a", OpenMode::Append).value();
    const auto b = files.open("b", OpenMode::Append).value();
    ASSERT_TRUE(files.sync_directory(""));
    ASSERT_TRUE(a->append(as_bytes("A")));
    ASSERT_TRUE(b->append(as_bytes("B")));
    ASSERT_TRUE(a->sync());
    ASSERT_TRUE(b->sync());
    if (seed % 2 == 0) {
      files.stop_lying();
      ASSERT_TRUE(a->sync());
    }
    files.crash();
    EXPECT_EQ(contents(files, "b"), "B");
    if (seed % 2 == 0) {
      EXPECT_EQ(contents(files, "a"), "A");
    } else {
      lied.insert(contents(files, "a"));
    }
  }
  EXPECT_THAT(lied, testing::IsSupersetOf({"", "A"}));

  lied.clear();
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    FaultyFilesystem files(seed);
    files.lie_about_syncs_of("");
    ASSERT_TRUE(write_file_atomically(files, "a", "new"));
    files.crash();
    lied.insert(contents(files, "a"));
  }
  EXPECT_THAT(lied, Contains("(NotFound)"));
}

TEST(FaultyFilesystem, AFullDiskWritesWhatFits) {
  FaultyFilesystem files(1);
  const auto file = files.open("a", OpenMode::Append).value();
  files.set_capacity(6);
  EXPECT_LE(files.free_bytes("").value(), 6U);
  ASSERT_TRUE(file->append(as_bytes("1234")));
  const auto refused = file->append(as_bytes("5678"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::ResourceExhausted);
  EXPECT_EQ(contents(files, "a"), "123456");
  EXPECT_EQ(files.open("b", OpenMode::Append).error().code(), ErrorCode::ResourceExhausted);
  EXPECT_FALSE(files.exists("b"));
  EXPECT_EQ(files.create_directories("d").error().code(), ErrorCode::ResourceExhausted);
  EXPECT_FALSE(files.exists("d"));
  EXPECT_TRUE(files.open("a", OpenMode::Append)) << "it exists";
  ASSERT_TRUE(file->sync());

  ASSERT_TRUE(file->truncate(2));
  EXPECT_TRUE(files.create_directories("d"));
  ASSERT_TRUE(file->append(as_bytes("3456")));
  files.set_capacity(std::nullopt);
  ASSERT_TRUE(file->append(as_bytes("78")));
  EXPECT_EQ(contents(files, "a"), "12345678");
}

TEST(FaultyFilesystem, OpensSoManyFilesAtOnce) {
  FaultyFilesystem files(1);
  files.set_open_files_max(2);
  auto file = files.open("a", OpenMode::Append);
  ASSERT_TRUE(file);
  auto held = files.lock("lock");
  ASSERT_TRUE(held);
  EXPECT_EQ(files.open("b", OpenMode::Append).error().code(), ErrorCode::ResourceExhausted);
  EXPECT_FALSE(files.exists("b"));
  EXPECT_EQ(files.lock("other").error().code(), ErrorCode::ResourceExhausted);
  EXPECT_EQ(files.list("").error().code(), ErrorCode::ResourceExhausted);
  EXPECT_EQ(files.sync_directory("").error().code(), ErrorCode::ResourceExhausted);
  held->reset();
  EXPECT_TRUE(files.list("")) << "it lets go of the folder";
  EXPECT_TRUE(files.open("b", OpenMode::Append));
  EXPECT_TRUE(files.lock("other"));
  held = files.lock("lock");
  files.crash();
  file->reset();
  held->reset();
  const auto again = files.open("c", OpenMode::Append);
  const auto third = files.open("d", OpenMode::Append);
  EXPECT_TRUE(again && third) << "a new process has none open";
  EXPECT_FALSE(files.open("e", OpenMode::Append));
  files.set_open_files_max(std::nullopt);
  EXPECT_TRUE(files.open("e", OpenMode::Append));
}

TEST(FaultyFilesystem, BitsRotAndFilesVanish) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    FaultyFilesystem files(seed);
    ASSERT_TRUE(write_file_atomically(files, "a", "bbb"));
    files.flip_bit("a", 1, 0);
    EXPECT_EQ(contents(files, "a"), "bcb");
    files.crash();
    EXPECT_EQ(contents(files, "a"), "bcb");
    files.flip_bit("a", 1, 7);
    files.flip_bit("a", 1, 7);
    EXPECT_EQ(contents(files, "a"), "bcb");

    const auto file = files.open("a", OpenMode::Read).value();
    ASSERT_TRUE(files.rename("a", "b"));
    files.lose_file("b");
    EXPECT_FALSE(files.exists("b"));
    EXPECT_EQ(file->read_at(0, 9).value(), "bcb");
    files.crash();
    EXPECT_THAT(files.list("").value(), ElementsAre());
  }
}

TEST(FaultyFilesystem, ReadsFailUntilMended) {
  FaultyFilesystem files(1);
  ASSERT_TRUE(write_file_atomically(files, "a", "bytes"));
  ASSERT_TRUE(write_file_atomically(files, "b", "bytes"));
  const auto file = files.open("a", OpenMode::Append).value();
  files.fail_reads("a", Error(ErrorCode::Unavailable, "input/output error"));
  EXPECT_EQ(file->read_at(0, 1).error().message(), "read a: input/output error");
  std::array<std::byte, 4> buffer{};
  EXPECT_FALSE(file->read_at(0, buffer));
  EXPECT_EQ(contents(files, "a"), "(Unavailable)");
  EXPECT_EQ(contents(files, "b"), "bytes");
  EXPECT_EQ(file->map().value()->bytes(), std::string_view("\0\0\0\0\0", 5));
  EXPECT_TRUE(file->append(as_bytes("+")));
  files.mend_reads("a");
  EXPECT_EQ(file->read_at(0, 9).value(), "bytes+");
}

TEST(FaultyFilesystem, MappingsShowWhatHappensBehindThem) {
  FaultyFilesystem files(1);
  ASSERT_TRUE(write_file_atomically(files, "a", "abcdef"));
  auto file = files.open("a", OpenMode::Append).value();
  const auto mapping = file->map().value();
  EXPECT_EQ(mapping->bytes(), "abcdef");
  files.overwrite("a", 1, "B");
  files.flip_bit("a", 2, 1);
  EXPECT_EQ(mapping->bytes(), "aBadef");
  files.overwrite("a", 5, "F and more");
  EXPECT_EQ(mapping->bytes(), "aBadeF");
  ASSERT_TRUE(file->truncate(4));
  ASSERT_TRUE(file->append(as_bytes("later")));
  EXPECT_EQ(mapping->bytes(), std::string_view("aBad\0\0", 6));
  EXPECT_EQ(file->map().value()->bytes(), "aBadlater");
  files.lose_file("a");
  file.reset();
  mapping->release();
  EXPECT_EQ(mapping->bytes(), std::string_view("aBad\0\0", 6));

  const auto other = files.open("b", OpenMode::Append).value();
  EXPECT_TRUE(other->map().value()->bytes().empty());
  files.fail_call(1, Error(ErrorCode::ResourceExhausted, "too many mappings"));
  EXPECT_EQ(other->map().error().code(), ErrorCode::ResourceExhausted);
}

}  // namespace
}  // namespace opentrail::io
