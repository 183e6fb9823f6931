// Goal: accept S3's names and refuse those one edit away from the rules. Method: a table.
#include "objects/bucket_name.h"

#include <string>

#include <gtest/gtest.h>

namespace opentrail::objects {
namespace {

TEST(BucketName, FollowsTheRulesOfGeneralPurposeBuckets) {
  struct Case {
    std::string name;
    bool good;
  };
  const Case cases[] = {
      {"abc", true},
      {"amzn-s3-demo-bucket1", true},
      {"my.aws.com", true},
      {"1a2", true},
      {"a--b", true},
      {"1.2.3", true},
      {"192.168.5.x4", true},
      {std::string(63, 'a'), true},
      {"ab", false},
      {"", false},
      {std::string(64, 'a'), false},
      {"Abc", false},
      {"amzn_s3_demo", false},
      {"-abc", false},
      {"abc-", false},
      {".abc", false},
      {"abc.", false},
      {"a..b", false},
      {"a.-b", false},
      {"a-.b", false},
      {"192.168.5.4", false},
      {"a/b", false},
      {"a b", false},
      {"..%2f", false},
      {std::string("ab\0c", 4), false},
      {"caf\xC3\xA9", false},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(is_bucket_name(one.name), one.good) << one.name;
  }
}

}  // namespace
}  // namespace opentrail::objects
