// Goal: values come back as they went in, transactions are whole or nothing, errors are told apart,
// and what was committed is there after reopening. Method: a SQLite file in a fresh folder.
#include "sql/database.h"

#include "io/filesystem.h"
#include "io/temp_folder.h"

#include <gtest/gtest.h>

namespace opentrail::sql {
namespace {

class DatabaseTest : public ::testing::Test {
 protected:
  DatabaseTest() : path_(io::join_path(folder_.path(), "catalog.db")) { reopen(); }
  void reopen() {
    database_.reset();
    database_ = Database::open_sqlite(path_).value();
  }

  io::TempFolder folder_;
  std::string path_;
  std::unique_ptr<Database> database_;
};

constexpr std::string_view kTable =
    "CREATE TABLE things (name TEXT PRIMARY KEY, size BIGINT, note TEXT)";

TEST_F(DatabaseTest, ValuesComeBackAsTheyWentIn) {
  ASSERT_TRUE(database_->migrate("things", {kTable}));
  const std::int64_t large = std::int64_t{1} << 60;
  ASSERT_EQ(database_->execute("INSERT INTO things VALUES (?, ?, ?), ('b?', ?, NULL)",
                               {std::string("a'?"), large, Null{}, std::int64_t{-7}}),
            2);
  reopen();
  const auto rows = database_->query("SELECT name, size, note FROM things ORDER BY name");
  ASSERT_TRUE(rows.has_value()) << rows.error().message();
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ(rows->at(0).text(0), "a'?");
  EXPECT_EQ(rows->at(0).integer(1), large);
  EXPECT_TRUE(rows->at(0).is_null(2));
  EXPECT_EQ(rows->at(1).text(0), "b?");
  EXPECT_EQ(rows->at(1).integer(1), -7);
  EXPECT_EQ(database_->query("SELECT COUNT(*) FROM things")->front().integer(0), 2);
}

TEST_F(DatabaseTest, ATransactionIsWholeOrNothing) {
  ASSERT_TRUE(database_->migrate("things", {kTable}));
  const auto failed = database_->transaction([](Transaction& inside) -> Result<void> {
    OT_TRY_DO(inside.execute("INSERT INTO things VALUES ('a', 1, NULL)"));
    return fail(ErrorCode::InvalidArgument, "changed my mind");
  });
  EXPECT_EQ(failed.error().message(), "changed my mind");
  EXPECT_TRUE(database_->query("SELECT * FROM things")->empty());
}

TEST_F(DatabaseTest, TellsErrorsApart) {
  ASSERT_TRUE(database_->migrate("things", {kTable}));
  ASSERT_TRUE(database_->execute("INSERT INTO things VALUES ('a', 1, NULL)"));
  EXPECT_EQ(database_->execute("INSERT INTO things VALUES ('a', 2, NULL)").error().code(),
            ErrorCode::Conflict);
  const auto missing = database_->query("SELECT * FROM nothing");
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().message().find("nothing"), std::string::npos);
}

TEST_F(DatabaseTest, MigratesOnceAndRefusesANewerFile) {
  constexpr std::string_view kSecond = "ALTER TABLE things ADD COLUMN colour TEXT";
  ASSERT_TRUE(database_->migrate("things", {kTable}));
  ASSERT_TRUE(database_->migrate("things", {kTable, kSecond}));
  reopen();
  ASSERT_TRUE(database_->migrate("things", {kTable, kSecond}));
  EXPECT_TRUE(database_->query("SELECT colour FROM things").has_value());
  const auto older = database_->migrate("things", {kTable});
  ASSERT_FALSE(older.has_value());
  EXPECT_EQ(older.error().code(), ErrorCode::Unsupported);
}

TEST_F(DatabaseTest, AFileThatIsNoDatabaseIsCorruption) {
  const auto files = io::make_posix_filesystem();
  const std::string path = io::join_path(folder_.path(), "junk.db");
  ASSERT_TRUE(io::write_file_atomically(*files, path, std::string(8192, 'x')));
  const auto opened = Database::open_sqlite(path);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::Corruption);
}

}  // namespace
}  // namespace opentrail::sql
