// Goal: everything readable goes in, in bounded batches; everything else is named by file and line.
// Method: folders of small files against a server in memory that keeps the first record of each id;
// the report compared. Real samples: tests/data/aws.
#include "collect/aws_import.h"

#include "base/json.h"
#include "collect/gzip.h"
#include "io/temp_folder.h"
#include "record/record.h"
#include "record/splitter.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::collect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
namespace fs = std::filesystem;

/// What the server's side promises, in memory.
class MemoryServer {
 public:
  Result<UploadReply> take(const std::string& body) {
    if (fail_after_ > 0 && bodies_.size() >= fail_after_) {
      return fail(ErrorCode::Unavailable, "connection reset");
    }
    bodies_.push_back(body);
    UploadReply reply;
    record::RecordSplitter splitter([&](const auto& item) -> Result<void> {
      take_item(item, reply);
      return {};
    });
    EXPECT_TRUE(splitter.feed(body).has_value());
    EXPECT_TRUE(splitter.finish().has_value());
    reply.digests = splitter.digests_seen();
    reply.oldest_kept = "2020-01-01T00:00:00Z";
    return reply;
  }

  void fail_after(std::size_t bodies) { fail_after_ = bodies; }
  [[nodiscard]] const std::map<std::string, std::string>& records() const { return records_; }
  [[nodiscard]] const std::vector<std::string>& bodies() const { return bodies_; }

 private:
  void take_item(const record::RecordSplitter::Item& item, UploadReply& reply) {
    ++reply.received;
    auto parsed = record::parse_record(std::string(item.json), record::Origin::Import, Timestamp());
    ASSERT_TRUE(parsed.has_value());
    const auto [place, added] = records_.emplace(parsed->id, parsed->json);
    if (added) {
      ++reply.added;
    } else if (place->second == parsed->json) {
      ++reply.duplicate;
      reply.lines.push_back(
          {.line = item.line, .id = parsed->id, .status = "Duplicate", .message = "there"});
    } else {
      ++reply.conflicting;
      reply.lines.push_back(
          {.line = item.line, .id = parsed->id, .status = "Conflicting", .message = "other"});
    }
  }

  std::map<std::string, std::string> records_;
  std::vector<std::string> bodies_;
  std::size_t fail_after_ = 0;
};

std::string record_text(std::string_view id, std::string_view name = "CreateUser") {
  return R"({"eventID":")" + std::string(id) + R"(","eventName":")" + std::string(name) +
         R"(","eventTime":"2023-07-10T11:42:00Z"})";
}

class AwsImport : public testing::Test {
 protected:
  void write(const std::string& name, std::string_view bytes) {
    const fs::path path = fs::path(folder_.path()) / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }

  Result<void> run() { return run({folder_.path()}); }

  Result<void> run(const std::vector<std::string>& paths) {
    report_ = {};
    progress_.clear();
    return import_aws(
        paths, options_, clock_, {[this](const std::string& body) { return server_.take(body); }},
        [this](const ImportProgress& progress) { progress_.push_back(progress); }, report_);
  }

  /// "kind name:line what" of each problem, without the folder.
  std::vector<std::string> problems() {
    std::vector<std::string> texts;
    for (const Problem& problem : report_.problems) {
      std::string text = to_text(problem);
      text.erase(0, folder_.path().size() + 1);
      texts.push_back(std::string(to_string(problem.kind)) + " " + text);
    }
    return texts;
  }

  io::TempFolder folder_;
  io::FakeClock clock_{*parse_iso("2023-08-01T00:00:00Z")};
  MemoryServer server_;
  ImportOptions options_;
  ImportReport report_;
  std::vector<ImportProgress> progress_;
};

TEST_F(AwsImport, TakesEveryFormAndKeepsTheBytes) {
  const std::string pretty = "{\n  \"eventID\": \"d\",\n  \"eventName\": \"X\"\n}";
  write("a.json", R"({"Records":[)" + record_text("a") + "," + record_text("b") + "]}");
  write("b.json.gz", gzip("[" + record_text("c") + ",\n" + pretty + "]"));
  write("c.ndjson", record_text("e") + "\n" + record_text("f") + "\n");
  write("d.cloudtrail", R"({"version":"0","detail-type":"AWS API Call via CloudTrail","detail":)" +
                            record_text("g") + "}");
  ASSERT_TRUE(run().has_value());
  EXPECT_EQ(report_.files, 4U);
  EXPECT_EQ(report_.records, 7U);
  EXPECT_EQ(report_.added, 7U);
  EXPECT_THAT(report_.problems, IsEmpty());
  EXPECT_TRUE(report_.clean());
  EXPECT_EQ(server_.records().at("d"), pretty);
  EXPECT_EQ(server_.records().at("g"), record_text("g"));
  EXPECT_EQ(server_.bodies().size(), 1U) << "small files share a batch";
  EXPECT_EQ(progress_.back().bytes_done, progress_.back().bytes_total);
  EXPECT_EQ(progress_.back().files_done, 4U);
  EXPECT_EQ(progress_.back().records, 7U);
}

TEST_F(AwsImport, ASecondImportAddsNothing) {
  write("a.ndjson", record_text("a") + "\n" + record_text("b"));
  ASSERT_TRUE(run().has_value());
  ASSERT_TRUE(run().has_value());
  EXPECT_EQ(report_.added, 0U);
  EXPECT_EQ(report_.duplicate, 2U);
  EXPECT_TRUE(report_.clean());
}

TEST_F(AwsImport, NamesConflictsByFileAndLine) {
  write("a.ndjson", record_text("a"));
  write("b.ndjson", record_text("b") + "\n\n" + record_text("a", "DeleteUser") + "\n");
  ASSERT_TRUE(run().has_value());
  EXPECT_EQ(report_.added, 2U);
  EXPECT_EQ(report_.conflicting, 1U);
  EXPECT_FALSE(report_.clean());
  EXPECT_THAT(problems(), ElementsAre("conflicting b.ndjson:3: record a: other"));
  EXPECT_EQ(server_.records().at("a"), record_text("a"));
}

TEST_F(AwsImport, ABrokenFileCostsOnlyWhatIsBehindTheBreak) {
  write("a.json", R"({"Records":[)" + record_text("a") + ",\n" + record_text("b") + ",\n{\"event");
  const std::string packed = gzip(record_text("c") + "\n" + record_text("d"));
  write("b.json.gz", packed.substr(0, packed.size() - 3));
  write("c.json", "<html>not found</html>");
  write("d.json", record_text("e"));
  ASSERT_TRUE(run().has_value());
  EXPECT_EQ(report_.added, 5U);
  EXPECT_EQ(report_.files_broken, 3U);
  EXPECT_FALSE(report_.clean());
  EXPECT_THAT(problems(),
              ElementsAre("broken a.json:3: the object that begins here does not end; the rest of "
                          "the file was not read",
                          "broken b.json.gz: broken gzip data: it ends in the middle (truncated); "
                          "the rest of the file was not read",
                          "broken c.json:1: not JSON: it begins with '<'"));
}

TEST_F(AwsImport, ABrokenLineCostsOnlyItself) {
  write("a.ndjson", record_text("a") + "\nnull\n" + record_text("b") + ",\n" + record_text("c") +
                        "\n{\"eventID\":\"d\n\n" + record_text("e") + "\n");
  ASSERT_TRUE(run().has_value());
  EXPECT_EQ(report_.added, 4U);
  EXPECT_EQ(report_.invalid, 3U);
  EXPECT_EQ(report_.files_broken, 0U);
  EXPECT_FALSE(report_.clean());
  EXPECT_THAT(problems(),
              ElementsAre("invalid a.ndjson:2: not a record: a JSON object expected, not 'n'",
                          "invalid a.ndjson:3: not a record: a JSON object expected, not ','",
                          "invalid a.ndjson:5: not a record: a line break inside a string; the "
                          "lines up to 6 were left out"));
}

TEST_F(AwsImport, ABrokenRecordCostsOnlyItself) {
  write("a.ndjson",
        record_text("a") + "\n" + R"({"eventID": oops})" + "\n" + record_text("b") + "\n");
  ASSERT_TRUE(run().has_value());
  EXPECT_EQ(report_.records, 3U);
  EXPECT_EQ(report_.added, 2U);
  EXPECT_EQ(report_.invalid, 1U);
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("invalid a.ndjson:2: not a record: ")));
}

TEST_F(AwsImport, NamesWhatIsSkippedAndWhatIsADigest) {
  write("README.md", "# notes");
  write("digest.json", R"({"awsAccountId":"1","digestS3Object":"AWSLogs/...","logFiles":[]})");
  write("empty.json", "");
  write("vpc.log", "2 123456789010 eni-1235b8ca123456789");
  write("yes.log", record_text("a"));
  ASSERT_TRUE(run().has_value());
  EXPECT_EQ(report_.added, 1U);
  EXPECT_EQ(report_.files_skipped, 3U);
  EXPECT_EQ(report_.digests, 1U);
  EXPECT_TRUE(report_.clean());
  EXPECT_THAT(problems(), UnorderedElementsAre("skipped README.md: skipped, not JSON by its name",
                                               "digest digest.json: digest file, holds no records",
                                               "skipped empty.json: skipped, empty",
                                               "skipped vpc.log: skipped, not JSON"));
}

TEST_F(AwsImport, BatchesAreBoundedAndSpanFiles) {
  options_.batch.records_max = 3;
  for (int i = 0; i < 8; ++i) {
    write("f" + std::to_string(i) + ".json", record_text(std::to_string(i)));
  }
  ASSERT_TRUE(run().has_value());
  EXPECT_EQ(report_.added, 8U);
  EXPECT_EQ(server_.bodies().size(), 3U);

  options_.batch = {.bytes_max = 300, .records_max = 5000};
  ASSERT_TRUE(run().has_value());
  EXPECT_EQ(report_.duplicate, 8U);
  for (std::size_t i = 3; i < server_.bodies().size(); ++i) {
    EXPECT_LE(server_.bodies()[i].size(), 300U);
  }
}

TEST_F(AwsImport, EndsWithTheServersErrorAndKeepsTheReport) {
  options_.batch.records_max = 1;
  server_.fail_after(2);
  write("a.ndjson", record_text("a") + record_text("b") + record_text("c"));
  const auto imported = run();
  ASSERT_FALSE(imported.has_value());
  EXPECT_EQ(imported.error().code(), ErrorCode::Unavailable);
  EXPECT_EQ(imported.error().message(), "connection reset");
  EXPECT_EQ(report_.added, 2U);
  EXPECT_EQ(report_.files_broken, 0U) << "the file is not to blame";
}

TEST_F(AwsImport, RefusesAServerThatCountsOtherwise) {
  write("a.json", record_text("a"));
  const auto imported = import_aws(
      {folder_.path()}, options_, clock_,
      {[](const std::string&) -> Result<UploadReply> { return UploadReply{}; }},
      [](const ImportProgress&) {}, report_);
  ASSERT_FALSE(imported.has_value());
  EXPECT_THAT(imported.error().message(), HasSubstr("1 records were sent, the server saw 0"));
}

TEST_F(AwsImport, StopsAfterTheCurrentBatch) {
  std::atomic<bool> stop = false;
  options_.stop = &stop;
  options_.batch.records_max = 2;
  write("a.ndjson", record_text("a") + record_text("b") + record_text("c") + record_text("d") +
                        record_text("e"));
  const auto imported = import_aws(
      {folder_.path()}, options_, clock_, {[&](const std::string& body) {
        stop = true;  // as Ctrl-C during the first upload
        return server_.take(body);
      }},
      [](const ImportProgress&) {}, report_);
  ASSERT_TRUE(imported.has_value());
  EXPECT_TRUE(report_.interrupted);
  EXPECT_FALSE(report_.clean());
  EXPECT_EQ(report_.added, 2U);
  EXPECT_EQ(server_.records().size(), 2U);
  EXPECT_THAT(report_.problems, IsEmpty());
}

TEST_F(AwsImport, RefusesAPathThatDoesNotExist) {
  const auto imported = run({folder_.path() + "/none"});
  ASSERT_FALSE(imported.has_value());
  EXPECT_EQ(imported.error().code(), ErrorCode::NotFound);
  EXPECT_THAT(server_.bodies(), IsEmpty());
}

TEST_F(AwsImport, BoundsTheListOfProblemsAndCountsTheRest) {
  std::string text;
  for (std::size_t i = 0; i < kProblemsMax + 5; ++i) {
    text += "{oops}\n";
  }
  write("a.ndjson", text);
  ASSERT_TRUE(run().has_value());
  EXPECT_EQ(report_.invalid, kProblemsMax + 5);
  EXPECT_EQ(report_.problems.size(), kProblemsMax);
  EXPECT_EQ(report_.problems_not_listed, 5U);
}

TEST_F(AwsImport, RealSamplesGoInOnceAndChangeNothingTheSecondTime) {
  const std::vector<std::string> samples = {"tests/data/aws"};
  ASSERT_TRUE(fs::exists(samples[0])) << "run from the repository's root";
  ASSERT_TRUE(run(samples).has_value());
  EXPECT_EQ(report_.files_broken, 0U);
  EXPECT_EQ(report_.invalid, 0U);
  EXPECT_GT(report_.added, 40U);
  EXPECT_EQ(report_.added, server_.records().size());
  const std::uint64_t first_records = report_.records;
  const std::uint64_t first_conflicting = report_.conflicting;
  ASSERT_TRUE(run(samples).has_value());
  EXPECT_EQ(report_.added, 0U);
  EXPECT_EQ(report_.records, first_records);
  EXPECT_EQ(report_.conflicting, first_conflicting);
  EXPECT_EQ(report_.duplicate, first_records - first_conflicting);
}

}  // namespace
}  // namespace opentrail::collect
