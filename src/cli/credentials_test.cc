// Goal: the keys come from the first place that names them, as with AWS's own tools, and what is
// missing or broken is named without showing a secret.
// Method: files in a folder and an environment made by the test.
#include "cli/credentials.h"

#include "cli/fake_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace opentrail::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

std::string profile(std::string_view name, std::string_view key) {
  return "[" + std::string(name) + "]\naws_access_key_id = " + std::string(key) +
         "\naws_secret_access_key = secret/of/" + std::string(key) + "\n";
}

class FindCredentials : public testing::Test {
 protected:
  Result<FoundCredentials> find(const CredentialOptions& options = {}) {
    return find_credentials(options, world_.context().environment);
  }
  /// The access key id that is found, or the error's text.
  std::string key_of(const CredentialOptions& options = {}) {
    const auto found = find(options);
    return found ? found->keys.access_key_id : found.error().message();
  }

  FakeWorld world_;
};

TEST_F(FindCredentials, TheFirstPlaceWins) {
  world_.environment["HOME"] = world_.folder.path();
  world_.environment["OPENTRAIL_DATA_DIR"] = world_.folder.path() + "/data";
  world_.write(".aws/credentials", profile("default", "HOME1"));
  EXPECT_EQ(key_of(), "HOME1");
  world_.write("data/credentials", profile("default", "DATA1"));
  EXPECT_EQ(key_of(), "DATA1");
  const std::string shared = world_.write("shared", profile("default", "SHARED1"));
  world_.environment["AWS_SHARED_CREDENTIALS_FILE"] = shared;
  EXPECT_EQ(key_of(), "SHARED1");
  world_.environment["AWS_ACCESS_KEY_ID"] = "VARIABLE1";
  world_.environment["AWS_SECRET_ACCESS_KEY"] = "secret";
  world_.environment["AWS_SESSION_TOKEN"] = "token";
  const auto variables = find();
  ASSERT_TRUE(variables.has_value());
  EXPECT_EQ(variables->keys.access_key_id, "VARIABLE1");
  EXPECT_EQ(variables->keys.session_token, "token");
  EXPECT_EQ(key_of({.profile = "default", .credentials_file = ""}), "SHARED1")
      << "a profile that is named outdoes the variables";
  const std::string given = world_.write("given", profile("default", "GIVEN1"));
  EXPECT_EQ(key_of({.profile = "", .credentials_file = given}), "GIVEN1");
}

TEST_F(FindCredentials, TheProfileIsLookedUp) {
  const std::string file = world_.write(
      "file", profile("default", "DEFAULT1") + profile("root", "ROOT1") + profile("ci", "CI1"));
  world_.environment["AWS_SHARED_CREDENTIALS_FILE"] = file;
  EXPECT_EQ(key_of(), "DEFAULT1");
  world_.environment["AWS_PROFILE"] = "root";
  EXPECT_EQ(key_of(), "ROOT1");
  EXPECT_EQ(find()->from, "profile root of " + file);
  EXPECT_EQ(key_of({.profile = "ci", .credentials_file = ""}), "CI1");
  EXPECT_THAT(key_of({.profile = "nobody", .credentials_file = ""}),
              HasSubstr(file + " has no profile 'nobody', but: ci, default, root"));
}

TEST_F(FindCredentials, AFileOfTheDataFolderWithoutTheProfileIsPassedOver) {
  world_.environment["HOME"] = world_.folder.path();
  world_.environment["OPENTRAIL_DATA_DIR"] = world_.folder.path() + "/data";
  world_.write("data/credentials", profile("default", "DATA1"));
  world_.write(".aws/credentials", profile("work", "WORK1"));
  EXPECT_EQ(key_of({.profile = "work", .credentials_file = ""}), "WORK1");
  const std::string nobody = key_of({.profile = "nobody", .credentials_file = ""});
  EXPECT_THAT(nobody, HasSubstr("/data/credentials has no profile 'nobody', but: default. "));
  EXPECT_THAT(nobody, HasSubstr("/.aws/credentials has no profile 'nobody', but: work. "));
  EXPECT_THAT(nobody, HasSubstr("--profile"));
}

TEST_F(FindCredentials, NothingFoundSaysWhereItLooked) {
  world_.environment["HOME"] = world_.folder.path();
  world_.environment["OPENTRAIL_DATA_DIR"] = world_.folder.path() + "/data";
  const auto found = find();
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code(), ErrorCode::NotFound);
  EXPECT_THAT(found.error().message(), HasSubstr(world_.folder.path() + "/data/credentials, " +
                                                 world_.folder.path() + "/.aws/credentials"));
  EXPECT_THAT(found.error().message(), HasSubstr("--credentials-file DATA-DIR/credentials"));
  EXPECT_THAT(key_of({.profile = "", .credentials_file = "/missing/file"}),
              HasSubstr("/missing/file"));
}

TEST_F(FindCredentials, HalfOfAPairIsAnError) {
  world_.environment["AWS_ACCESS_KEY_ID"] = "VARIABLE1";
  EXPECT_EQ(find().error().code(), ErrorCode::InvalidArgument);
  world_.environment = {{"AWS_SHARED_CREDENTIALS_FILE",
                         world_.write("file", "[default]\naws_access_key_id = HALF1\n")}};
  EXPECT_THAT(key_of(), HasSubstr("profile 'default' lacks"));
}

TEST_F(FindCredentials, AFileThatIsThereAndCannotBeReadIsNotPassedOver) {
  if (::geteuid() != 0) {  // root reads everything; a folder in its place fails for anybody
    const std::string file = world_.write("data/credentials", profile("default", "DATA1"));
    ASSERT_EQ(::chmod(file.c_str(), 0), 0);
  } else {
    std::filesystem::create_directories(world_.folder.path() + "/data/credentials");
  }
  world_.environment["OPENTRAIL_DATA_DIR"] = world_.folder.path() + "/data";
  world_.environment["HOME"] = world_.folder.path();
  world_.write(".aws/credentials", profile("default", "HOME1"));
  EXPECT_THAT(key_of(), HasSubstr("/data/credentials"));
}

TEST(ParseProfiles, ReadsWhatAwsWrites) {
  const auto profiles = parse_profiles(
      "# a comment\r\n"
      "[default]\r\n"
      "AWS_Access_Key_Id=AKIA1\r\n"
      "; another\n"
      "s3 =\n"
      "  max_concurrent_requests = 20\n"
      "\tnot even a setting\n"
      "region = eu-west-1\n"
      "\n"
      "[profile work]\n"
      "token = a=b=\n");
  ASSERT_TRUE(profiles.has_value());
  EXPECT_THAT(profiles->at("default"),
              testing::UnorderedElementsAre(Pair("aws_access_key_id", "AKIA1"), Pair("s3", ""),
                                            Pair("region", "eu-west-1")));
  EXPECT_THAT(profiles->at("work"), ElementsAre(Pair("token", "a=b=")));
  EXPECT_THAT(*parse_profiles(""), IsEmpty());
}

TEST(ParseProfiles, NamesTheLineAndKeepsItsSecret) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"[default]\nwJalrXUtnFEMI\n", "line 2: "},
      {"key = wJalrXUtnFEMI\n", "line 1: "},
      {"\n\n[wJalrXUtnFEMI\n", "line 3: "}};
  for (const auto& [text, line] : cases) {
    const auto profiles = parse_profiles(text);
    ASSERT_FALSE(profiles.has_value());
    EXPECT_EQ(profiles.error().code(), ErrorCode::InvalidArgument);
    EXPECT_THAT(profiles.error().message(), HasSubstr(line));
    EXPECT_THAT(profiles.error().message(), Not(HasSubstr("wJalr")));
  }
}

}  // namespace
}  // namespace opentrail::cli
