// Goal: GetCallerIdentity says who called, in STS's XML; everything else is refused. Method: a fake
// exchange.
#include "services/sts/sts_service.h"

#include "base/json.h"
#include "services/fake_exchange.h"

#include <gtest/gtest.h>

namespace opentrail::services {
namespace {

iam::Caller alice() {
  iam::Caller caller;
  caller.account_id = "111122223333";
  caller.user_name = "alice";
  caller.principal_id = "AIDAALICE";
  caller.arn = "arn:aws:iam::111122223333:user/alice";
  caller.verified = true;
  return caller;
}

constexpr auto kGetCallerIdentity = "Action=GetCallerIdentity&Version=2011-06-15";

TEST(StsService, SaysWhoCalled) {
  FakeExchange exchange(form_head("localhost:4580"));
  Call call = make_call(exchange, alice(), kGetCallerIdentity);
  StsService service;
  const Operation operation = service.identify(call);
  EXPECT_FALSE(operation.error.has_value());
  EXPECT_EQ(operation.action, "sts:GetCallerIdentity");
  EXPECT_TRUE(operation.read_only);
  EXPECT_EQ(operation.region_override, "");
  EXPECT_TRUE(operation.request_parameters.is_null());

  const Outcome outcome = run_to_value(service.handle(call, operation));
  EXPECT_EQ(outcome.head.status, 200);
  EXPECT_NE(outcome.body.find("<GetCallerIdentityResult>"
                              "<Arn>arn:aws:iam::111122223333:user/alice</Arn>"
                              "<UserId>AIDAALICE</UserId><Account>111122223333</Account>"
                              "</GetCallerIdentityResult>"),
            std::string::npos)
      << outcome.body;
  EXPECT_TRUE(outcome.response_elements.is_null());
}

TEST(StsService, RecordsWhichEndpointWasAsked) {
  const StsService service;
  const auto details_for = [&](std::string host) {
    FakeExchange exchange(form_head(std::move(host)));
    return to_text(
        service.identify(make_call(exchange, alice(), kGetCallerIdentity)).additional_event_data);
  };
  EXPECT_EQ(details_for("sts.eu-central-1.amazonaws.com"),
            R"({"RequestDetails":{"endpointType":"regional","awsServingRegion":"eu-central-1"}})");
  EXPECT_EQ(details_for("sts.amazonaws.com"),
            R"({"RequestDetails":{"endpointType":"global","awsServingRegion":"eu-central-1"}})");
}

TEST(StsService, RefusesWhatItDoesNotOffer) {
  const StsService service;
  for (const auto& [form, code] :
       {std::pair{"Action=AssumeRole&Version=2011-06-15", "InvalidAction"},
        std::pair{"Version=2011-06-15", "MissingAction"}}) {
    FakeExchange exchange(form_head("localhost"));
    const Operation operation = service.identify(make_call(exchange, alice(), form));
    ASSERT_TRUE(operation.error.has_value()) << form;
    EXPECT_EQ(operation.error->code, code);
    const Outcome answer = service.error_answer(exchange.request(), *operation.error, "id-1");
    EXPECT_EQ(answer.head.status, 400);
    EXPECT_NE(answer.body.find("<Code>" + std::string(code) + "</Code>"), std::string::npos);
    EXPECT_NE(answer.body.find("<RequestId>id-1</RequestId>"), std::string::npos);
  }
}

}  // namespace
}  // namespace opentrail::services
