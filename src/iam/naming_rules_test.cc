// Goal: what IAM accepts is accepted, to the last byte, and everything one step beyond is refused
// with IAM's code. Method: tables of both sides of each bound.
#include "iam/naming_rules.h"

#include "iam/iam.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace opentrail::iam {
namespace {

using Tags = std::vector<std::pair<std::string, std::string>>;

void expect_refused(const Result<void>& result, std::string_view code, std::string_view part) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(result.error().reason(), code);
  EXPECT_NE(result.error().message().find(part), std::string::npos) << result.error().message();
}

TEST(NamingRules, UserNames) {
  for (const auto& name : {std::string("a"), std::string("w+=,.@_-0"), std::string(64, 'Z')}) {
    EXPECT_TRUE(check_user_name(name)) << name;
  }
  expect_refused(check_user_name(""), "ValidationError", "greater than or equal to 1");
  expect_refused(check_user_name(std::string(65, 'a')), "ValidationError",
                 "less than or equal to 64");
  for (const auto* const name : {"a b", "a/b", "a:b", "\xc3\xa9", "a\n", "<a>", "a*"}) {
    expect_refused(check_user_name(name), "ValidationError", "userName is invalid");
  }
}

TEST(NamingRules, ALongForeignNameIsShownCutAndAsText) {
  const auto refused = check_user_name(std::string(100'000, '\xff'));
  ASSERT_FALSE(refused.has_value());
  EXPECT_LT(refused.error().message().size(), 1024U);
  EXPECT_EQ(refused.error().message().find('\xff'), std::string::npos);
}

TEST(NamingRules, Paths) {
  for (const auto& path : {std::string("/"), std::string("/team/"), std::string("/a/b/"),
                           "/" + std::string(510, '!') + "/"}) {
    EXPECT_TRUE(check_path(path)) << path;
  }
  for (const auto* const path : {"", "team/", "/team", "//", "/a b/", "/\xc3\xa9/", "/a\n/"}) {
    expect_refused(check_path(path), "ValidationError", "path is invalid");
  }
  expect_refused(check_path("/" + std::string(511, 'a') + "/"), "ValidationError", "512");
}

TEST(NamingRules, PathPrefixes) {
  for (const auto* const prefix : {"", "/", "/te", "/team/"}) {
    EXPECT_TRUE(check_path_prefix(prefix)) << prefix;
  }
  for (const auto* const prefix : {"te", "/a b", " "}) {
    expect_refused(check_path_prefix(prefix), "ValidationError", "pathPrefix is invalid");
  }
  expect_refused(check_path_prefix("/" + std::string(512, 'a')), "ValidationError", "512");
}

TEST(NamingRules, TagsOfAUser) {
  Tags many;
  for (std::size_t i = 0; i < kTagsPerUserMax; ++i) {
    many.emplace_back(fmt::format("k{}", i), "");
  }
  EXPECT_TRUE(check_tags(many));
  many.emplace_back("one more", "");
  expect_refused(check_tags(many), "ValidationError", "less than or equal to 50");

  EXPECT_TRUE(check_tags({{std::string(128, 'k'), std::string(256, 'v')}}));
  const struct {
    Tags tags;
    std::string_view code, part;
  } kCases[] = {
      {{{"", "v"}}, "ValidationError", "between 1 and 128"},
      {{{std::string(129, 'k'), "v"}}, "ValidationError", "between 1 and 128"},
      {{{"\xff", "v"}}, "ValidationError", "tags.member.key"},
      {{{"k", std::string(257, 'v')}}, "ValidationError", "less than or equal to 256"},
      {{{"k", "\xff"}}, "ValidationError", "tags.member.value"},
      {{{"AWS:k", "v"}}, "InvalidInput", "aws:"},
      {{{"k", "v"}, {"K", "w"}}, "InvalidInput", "Duplicate tag keys"},
  };
  for (const auto& one : kCases) {
    expect_refused(check_tags(one.tags), one.code, one.part);
  }
}

TEST(NamingRules, Passwords) {
  for (const auto& password : {std::string("lower-12"), std::string("Lower-case"),
                               std::string("LOWer123"), "aA1" + std::string(125, '-')}) {
    EXPECT_TRUE(check_password(password, "alice")) << password;
  }
  const struct {
    std::string password;
    std::string_view part;
  } kCases[] = {
      {"Short-1", "minimum length of 8"}, {"aA1" + std::string(126, '-'), "maximum length of 128"},
      {"lowercase-only", "three of"},     {"UPPER-CASE", "three of"},
      {"12345678", "three of"},           {"alice-2026", "user's name"},
  };
  for (const auto& one : kCases) {
    const auto refused = check_password(one.password, "Alice-2026");
    expect_refused(refused, "PasswordPolicyViolation", one.part);
    EXPECT_EQ(refused.error().message().find(one.password), std::string::npos);
  }
}

}  // namespace
}  // namespace opentrail::iam
