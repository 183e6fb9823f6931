#include "net/http.h"

#include "net/client.h"

#include <gtest/gtest.h>

namespace opentrail::net {
namespace {

TEST(Headers, FindIgnoresCaseAndKeepsOrder) {
  Headers headers;
  headers.add("X-B", "1");
  headers.add("x-a", "2");
  headers.add("x-b", "3");
  EXPECT_EQ(headers.get("X-b"), "1");
  EXPECT_FALSE(headers.find("missing"));
  headers.set("X-B", "4");
  ASSERT_EQ(headers.fields().size(), 2U);
  EXPECT_EQ(headers.fields()[0].first, "x-a");
  EXPECT_EQ(headers.get("x-b"), "4");
}

TEST(RequestHead, SplitsTheTarget) {
  RequestHead head;
  head.target = "/bucket/key?list-type=2&x=%3F";
  EXPECT_EQ(head.path(), "/bucket/key");
  EXPECT_EQ(head.query(), "list-type=2&x=%3F");
  head.target = "/plain";
  EXPECT_EQ(head.path(), "/plain");
  EXPECT_EQ(head.query(), "");
}

TEST(ParseQuery, DecodesInOrder) {
  const auto fields = parse_query("a=1&b=x%20y+z&&c", false);
  ASSERT_TRUE(fields);
  ASSERT_EQ(fields->size(), 3U);
  EXPECT_EQ((*fields)[1].second, "x y+z");
  EXPECT_EQ((*fields)[2], (std::pair<std::string, std::string>("c", "")));
  EXPECT_EQ((*parse_query("b=x+z", true))[0].second, "x z");
  EXPECT_FALSE(parse_query("a=%zz", false));
}

TEST(ParseUrl, ReadsItsParts) {
  const auto url = parse_url("http://127.0.0.1:4747/base/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "127.0.0.1");
  EXPECT_EQ(url->port, 4747);
  EXPECT_EQ(url->path, "/base");
  EXPECT_EQ(url->authority(), "127.0.0.1:4747");
  EXPECT_EQ(parse_url("https://s3.example")->authority(), "s3.example");
  EXPECT_EQ(parse_url("https://s3.example")->port, 443);
  EXPECT_EQ(parse_url("http://[::1]:80")->authority(), "[::1]");
}

TEST(ParseUrl, SaysWhatIsWrong) {
  for (const auto* text : {"127.0.0.1:4747", "ftp://x", "http://", "http://x:0", "http://x:99999",
                           "http://x:", "http://a b", "http://[::1", "http://x/?q=1"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code(), ErrorCode::InvalidArgument);
    EXPECT_NE(url.error().message().find(text), std::string::npos);
  }
}

}  // namespace
}  // namespace opentrail::net
