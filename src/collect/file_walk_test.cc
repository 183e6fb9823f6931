// Goal: take every file that may hold records, in a fixed order, and name all that is not taken.
// Method: a folder with good, foreign, linked, unreadable and special entries; the visits compared.
#include "collect/file_walk.h"

#include "io/temp_folder.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace opentrail::collect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

void write(const std::string& path, std::string_view text = "{}") {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

struct Visits {
  std::vector<std::string> files;
  std::vector<std::string> skipped;  ///< "name: reason", "!" in front when it failed.
  std::uint64_t bytes = 0;
};

Visits walk_all(const std::vector<std::string>& paths, const std::string& root) {
  Visits visits;
  const WalkVisitor visitor{.on_file = [&](const InputFile& file) -> Result<void> {
                              visits.files.push_back(file.path.substr(root.size() + 1));
                              visits.bytes += file.bytes;
                              return {};
                            },
                            .on_skipped = [&](const SkippedPath& skipped) -> Result<void> {
                              visits.skipped.push_back((skipped.failed ? "!" : "") +
                                                       skipped.path.substr(root.size() + 1) + ": " +
                                                       skipped.reason);
                              return {};
                            }};
  EXPECT_TRUE(walk(paths, visitor).has_value());
  return visits;
}

TEST(FileWalk, TellsKindsByName) {
  for (const char* name :
       {"a.json", "A.JSON", "a.json.gz", "x.ndjson", "x.jsonl", "GetCertificate.json.cloudtrail"}) {
    EXPECT_EQ(file_kind(name), FileKind::Json) << name;
  }
  for (const char* name : {"aws.log", "x.gz", "x.log.gz"}) {
    EXPECT_EQ(file_kind(name), FileKind::MaybeJson) << name;
  }
  for (const char* name : {"README.md", "LICENSE", "json", "a.json.bak", "a.json.zst", ""}) {
    EXPECT_EQ(file_kind(name), FileKind::Other) << name;
  }
}

TEST(FileWalk, VisitsInOrderAndNamesTheRest) {
  const io::TempFolder folder;
  const std::string& root = folder.path();
  for (const char* name : {"b/2.json", "b/1.json.gz", "a.ndjson", "c.log", "b/deep/x.jsonl",
                           "README.md", ".hidden/y.json"}) {
    write(root + "/" + name);
  }
  fs::create_symlink(root + "/a.ndjson", root + "/z-link.json");
  fs::create_directory_symlink(root, root + "/b/loop");
  fs::create_symlink(root + "/gone", root + "/dangling.json");
  ASSERT_EQ(::mkfifo((root + "/pipe.json").c_str(), 0600), 0);

  const Visits visits = walk_all({root}, root);
  EXPECT_THAT(visits.files, ElementsAre(".hidden/y.json", "a.ndjson", "b/1.json.gz", "b/2.json",
                                        "b/deep/x.jsonl", "c.log", "z-link.json"));
  EXPECT_THAT(
      visits.skipped,
      ElementsAre("README.md: not JSON by its name", HasSubstr("b/loop: a link to a folder"),
                  HasSubstr("!dangling.json: "), "pipe.json: not a regular file"));
  EXPECT_EQ(visits.bytes, 14U);
}

TEST(FileWalk, TakesAFileThatIsGivenItselfWhateverItsName) {
  const io::TempFolder folder;
  write(folder.path() + "/records");
  const Visits visits = walk_all({folder.path() + "/records"}, folder.path());
  EXPECT_THAT(visits.files, ElementsAre("records"));
}

TEST(FileWalk, RefusesAPathThatDoesNotExistBeforeVisitingAny) {
  const io::TempFolder folder;
  write(folder.path() + "/a.json");
  int visits = 0;
  const WalkVisitor visitor{.on_file = [&](const InputFile&) -> Result<void> {
                              ++visits;
                              return {};
                            },
                            .on_skipped = [](const SkippedPath&) -> Result<void> { return {}; }};
  const auto walked = walk({folder.path() + "/a.json", folder.path() + "/b.json"}, visitor);
  ASSERT_FALSE(walked.has_value());
  EXPECT_EQ(walked.error().code(), ErrorCode::NotFound);
  EXPECT_THAT(walked.error().message(), HasSubstr("b.json"));
  EXPECT_EQ(visits, 0);
}

TEST(FileWalk, TheVisitorsErrorEndsIt) {
  const io::TempFolder folder;
  write(folder.path() + "/a.json");
  write(folder.path() + "/b.json");
  int visits = 0;
  const WalkVisitor visitor{.on_file = [&](const InputFile&) -> Result<void> {
                              ++visits;
                              return fail(ErrorCode::Unavailable, "stop");
                            },
                            .on_skipped = [](const SkippedPath&) -> Result<void> { return {}; }};
  EXPECT_FALSE(walk({folder.path()}, visitor).has_value());
  EXPECT_EQ(visits, 1);
}

TEST(FileWalk, StopsAtTheDepthBoundAndSaysSo) {
  const io::TempFolder folder;
  std::string path = folder.path();
  for (int depth = 0; depth < kFolderDepthMax + 1; ++depth) {
    path += "/d";
  }
  write(path + "/x.json");
  const Visits visits = walk_all({folder.path()}, folder.path());
  EXPECT_TRUE(visits.files.empty());
  ASSERT_EQ(visits.skipped.size(), 1U);
  EXPECT_THAT(visits.skipped[0], HasSubstr("folders deep"));
}

}  // namespace
}  // namespace opentrail::collect
