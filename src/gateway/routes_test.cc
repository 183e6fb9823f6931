// Goal: a call goes where the most exact setting says. Method: tables of settings and calls.
#include "gateway/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::gateway {
namespace {

Result<Routes> make(std::vector<RouteSetting> settings) {
  RoutesOptions options;
  options.settings = std::move(settings);
  options.own_addresses = {"127.0.0.1:4747"};
  return Routes::make(options);
}

TEST(Routes, TheMostExactSettingWins) {
  const auto routes = make({{"", "", "http://any:1"},
                            {"s3", "", "http://s3:1"},
                            {"", "eu-west-1", "http://eu:1"},
                            {"s3", "eu-west-1", "http://s3-eu:1"}});
  ASSERT_TRUE(routes) << routes.error().message();
  const auto host = [&](std::string_view service, std::string_view region) {
    return routes->find(service, region)->origin().host;
  };
  EXPECT_EQ(host("ec2", "us-east-1"), "any");
  EXPECT_EQ(host("ec2", "eu-west-1"), "eu");
  EXPECT_EQ(host("s3", "us-east-1"), "s3");
  EXPECT_EQ(host("s3", "eu-west-1"), "s3-eu");
  EXPECT_EQ(host("", "us-east-1"), "any");
  EXPECT_TRUE(routes->takes_over("s3", "us-east-1"));
  EXPECT_FALSE(routes->takes_over("iam", "us-east-1"));
}

TEST(Routes, WithoutADefaultOthersAreNotTaken) {
  const auto routes = make({{"s3", "us-west-2", "http://s3"}});
  ASSERT_TRUE(routes);
  EXPECT_EQ(routes->find("ec2", "us-west-2"), nullptr);
  EXPECT_EQ(routes->find("s3", "us-east-1"), nullptr);
  EXPECT_NE(routes->find("s3", "us-west-2"), nullptr);
  EXPECT_TRUE(make({})->empty());
}

TEST(Routes, RefusesUrlsThatCannotBe) {
  const auto refusal = [](std::string url) {
    const auto routes = make({{"", "", std::move(url)}});
    return routes ? std::string() : routes.error().message();
  };
  EXPECT_THAT(refusal("http://127.0.0.1:4747"), testing::HasSubstr("this server itself"));
  EXPECT_THAT(refusal("http://localhost:4747/"), testing::HasSubstr("this server itself"));
  EXPECT_THAT(refusal("http://a/path"), testing::HasSubstr("without a path"));
  EXPECT_THAT(refusal("ftp://a"), testing::HasSubstr("ftp://a"));
  EXPECT_EQ(refusal("http://127.0.0.1:4748"), "");
}

}  // namespace
}  // namespace opentrail::gateway
