// Goal: forms and query strings give the same request; results and errors print as AWS's XML does;
// broken input is refused by name.
#include "aws/query_protocol.h"

#include <gtest/gtest.h>

namespace opentrail::aws {
namespace {

net::RequestHead form_post() {
  net::RequestHead head;
  head.method = "POST";
  head.target = "/";
  head.headers.add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  return head;
}

TEST(QueryRequest, ReadsAForm) {
  const auto request = QueryRequest::parse(
      form_post(),
      "Action=CreateUser&Version=2010-05-08&UserName=a%2Bb&Tags.member.2.Key=two&"
      "Tags.member.10.Key=ten&Tags.member.2.Value=2&Tags.member.10.Value=x+y&Empty=");
  ASSERT_TRUE(request.has_value()) << request.error().message();
  EXPECT_EQ(request->action(), "CreateUser");
  EXPECT_EQ(request->version(), "2010-05-08");
  EXPECT_EQ(request->get("UserName"), "a+b");
  EXPECT_TRUE(request->has("Empty"));
  EXPECT_FALSE(request->has("Absent"));
  const std::vector<std::pair<std::string, std::string>> want = {{"two", "2"}, {"ten", "x y"}};
  EXPECT_EQ(request->tags(), want);
}

TEST(QueryRequest, ReadsAQueryStringWithoutItsSignature) {
  net::RequestHead head;
  head.method = "GET";
  head.target = "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Signature=00";
  const auto request = QueryRequest::parse(head, "");
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->action(), "GetCallerIdentity");
  EXPECT_FALSE(request->has("X-Amz-Signature"));
}

TEST(QueryRequest, RefusesByName) {
  EXPECT_EQ(QueryRequest::parse(form_post(), "UserName=x").error().reason(), "MissingAction");
  EXPECT_EQ(QueryRequest::parse(form_post(), "Action=%zz").error().reason(),
            "MalformedQueryString");
  std::string many = "Action=X";
  for (std::size_t i = 0; i <= kQueryParametersMax; ++i) {
    many += "&a=b";
  }
  EXPECT_EQ(QueryRequest::parse(form_post(), many).error().reason(), "MalformedQueryString");
}

TEST(QueryResponse, PrintsObjectsAndLists) {
  const json::value result = {{"Users", {{{"UserName", "a<b"}}, {{"UserName", "c"}}}},
                              {"IsTruncated", false}};
  EXPECT_EQ(query_response("ListUsers", "https://iam.amazonaws.com/doc/2010-05-08/", result, "r-1"),
            "<ListUsersResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"
            "<ListUsersResult><Users><member><UserName>a&lt;b</UserName></member>"
            "<member><UserName>c</UserName></member></Users><IsTruncated>false</IsTruncated>"
            "</ListUsersResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>"
            "</ListUsersResponse>");
}

TEST(QueryResponse, PrintsErrors) {
  EXPECT_EQ(query_error("ns", "NoSuchEntity", "gone\x01", true, "r-1"),
            "<ErrorResponse xmlns=\"ns\"><Error><Type>Sender</Type><Code>NoSuchEntity</Code>"
            "<Message>gone\xEF\xBF\xBD</Message></Error><RequestId>r-1</RequestId>"
            "</ErrorResponse>");
}

}  // namespace
}  // namespace opentrail::aws
