// Goal: segments and manifests of every version are read for ever, and a change of the format does
// not happen by accident.
// Method: files that were written once lie in testdata. They are opened over a journal of the same
// records and asked; and the same records are sealed today, which has to give the same index, byte
// for byte. (The blocks are zstd's, whose bytes may differ from one version of it to the next.)
//
// To write them anew, after a new format version: OPENTRAIL_WRITE_GOLDEN=src/history/testdata.
#include "history/history_fixture.h"
#include "history/store/manifest.h"
#include "history/store/segment_file.h"
#include "history/store/segment_format.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

namespace opentrail::history {
namespace {

constexpr int kRecords = 300;
constexpr std::size_t kFileBytesMax = 1 << 20;

std::string testdata(std::string_view name) { return "src/history/testdata/" + std::string(name); }

std::string segment_name(int version) { return fmt::format("segment-v{}.segment", version); }
/// Of version 1 itself; it names the segment of that version.
std::string manifest_name(int version) { return fmt::format("manifest-of-v{}", version); }

std::string read_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Sample sample(int i) {
  return {.id = i % 10 == 0 ? fmt::format("id-{}", i)
                            : fmt::format("{:08x}-0000-4000-8000-{:012x}", i * 7919, i),
          .time = kNow - std::chrono::seconds((i * 37) % 4000),
          .account = i % 3 == 0 ? "444455556666" : std::string(kAccount),
          .region = i % 5 == 0 ? "eu-west-1" : std::string(kRegion),
          .name = fmt::format("Action{}", i % 17),
          .source = i % 2 == 0 ? "s3.amazonaws.com" : "ec2.amazonaws.com",
          .user = fmt::format("user-{}", i % 40),
          .key = fmt::format("AKIA{:016}", i % 90),
          .read_only = i % 4 == 0,
          .category = i % 29 == 0 ? "Data" : "Management",
          .resources =
              i % 6 == 0
                  ? fmt::format(R"({{"type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b-{}"}})", i % 60)
                  : std::string()};
}

class GoldenFiles : public HistoryTest {
 protected:
  GoldenFiles() {
    options_.seal_records = kRecords;
    for (int i = 0; i < kRecords; ++i) {
      add(sample(i));
    }
  }

  /// Copies the golden files to where the history looks.
  void place(int version) {
    const std::string segment = read_bytes(testdata(segment_name(version)));
    const std::string manifest = read_bytes(testdata(manifest_name(version)));
    ASSERT_FALSE(segment.empty());
    ASSERT_FALSE(manifest.empty());
    ASSERT_TRUE(files_.create_directories(options_.folder));
    write(segment_file_name(journal::Offset{0}, journal::Offset{kRecords}), segment);
    write("manifest", manifest);
  }
  void write(const std::string& name, std::string_view bytes) {
    const auto file =
        files_.open(io::join_path(options_.folder, name), io::OpenMode::CreateNew).value();
    ASSERT_TRUE(file->append(as_bytes(bytes)));
    ASSERT_TRUE(file->sync());
  }
  std::map<std::string, std::string> sealed_today() {
    open();
    EXPECT_TRUE(history_->wait_settled());
    std::map<std::string, std::string> found;
    for (const std::string& name : files_.list(options_.folder).value()) {
      found[name] =
          io::read_file(files_, io::join_path(options_.folder, name), kFileBytesMax).value();
    }
    return found;
  }
};

class GoldenFilesOf : public GoldenFiles, public testing::WithParamInterface<int> {};

TEST_P(GoldenFilesOf, AnswerWhatTheyHold) {
  place(GetParam());
  open();
  EXPECT_EQ(history_->size(), kRecords);
  EXPECT_EQ(history_->needed_from(), journal::Offset{kRecords}) << "all of it is sealed";
  for (int i = 0; i < kRecords; ++i) {
    const Sample wanted = sample(i);
    SCOPED_TRACE(wanted.id);
    EXPECT_TRUE(history_->contains(wanted.id).value());
    LookupQuery query = query_of(LookupFilter{.key = LookupKey::EventId, .value = wanted.id});
    query.account_id = wanted.account;
    query.region = wanted.region;
    const LookupPage page = history_->lookup(query).value();
    ASSERT_EQ(page.events.size(), wanted.category == "Management" ? 1U : 0U);
    if (!page.events.empty()) {
      EXPECT_EQ(page.events.front().json, make(wanted).json);
    }
  }
  EXPECT_FALSE(history_->contains("id-1").value());
  const auto expected = [](auto&& test) {
    std::size_t count = 0;
    for (int i = 0; i < kRecords; ++i) {
      const Sample one = sample(i);
      count += one.account == kAccount && one.region == kRegion && one.category == "Management" &&
               test(one);
    }
    return count;
  };
  EXPECT_EQ(
      all_pages(query_of(LookupFilter{.key = LookupKey::EventName, .value = "Action3"})).size(),
      expected([](const Sample& one) { return one.name == "Action3"; }));
  EXPECT_EQ(all_pages(query_of(LookupFilter{.key = LookupKey::Username, .value = "user-7"})).size(),
            expected([](const Sample& one) { return one.user == "user-7"; }));
  EXPECT_EQ(all_pages(query_of()).size(), expected([](const Sample&) { return true; }));
}

INSTANTIATE_TEST_SUITE_P(Versions, GoldenFilesOf, testing::Range(1, kSegmentVersion + 1));

TEST_F(GoldenFiles, AreMadeTheSameToday) {
  const auto made = sealed_today();
  if (const char* folder = std::getenv("OPENTRAIL_WRITE_GOLDEN")) {
    for (const auto& [name, written] : made) {
      const auto golden_name = parse_segment_file_name(name) ? segment_name(kSegmentVersion)
                                                             : manifest_name(kSegmentVersion);
      std::ofstream(io::join_path(folder, golden_name), std::ios::binary) << written;
    }
  }
  ASSERT_TRUE(files_.create_directories("golden"));
  const std::string bytes = read_bytes(testdata(segment_name(kSegmentVersion)));
  {
    const auto file = files_.open("golden/segment", io::OpenMode::CreateNew).value();
    ASSERT_TRUE(file->append(as_bytes(bytes)));
  }
  const auto golden = SegmentFile::open(files_, "golden/segment").value();
  const auto manifest =
      Manifest::decode(read_bytes(testdata(manifest_name(kSegmentVersion)))).value();
  ASSERT_EQ(manifest.segments.size(), 1U);
  EXPECT_EQ(manifest.segments.front().bytes, bytes.size());
  EXPECT_EQ(manifest.segments.front().meta_crc, golden->meta_crc());
  const std::string name = segment_file_name(journal::Offset{0}, journal::Offset{kRecords});
  ASSERT_TRUE(made.contains(name));
  const auto today = SegmentFile::open(files_, io::join_path(options_.folder, name)).value();
  // The block directory comes last in the index, and is of the blocks.
  std::string old_meta;
  std::string new_meta;
  golden->index().meta().encode(old_meta);
  today->index().meta().encode(new_meta);
  EXPECT_EQ(old_meta, new_meta);
  EXPECT_EQ(golden->index().meta().ids.filter, today->index().meta().ids.filter);
  const std::uint64_t whole =
      std::min(golden->index().bytes().size(), today->index().bytes().size());
  const std::uint64_t compared = whole - whole / 8;
  EXPECT_EQ(golden->index().bytes().view(0, compared).value(),
            today->index().bytes().view(0, compared).value());
}

}  // namespace
}  // namespace opentrail::history
