// Goal: the file is what AWS tools read, only its owner can, and a failed write tells no secret.
#include "server/credentials_file.h"

#include "io/temp_folder.h"

#include <filesystem>

#include <gtest/gtest.h>

namespace opentrail::server {
namespace {

iam::Bootstrap sample() {
  iam::Bootstrap made;
  made.admin.key.access_key_id = "AKIAADMIN";
  made.admin.secret_access_key = "admin-secret";
  made.root.key.access_key_id = "AKIAROOT";
  made.root.secret_access_key = "root-secret";
  return made;
}

TEST(CredentialsFile, HoldsTwoProfilesForTheOwner) {
  const io::TempFolder folder;
  const auto files = io::make_posix_filesystem();
  const std::string path = io::join_path(folder.path(), "credentials");
  ASSERT_TRUE(write_credentials_file(*files, path, sample()));
  EXPECT_EQ(io::read_file(*files, path, 1 << 10).value(),
            "[default]\naws_access_key_id = AKIAADMIN\naws_secret_access_key = admin-secret\n"
            "region = us-east-1\n\n"
            "[root]\naws_access_key_id = AKIAROOT\naws_secret_access_key = root-secret\n"
            "region = us-east-1\n");
  const auto mode = std::filesystem::status(path).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(files->list(folder.path()).value(), std::vector<std::string>{"credentials"});
}

TEST(CredentialsFile, AFailureTellsNoSecret) {
  const io::TempFolder folder;
  const auto files = io::make_posix_filesystem();
  const auto written =
      write_credentials_file(*files, io::join_path(folder.path(), "missing/credentials"), sample());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message().find("secret"), std::string::npos);
}

}  // namespace
}  // namespace opentrail::server
