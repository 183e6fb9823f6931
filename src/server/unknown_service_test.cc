// Goal: a call for a service that is not here is named as well as the request allows and refused in
// the caller's protocol, whatever bytes it is made of. Method: requests of each protocol, and
// broken ones.
#include "server/unknown_service.h"

#include "base/json.h"
#include "base/text.h"
#include "services/fake_exchange.h"

#include <gtest/gtest.h>

namespace opentrail::server {
namespace {

using services::Operation;

net::RequestHead target_head(std::string target) {
  net::RequestHead head;
  head.method = "POST";
  head.target = "/";
  head.headers.add("X-Amz-Target", std::move(target));
  return head;
}

Operation identify(std::string_view service, const net::RequestHead& head, std::string body = {}) {
  const UnknownService unknown(service, head);
  services::FakeExchange exchange(head);
  return unknown.identify(services::make_call(exchange, {}, std::move(body)));
}

TEST(UnknownService, TakesItsNameFromTheScope) {
  const UnknownService plain("dynamodb", target_head("x"));
  EXPECT_EQ(plain.signing_name(), "dynamodb");
  EXPECT_EQ(plain.event_source(), "dynamodb.amazonaws.com");
  EXPECT_EQ(UnknownService("", target_head("x")).signing_name(), "unknown");
  EXPECT_EQ(UnknownService("a\"\n\xff.Z", target_head("x")).signing_name(), "a_____");
  EXPECT_EQ(UnknownService(std::string(1000, 'a'), target_head("x")).signing_name().size(), 64U);
}

TEST(UnknownService, NamesTheOperationOfEachProtocol) {
  EXPECT_EQ(identify("dynamodb", target_head("DynamoDB_20120810.PutItem")).name, "PutItem");
  EXPECT_EQ(identify("dynamodb", target_head("PutItem")).action, "dynamodb:PutItem");
  EXPECT_EQ(
      identify("ec2", services::form_head("localhost"), "Action=RunInstances&Version=2016-11-15")
          .event_name,
      "RunInstances");
  net::RequestHead rest;
  rest.method = "PUT";
  rest.target = "/2015-03-31/functions?a=b";
  EXPECT_EQ(identify("lambda", rest).name, "PUT /2015-03-31/functions");
}

TEST(UnknownService, AnOperationAlwaysHasAName) {
  EXPECT_EQ(identify("dynamodb", target_head("DynamoDB_20120810.")).name, "POST /");
  EXPECT_EQ(identify("dynamodb", target_head("")).name, "POST /");
  EXPECT_EQ(identify("ec2", services::form_head("localhost"), "%zz").name, "POST /");
  EXPECT_EQ(identify("ec2", services::form_head("localhost"), "Action=").name, "POST /");
}

TEST(UnknownService, BoundsWhatTheCallerWrote) {
  const Operation operation = identify("dynamodb", target_head(std::string(5000, 'a')));
  EXPECT_EQ(operation.name.size(), 256U);
}

TEST(UnknownService, RefusesInJson) {
  const net::RequestHead head = target_head("DynamoDB_20120810.PutItem");
  UnknownService unknown("dynamodb", head);
  EXPECT_EQ(unknown.error_style(), iam::ErrorStyle::Json);
  services::FakeExchange exchange(head);
  auto call = services::make_call(exchange, {}, "{}");
  const Operation operation = unknown.identify(call);
  ASSERT_TRUE(operation.error);
  EXPECT_EQ(operation.error->status, 404);
  const auto outcome = services::run_to_value(unknown.handle(call, operation));
  EXPECT_EQ(outcome.head.status, 404);
  EXPECT_EQ(outcome.head.headers.get("x-amzn-ErrorType"), "UnknownOperationException");
  const auto body = json::parse(outcome.body).as_object();
  EXPECT_EQ(body.at("__type"), "UnknownOperationException");
  EXPECT_NE(body.at("message").as_string().find("'dynamodb'"), json::string::npos);
}

TEST(UnknownService, RefusesInXml) {
  const net::RequestHead head = services::form_head("localhost");
  const UnknownService unknown("ec2", head);
  EXPECT_EQ(unknown.error_style(), iam::ErrorStyle::Query);
  const auto outcome = unknown.error_answer(head, {"InvalidAction", "a<b", 400, {}}, "the-id");
  EXPECT_EQ(outcome.head.headers.get("content-type"), "text/xml");
  EXPECT_NE(outcome.body.find("<Code>InvalidAction</Code>"), std::string::npos) << outcome.body;
  EXPECT_NE(outcome.body.find("a&lt;b"), std::string::npos);
  EXPECT_NE(outcome.body.find("the-id"), std::string::npos);
}

}  // namespace
}  // namespace opentrail::server
