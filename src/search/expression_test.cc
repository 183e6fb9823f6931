// Goal: what people write means what docs/search.md says, near misses are refused with the place
// and an example, and the canonical text reads back to the same tree. Method: tables, and random
// trees.
#include "search/expression.h"

#include "base/text.h"
#include "io/filesystem.h"
#include "search/names.h"
#include "search/random_expression.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opentrail::search {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Kind = Expression::Kind;

std::string canonical(std::string_view text) {
  const auto expression = parse_expression(text);
  return expression ? to_text(*expression) : expression.error().message();
}

TEST(ParseExpression, ReadsWhatPeopleWrite) {
  const struct {
    std::string_view text, canonical;
  } cases[] = {
      {"", "*"},
      {" \t\n", "*"},
      {"*", "*"},
      // Names, any case, short and long.
      {"eventName = CreateTrail", "eventName = \"CreateTrail\""},
      {"EVENTNAME==CreateTrail", "eventName = \"CreateTrail\""},
      {"EventId=a", "eventID = \"a\""},
      {"user=a ip=b arn=c error=d account=e region=f source=g name=h agent=i",
       R"(username = "a" and sourceIPAddress = "b" and userIdentity.arn = "c" and errorCode = "d" )"
       R"(and recipientAccountId = "e" and awsRegion = "f" and eventSource = "g" and )"
       R"(eventName = "h" and userAgent = "i")"},
      {"ReadOnly = TRUE", "readOnly = \"true\""},
      // Paths.
      {"requestParameters.bucketName = x", "requestParameters.bucketName = \"x\""},
      {"requestparameters.bucketName = x", "requestParameters.bucketName = \"x\""},
      {"requestParameters.x-amz-acl = x", "requestParameters.x-amz-acl = \"x\""},
      {R"(requestParameters."odd name".x.'y.z' = 1)",
       R"(requestParameters."odd name".x."y.z" = "1")"},
      {R"("odd".a = 1)", R"("odd".a = "1")"},
      {R"("userName" = 1)", R"("userName" = "1")"},
      {R"("eventName" = 1)", R"("eventName" = "1")"},
      {R"("requestParameters"."a" = 1)", R"(requestParameters.a = "1")"},
      {R"(requestParameters."" = 1)", R"(requestParameters."" = "1")"},
      {"userIdentity.sessionContext.sessionIssuer.arn = 1",
       "userIdentity.sessionContext.sessionIssuer.arn = \"1\""},
      {"useridentity.ARN = 1", "userIdentity.arn = \"1\""},
      {"requestParameters.a = ''", "requestParameters.a = \"\""},
      // Operators.
      {"user!=a", "username != \"a\""},
      {"user ^= a user starts with a", "username ^= \"a\" and username ^= \"a\""},
      {"user $= a user ends  with a", "username $= \"a\" and username $= \"a\""},
      {"user ~= a user contains a user ~ a",
       "username ~= \"a\" and username ~= \"a\" and username ~= \"a\""},
      {"user ~* a user icontains a", "username ~* \"a\" and username ~* \"a\""},
      {"error exists", "errorCode exists"},
      {"error = *", "errorCode exists"},
      {"error != * user !^= a user not contains b",
       "errorCode not exists and username !^= \"a\" "
       "and username !~= \"b\""},
      {"user in (a, \"b c\")", "username in (\"a\", \"b c\")"},
      {"user in (a)", "username = \"a\""},
      {"user not in (a, b*)", "username not in (\"a\", \"b*\")"},
      {"user = a or user = b", "username in (\"a\", \"b\")"},
      // Wildcards and quotes.
      {"event = Delete*", "eventName ^= \"Delete\""},
      {"event = \"Delete*\"", "eventName ^= \"Delete\""},
      {"event = *Bucket event = *Bucket*", "eventName $= \"Bucket\" and eventName ~= \"Bucket\""},
      {R"(resource = "logs/\*")", R"(resourceName = "logs/\*")"},
      {R"(resource = "\*" resource = "\u002a*")", R"(resourceName = "\*" and resourceName ^= "*")"},
      {R"(requestParameters ~= "s3:*")", R"(requestParameters ~= "s3:*")"},
      {R"(user = "a\"b\\c\/d" user = 'it"s')", R"(username = "a\"b\\c/d" and username = "it\"s")"},
      {R"(user = "\u00e9\ud83d\ude00\n\u0001")", "username = \"\u00e9\U0001F600\\u000a\\u0001\""},
      {"user = O'Brien", "username = \"O'Brien\""},
      {"ip = 2001:db8::1", "sourceIPAddress = \"2001:db8::1\""},
      {"agent = a=b", "userAgent = \"a=b\""},
      // Words.
      {"alice", "\"alice\""},
      {"\"access denied\" 10.0.0.1", "\"access denied\" and \"10.0.0.1\""},
      {"\"s3:*\"", "\"s3:*\""},
      {"Delete*", "\"Delete\""},
      {"text ~= x text ~* x", "\"x\" and text ~* \"x\""},
      {"alice in wonderland", "\"alice\" and \"in\" and \"wonderland\""},
      {"not alice", "text !~= \"alice\""},
      // Connectives.
      {"a AND b Or c", "\"a\" and \"b\" or \"c\""},
      {"a&&b||c", "\"a\" and \"b\" or \"c\""},
      {"a and (b or c)", "\"a\" and (\"b\" or \"c\")"},
      {"(a and b) or c", "\"a\" and \"b\" or \"c\""},
      {"a and (b and c)", "\"a\" and (\"b\" and \"c\")"},
      {"!(a b)", "not (\"a\" and \"b\")"},
      {"not not a", "not text !~= \"a\""},
      {"not user = a", "username != \"a\""},
      {"not *", "not *"},
      {"(((a)))", "\"a\""},
      {"user=a(ip=b)",
       "at 6: a value with any of \\ ( ) , \" or blanks stands in quotes, for example "
       "eventName = \"CreateTrail\""},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(canonical(one.text), one.canonical) << one.text;
  }
}

TEST(ParseExpression, RefusesTheRestAtItsPlace) {
  const struct {
    std::string_view text, message;
  } cases[] = {
      {"eventName =", "at 12: expected a value after '=', found the end, for example eventName = "},
      {"eventName = and b", "at 13: expected a value after '=', found 'and'"},
      {"eventName", "at 1: expected an operator after 'eventName'"},
      {"a eventName:b", "at 3: expected '=' instead of ':'"},
      {"evntName = x", "at 1: there is no field 'evntName', did you mean eventName;"},
      {"vpc = x", "at 1: there is no field 'vpc'"},
      {"time = x", "at 1: times are not part of an expression"},
      {"count < 3", "at 7: values have no order here"},
      {"name =~ x", "at 6: there are no regular expressions"},
      {"name = a*b", "at 8: a '*' stands at the beginning or the end"},
      {"a*b", "at 1: a '*' stands at the beginning or the end"},
      {"eventName = \"Delete\"*", "at 21: the '*' stands inside the quotes"},
      {"\"Delete\"*", "at 9: the '*' stands inside the quotes"},
      {"user in (\"a\"*)", "at 13: the '*' stands inside the quotes"},
      {"user = \"a\"b", "at 11: expected a blank after the quotes, found 'b'"},
      {"user = \"a\"\"b\"", "at 11: expected a blank after the quotes, found '\"'"},
      {"errorCode = \"\"", "at 13: expected a value that is not empty"},
      {"requestParameters ^= \"\"", "at 22: expected a value that is not empty"},
      {"\"\"", "at 1: expected a word that is not empty"},
      {"readOnly = maybe", "at 12: readOnly is true or false"},
      {"text = x", "at 6: all of a record can only be looked into"},
      {"text in (x)", "at 6: all of a record can only be looked into"},
      {"requestParameters..x = 1", "at 1: expected the next step of a path"},
      {"requestParameters.\"x\". = 1", "at 23: expected the next step of a path"},
      {"requestParameters.\"x\"", "at 22: expected an operator after the path"},
      {"items[0].x = 1", "at 1: expected the next step of a path"},
      {"(a", "at 3: expected ')' for the '(' at 1, found the end"},
      {"a)", "at 2: expected AND, OR or the end, found ')'"},
      {"()", "at 2: expected a test or a word, found ')'"},
      {"a and", "at 6: expected a test or a word, found the end"},
      {"or a", "at 1: expected a test or a word, found 'or'"},
      {"not", "at 4: expected a test or a word, found the end"},
      {"= a", "at 1: expected a test or a word, found '='"},
      {"user in (a b)", "at 12: expected ',' or ')', found 'b'"},
      {"user in (a,)", "at 12: expected a value after ',', found ')'"},
      {"user in ()", "at 10: expected a value after '(', found ')'"},
      {"user = \"a", "at 8: expected a closing \""},
      {"user = \"\\q\"", "at 9: no such escape"},
      {"user = \"\\u12\"", "at 11: expected four hexadecimal digits"},
      {"user = \"\\ud800\"", "at 9: half of a surrogate pair"},
      {"user = \"\\udc00\"", "at 9: half of a surrogate pair"},
      {"user = \"a\nb\"", "at 10: a control character"},
      {"user = C:\\temp", "at 8: a value with any of"},
      {"\u00e9\u00e9 )", "at 4: expected AND, OR or the end"},  // characters, not bytes
      {"\xff", "the expression is not UTF-8"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.text);
    const auto expression = parse_expression(one.text);
    ASSERT_FALSE(expression.has_value()) << to_text(*expression);
    EXPECT_EQ(expression.error().code(), ErrorCode::InvalidArgument);
    EXPECT_THAT(expression.error().message(), StartsWith(one.message));
  }
}

TEST(ParseExpression, KnowsWhatTheManualSays) {
  const auto files = io::make_posix_filesystem();
  const auto manual = io::read_file(*files, "docs/search.md", 1 << 20);
  ASSERT_TRUE(manual.has_value());
  std::size_t examples = 0;
  std::size_t names = 0;
  std::string_view fence;
  std::string_view chapter;
  for (const std::string_view line : split(*manual, '\n')) {
    if (line.starts_with("```")) {
      fence = fence.empty() ? line : "";
    } else if (line.starts_with("## ")) {
      chapter = line;
    } else if (fence == "```" && !line.starts_with("at ")) {
      EXPECT_TRUE(parse_expression(line).has_value()) << line;
      ++examples;
    } else if (chapter == "## Names" && line.starts_with("| `")) {
      const auto cells = split(line, '|');
      for (const std::size_t cell : {std::size_t{1}, std::size_t{2}}) {
        const auto parts = split(cells[cell], '`');
        for (std::size_t i = 1; i < parts.size(); i += 2) {
          EXPECT_TRUE(named_target(parts[i]).has_value()) << parts[i];
          ++names;
        }
      }
    }
  }
  EXPECT_GE(examples, 6U);
  EXPECT_GE(names, 30U);
}

TEST(Names, EveryFieldHasOne) {
  for (std::size_t i = 0; i < record::kFieldCount; ++i) {
    const Target target{
        .kind = Target::Kind::Field, .field = static_cast<record::Field>(i), .path = {}};
    EXPECT_EQ(named_target(to_text(target)), target);
  }
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (; times > 0; --times) {
    out += text;
  }
  return out;
}

TEST(ParseExpression, IsBounded) {
  const auto nested = [](std::size_t depth) {
    return repeated("(", depth) + "a" + repeated(")", depth);
  };
  EXPECT_EQ(canonical(nested(kDepthMax)), "\"a\"");
  EXPECT_THAT(canonical(nested(kDepthMax + 1)), HasSubstr("nested deeper than 64"));
  EXPECT_THAT(canonical(repeated("not ", kDepthMax + 1) + "a"), HasSubstr("nested deeper"));
  EXPECT_TRUE(parse_expression(repeated("a ", kTestsMax)).has_value());
  EXPECT_THAT(canonical(repeated("a ", kTestsMax + 1)), HasSubstr("more than 256 tests"));
  EXPECT_TRUE(parse_expression(std::string(kTextBytesMax - 2, 'a')).has_value());
  EXPECT_THAT(canonical(std::string(kTextBytesMax + 1, 'a')), HasSubstr("at most 16384 bytes"));
  EXPECT_THAT(canonical(std::string(kTextBytesMax, 'a')), HasSubstr("with all its names"));
  EXPECT_THAT(canonical("requestParameters." + std::string(kPathBytesMax, 'a') + " = 1"),
              HasSubstr("a path has at most 1024 bytes"));
}

/// What is at the limit stays within it when it is written anew.
TEST(ToText, GoesNoDeeperThanWhatWasRead) {
  const std::string deep =
      repeated("not (a or ", kDepthMax / 2) + "user not in (a, b*)" + repeated(")", kDepthMax / 2);
  const auto expression = parse_expression(deep);
  ASSERT_TRUE(expression.has_value()) << expression.error().message();
  const auto again = parse_expression(to_text(*expression));
  ASSERT_TRUE(again.has_value()) << again.error().message();
  EXPECT_EQ(*again, *expression);
}

TEST(ToText, ReadsBackToTheSameTree) {
  constexpr unsigned kSeed = 20261126;
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  for (int round = 0; round < 5000; ++round) {
    const Expression expression = random_expression(random, 4);
    const std::string text = to_text(expression);
    const auto again = parse_expression(text);
    ASSERT_TRUE(again.has_value()) << text << '\n' << again.error().message();
    ASSERT_EQ(*again, expression) << text << '\n' << to_text(*again);
  }
}

TEST(Simplify, FlattensAndFolds) {
  const struct {
    std::string_view text, simple;
  } cases[] = {
      {"a and (b and (c and a))", "\"a\" and \"b\" and \"c\""},
      {"a or (b or a)", "\"a\" or \"b\""},
      {"not not a", "\"a\""},
      {"not (a and not b)", "text !~= \"a\" or \"b\""},
      {"user not in (a, b)", "username != \"a\" and username != \"b\""},
      {"not (user != a and user != b)", "username in (\"a\", \"b\")"},
      {"a and *", "\"a\""},
      {"a or *", "*"},
      {"a and not *", "not *"},
      {"a or not *", "\"a\""},
      {"not not *", "*"},
      {"a and b and not a", "not *"},
      {"a or b or not a", "*"},
      {"(a and not a) or b", "\"b\""},
      {"(a or b) and (a or b)", "\"a\" or \"b\""},
      {"(a or b) and (a or b) or c", "\"a\" or \"b\" or \"c\""},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(to_text(simplify(parse_expression(one.text).value())), one.simple) << one.text;
  }
}

void expect_simple(const Expression& expression, bool is_root) {
  const auto& children = expression.children;
  switch (expression.kind) {
    case Kind::All:
      EXPECT_TRUE(is_root);
      return;
    case Kind::Test:
      return;
    case Kind::Not:
      EXPECT_TRUE(children.front().kind == Kind::Test ||
                  (is_root && children.front().kind == Kind::All));
      return;
    case Kind::And:
    case Kind::Or:
      break;
  }
  EXPECT_GE(children.size(), 2U);
  for (std::size_t i = 0; i < children.size(); ++i) {
    EXPECT_NE(children[i].kind, expression.kind);
    EXPECT_EQ(
        std::find(children.begin(), children.begin() + static_cast<std::ptrdiff_t>(i), children[i]),
        children.begin() + static_cast<std::ptrdiff_t>(i));
    expect_simple(children[i], false);
  }
}

TEST(Simplify, KeepsItsPromisesAndChangesNothingTwice) {
  constexpr unsigned kSeed = 99;
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  for (int round = 0; round < 5000; ++round) {
    const Expression expression = random_expression(random, 4);
    const Expression simple = simplify(expression);
    SCOPED_TRACE(to_text(expression));
    expect_simple(simple, true);
    ASSERT_EQ(simplify(simple), simple);
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

}  // namespace
}  // namespace opentrail::search
