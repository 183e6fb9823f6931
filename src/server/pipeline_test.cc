// Goal: who is let through, who is refused and in whose words, and what the record says of each
// (docs/decisions/011-what-is-recorded.md). Method: signed calls to services that only count, with
// one thing wrong at a time.
#include "server/pipeline.h"

#include "server/pipeline_kit_test.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace opentrail::server {
namespace {

namespace sigv4 = crypto::sigv4;

constexpr std::string_view kUnattributed = "opentrail_calls_unattributed_total";

json::object identity_of(const json::object& record) {
  return record.at("userIdentity").as_object();
}

TEST_F(PipelineTest, AnAllowedCallIsHandledRecordedAndAnswered) {
  net::RequestHead head = json_head();
  head.tls = net::TlsDetails{"TLSv1.3", "TLS_AES_128_GCM_SHA256"};
  const Answer answer = send(sign(admin_, std::move(head), "{}"), "{}");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "done");
  EXPECT_FALSE(answer.closes);
  EXPECT_EQ(cloudtrail_->seen_body, "{}");
  EXPECT_TRUE(cloudtrail_->seen_caller.verified);
  EXPECT_EQ(cloudtrail_->seen_region, "us-east-1");

  const json::object record = only_record();
  EXPECT_EQ(record.at("eventVersion"), "1.11");
  EXPECT_EQ(record.at("eventTime"), "2026-11-24T08:46:13Z");
  EXPECT_EQ(record.at("eventSource"), "cloudtrail.amazonaws.com");
  EXPECT_EQ(record.at("eventName"), "CreateTrail");
  EXPECT_EQ(record.at("awsRegion"), "us-east-1");
  EXPECT_EQ(record.at("sourceIPAddress"), "192.0.2.7");
  EXPECT_EQ(record.at("userAgent"), "aws-cli/2.15.0");
  EXPECT_EQ(record.at("requestParameters"), (json::object{{"name", "t"}}));
  EXPECT_EQ(record.at("responseElements"), (json::object{{"made", "yes"}}));
  EXPECT_EQ(string_member(record, "requestID"), answer.request_id);
  EXPECT_EQ(answer.request_id.size(), 36U);
  EXPECT_EQ(record.at("readOnly"), false);
  EXPECT_EQ(record.at("managementEvent"), true);
  EXPECT_EQ(string_member(record, "recipientAccountId"), account_);
  EXPECT_FALSE(record.contains("errorCode"));
  EXPECT_FALSE(record.contains("errorMessage"));
  EXPECT_EQ(record.at("tlsDetails").at("clientProvidedHostHeader"), "localhost:4747");
  const json::object identity = identity_of(record);
  EXPECT_EQ(identity.at("type"), "IAMUser");
  EXPECT_EQ(identity.at("arn"), "arn:aws:iam::111122223333:user/admin");
  EXPECT_EQ(string_member(identity, "accessKeyId"), admin_.key_id);
}

TEST_F(PipelineTest, TheRegionIsThatOfTheScopeOrTheServicesOwn) {
  SignWith frankfurt = admin_;
  frankfurt.region = "eu-central-1";
  EXPECT_EQ(send(sign(frankfurt, json_head())).status, 200);
  frankfurt.service = "iam";
  EXPECT_EQ(send(sign(frankfurt, services::form_head("localhost"))).status, 200);
  const auto found = records();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].at("awsRegion"), "eu-central-1");
  EXPECT_EQ(found[1].at("awsRegion"), "us-east-1");
}

TEST_F(PipelineTest, ADeniedJsonOrQueryCallIsRecordedWithoutParameters) {
  const Answer json_answer = send(sign(reader_, json_head()));
  EXPECT_EQ(json_answer.status, 400);
  EXPECT_TRUE(json_answer.body.starts_with(
      "AccessDeniedException: User: arn:aws:iam::111122223333:user/reader is not authorized"))
      << json_answer.body;
  const Answer query_answer =
      send(sign(for_service(reader_, "iam"), services::form_head("localhost")));
  EXPECT_EQ(query_answer.status, 403);
  EXPECT_TRUE(query_answer.body.starts_with("AccessDenied: User: ")) << query_answer.body;
  EXPECT_EQ(cloudtrail_->handled + query_->handled, 0);

  const auto found = records();
  ASSERT_EQ(found.size(), 2U);
  for (const json::object& record : found) {
    EXPECT_EQ(record.at("errorCode"), "AccessDenied");
    EXPECT_TRUE(record.at("requestParameters").is_null());
    EXPECT_TRUE(record.at("responseElements").is_null());
    EXPECT_EQ(identity_of(record).at("arn"), "arn:aws:iam::111122223333:user/reader");
  }
}

TEST_F(PipelineTest, ADeniedS3CallIsRecordedWithItsParameters) {
  const Answer answer = send(sign(for_service(reader_, "s3"), s3_head()));
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.body, "AccessDenied: Access Denied");
  const json::object record = only_record();
  EXPECT_EQ(record.at("errorCode"), "AccessDenied");
  EXPECT_EQ(record.at("requestParameters"), (json::object{{"name", "t"}}));
  EXPECT_EQ(record.at("userAgent"), "[aws-cli/2.15.0]");
  EXPECT_EQ(record.at("requestID").as_string().size(), 16U);
  EXPECT_EQ(string_member(record, "requestID"), answer.request_id);
}

TEST_F(PipelineTest, AWrongSignatureOfAKnownKeyIsRecordedWithoutAnArn) {
  const double unattributed = metric(kUnattributed);
  const Answer answer = send(sign(forged(admin_), json_head()));
  EXPECT_EQ(answer.status, 403);
  EXPECT_TRUE(answer.body.starts_with("InvalidSignatureException: ")) << answer.body;
  EXPECT_EQ(cloudtrail_->handled, 0);
  const json::object record = only_record();
  EXPECT_EQ(record.at("errorCode"), "InvalidSignatureException");
  EXPECT_EQ(record.at("eventName"), "CreateTrail");
  EXPECT_TRUE(record.at("requestParameters").is_null());
  const json::object identity = identity_of(record);
  EXPECT_FALSE(identity.contains("arn"));
  EXPECT_EQ(string_member(identity, "accessKeyId"), admin_.key_id);
  EXPECT_EQ(identity.at("userName"), "admin");
  EXPECT_EQ(metric(kUnattributed), unattributed);
}

TEST_F(PipelineTest, ABodyThatIsNotTheSignedOneIsAWrongSignature) {
  const Answer answer = send(sign(admin_, json_head(), R"({"Name":"a"})"), R"({"Name":"b"})");
  EXPECT_TRUE(answer.body.starts_with("InvalidSignatureException: ")) << answer.body;
  EXPECT_EQ(cloudtrail_->handled, 0);
}

TEST_F(PipelineTest, AnUnknownKeyIsOnNobodysRecordAndCounted) {
  const double before = metric(kUnattributed);
  SignWith nobody = admin_;
  nobody.key_id = "AKIANOBODYHASEXAMPLE";
  const Answer answer = send(sign(nobody, json_head()));
  EXPECT_EQ(answer.status, 403);
  EXPECT_TRUE(answer.body.starts_with("UnrecognizedClientException: ")) << answer.body;
  EXPECT_EQ(answer.request_id.size(), 36U);
  EXPECT_TRUE(records().empty());
  EXPECT_EQ(metric(kUnattributed), before + 1);
}

TEST_F(PipelineTest, AnUnsignedCallIsRefusedInItsOwnWords) {
  const double before = metric(kUnattributed);
  const Answer json_answer = send(json_head());
  EXPECT_EQ(json_answer.status, 403);
  EXPECT_EQ(json_answer.body, "MissingAuthenticationTokenException: Missing Authentication Token");
  const Answer query_answer = send(services::form_head("localhost"));
  EXPECT_EQ(query_answer.body, "MissingAuthenticationToken: Missing Authentication Token");
  const Answer s3_answer = send(s3_head());
  EXPECT_EQ(s3_answer.body, "AccessDenied: Access Denied");
  EXPECT_EQ(s3_answer.request_id.size(), 16U);
  EXPECT_TRUE(records().empty());
  EXPECT_EQ(metric(kUnattributed), before + 3);
}

TEST_F(PipelineTest, AHeaderThatCannotBeReadIsABadRequest) {
  net::RequestHead head = sign(admin_, json_head());
  head.headers.set("Authorization", "AWS4-HMAC-SHA256 Credential=" + admin_.key_id);
  const Answer answer = send(std::move(head));
  EXPECT_EQ(answer.status, 400);
  EXPECT_TRUE(answer.body.starts_with("IncompleteSignatureException: ")) << answer.body;
  EXPECT_EQ(cloudtrail_->handled, 0);
}

TEST_F(PipelineTest, ACallForAnUnknownServiceIsRefusedAndRecorded) {
  const Answer answer =
      send(sign(for_service(admin_, "dynamodb"), json_head("DynamoDB_20120810.DeleteTable"), "{}"),
           "{}");
  EXPECT_EQ(answer.status, 404);
  const json::object body = json::parse(answer.body).as_object();
  EXPECT_EQ(body.at("__type"), "UnknownOperationException");
  EXPECT_NE(body.at("message").as_string().find("'dynamodb'"), json::string::npos);
  const json::object record = only_record();
  EXPECT_EQ(record.at("eventSource"), "dynamodb.amazonaws.com");
  EXPECT_EQ(record.at("eventName"), "DeleteTable");
  EXPECT_EQ(record.at("errorCode"), "UnknownOperationException");
  EXPECT_EQ(string_member(record, "requestID"), answer.request_id);
}

TEST_F(PipelineTest, ACallForAnUnknownServiceByNobodyIsNotRecorded) {
  SignWith nobody = for_service(admin_, "dynamodb");
  nobody.key_id = "AKIANOBODYHASEXAMPLE";
  const Answer answer = send(sign(nobody, json_head("DynamoDB_20120810.DeleteTable")));
  EXPECT_EQ(json::parse(answer.body).at("__type"), "UnrecognizedClientException");
  EXPECT_TRUE(records().empty());
}

TEST_F(PipelineTest, AnOperationThatCannotRunIsRecordedAsWhatItIs) {
  cloudtrail_->operation.error = services::ApiError{"ValidationException", "no name", 400, "Bad"};
  const Answer answer = send(sign(admin_, json_head()));
  EXPECT_EQ(answer.body, "ValidationException: no name");
  EXPECT_EQ(cloudtrail_->handled, 0);
  const json::object record = only_record();
  EXPECT_EQ(record.at("errorCode"), "Bad");
  EXPECT_EQ(record.at("errorMessage"), "no name");
  EXPECT_EQ(record.at("requestParameters"), (json::object{{"name", "t"}}));
}

TEST_F(PipelineTest, AnOperationThatCannotRunTellsAForgerOnlyOfTheSignature) {
  cloudtrail_->operation.error = services::ApiError{"ValidationException", "no name", 400, {}};
  EXPECT_TRUE(send(sign(forged(admin_), json_head())).body.starts_with("InvalidSignature"));
  EXPECT_TRUE(only_record().at("requestParameters").is_null());
}

TEST_F(PipelineTest, ABodyOverTheLimitIsNotRead) {
  cloudtrail_->body_max = 8;
  s3_->body_max = 8;
  const std::string body = "123456789";
  const Answer answer = send(sign(admin_, json_head(), body), body);
  EXPECT_EQ(answer.status, 413);
  EXPECT_TRUE(answer.body.starts_with("RequestEntityTooLarge: ")) << answer.body;
  EXPECT_TRUE(answer.closes);
  const Answer s3_answer = send(sign(for_service(admin_, "s3"), s3_head(), body), body);
  EXPECT_EQ(s3_answer.status, 413);
  EXPECT_TRUE(s3_answer.body.starts_with("EntityTooLarge: ")) << s3_answer.body;
  EXPECT_EQ(cloudtrail_->handled + s3_->handled, 0);
  const auto found = records();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].at("errorCode"), "RequestEntityTooLarge");
  EXPECT_FALSE(identity_of(found[0]).contains("arn"));  // the signature covers what was not read
}

TEST_F(PipelineTest, ALargeBodyIsReadOnlyForWhoIsKnown) {
  cloudtrail_->body_max = 2 << 20;
  const auto status_of = [&](net::RequestHead head) {
    CutExchange exchange(std::move(head), Error(ErrorCode::Timeout, "it was read"));
    services::run_to_value(answer_through(exchange));
    return answer_of(exchange.whole).status;
  };
  SignWith stranger = admin_;
  stranger.key_id = "AKIAIOSFODNN7EXAMPLE";
  EXPECT_EQ(status_of(sign(stranger, json_head(), "{}")), 403);
  EXPECT_EQ(status_of(sign(forged(admin_), json_head(), "{}")), 403);
  EXPECT_EQ(status_of(json_head()), 403);
  EXPECT_EQ(status_of(sign(admin_, json_head(), "{}")), 408);
  net::RequestHead undeclared = sign(admin_, json_head(), "{}");
  undeclared.headers.remove("x-amz-content-sha256");
  EXPECT_EQ(status_of(std::move(undeclared)), 408);
}

TEST_F(PipelineTest, ABodyThatDoesNotComeIsToldApart) {
  CutExchange slow(sign(admin_, json_head(), "{}"), Error(ErrorCode::Timeout, "no progress"));
  services::run_to_value(answer_through(slow));
  EXPECT_EQ(answer_of(slow.whole).status, 408);
  EXPECT_TRUE(answer_of(slow.whole).closes);
  CutExchange broken(sign(admin_, json_head(), "{}"),
                     Error(ErrorCode::InvalidArgument, "the body is malformed"));
  services::run_to_value(answer_through(broken));
  EXPECT_EQ(answer_of(broken.whole).status, 400);
  EXPECT_TRUE(answer_of(broken.whole).body.starts_with("IncompleteBody: "));
  EXPECT_EQ(cloudtrail_->handled, 0);
  EXPECT_EQ(records().size(), 2U);
}

TEST_F(PipelineTest, ARegionThatIsNotEnabledKnowsNoToken) {
  SignWith tokyo = admin_;
  tokyo.region = "ap-northeast-1";
  const Answer answer = send(sign(tokyo, json_head()));
  EXPECT_EQ(answer.status, 403);
  EXPECT_TRUE(answer.body.starts_with("UnrecognizedClientException: ")) << answer.body;
  const Answer query_answer =
      send(sign(for_service(tokyo, "iam"), services::form_head("localhost")));
  EXPECT_EQ(query_answer.status, 403);
  EXPECT_TRUE(query_answer.body.starts_with("InvalidClientTokenId: ")) << query_answer.body;
  const Answer s3_answer = send(sign(for_service(tokyo, "s3"), s3_head()));
  EXPECT_EQ(s3_answer.status, 400);
  EXPECT_NE(s3_answer.body.find("'ap-northeast-1'"), std::string::npos) << s3_answer.body;
  EXPECT_EQ(cloudtrail_->handled + query_->handled + s3_->handled, 0);
  const auto found = records();
  ASSERT_EQ(found.size(), 3U);
  for (const json::object& record : found) {
    EXPECT_EQ(record.at("awsRegion"), "us-east-1");
    EXPECT_TRUE(record.at("requestParameters").is_null());
  }
}

TEST_F(PipelineTest, S3ComparesTheDeclaredHashWithTheBody) {
  const SignWith with = for_service(admin_, "s3");
  const Answer wrong = send(sign(with, s3_head(), "one"), "two");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_TRUE(wrong.body.starts_with("XAmzContentSHA256Mismatch: ")) << wrong.body;
  EXPECT_EQ(s3_->handled, 0);
  EXPECT_EQ(only_record().at("errorCode"), "XAmzContentSHA256Mismatch");

  EXPECT_EQ(send(sign(with, s3_head(), "one"), "one").status, 200);
  EXPECT_EQ(send(sign(with, s3_head(), "one", "UNSIGNED-PAYLOAD"), "two").status, 200);
  EXPECT_EQ(send(sign(with, s3_head(), "one", "no hash"), "two").status, 400);
  s3_->streams_body = true;  // then whoever reads the body compares
  EXPECT_EQ(send(sign(with, s3_head(), "one"), "two").status, 200);
  EXPECT_EQ(s3_->seen_body, "");
  EXPECT_EQ(s3_->handled, 3);
}

TEST_F(PipelineTest, S3WantsTheHashOfTheBody) {
  net::RequestHead head = s3_head();
  sigv4::Claim claim;
  claim.scope = {to_iso_basic_date(clock_.now()), "us-east-1", "s3"};
  claim.signed_headers = {"host", "x-amz-date"};
  claim.amz_date = to_iso_basic(clock_.now());
  head.headers.add("X-Amz-Date", claim.amz_date);
  const sigv4::SignedRequest request{
      head.method,
      head.path(),
      head.query(),
      {{"host", head.headers.get("host")}, {"x-amz-date", claim.amz_date}}};
  const std::string canonical =
      sigv4::canonical_request(request, claim, sigv4::kUnsignedPayload, false);
  head.headers.add("Authorization",
                   fmt::format("AWS4-HMAC-SHA256 Credential={}/{}/us-east-1/s3/aws4_request, "
                               "SignedHeaders=host;x-amz-date, Signature={}",
                               admin_.key_id, claim.scope.date,
                               sigv4::signature(sigv4::signing_key(admin_.secret, claim.scope),
                                                sigv4::string_to_sign(claim, canonical))));
  const Answer answer = send(std::move(head));
  EXPECT_EQ(answer.status, 400);
  EXPECT_TRUE(answer.body.starts_with("InvalidRequest: ")) << answer.body;
  EXPECT_EQ(s3_->handled, 0);
  EXPECT_EQ(only_record().at("errorCode"), "InvalidRequest");
}

TEST_F(PipelineTest, LookupsBeyondTheRateAreThrottled) {
  cloudtrail_->operation = operation("LookupEvents", "cloudtrail:LookupEvents");
  cloudtrail_->operation.read_only = true;
  EXPECT_EQ(send(sign(reader_, json_head())).status, 200);
  const Answer answer = send(sign(reader_, json_head()));
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, "ThrottlingException: Rate exceeded");
  SignWith elsewhere = reader_;
  elsewhere.region = "eu-central-1";
  EXPECT_EQ(send(sign(elsewhere, json_head())).status, 200);
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(send(sign(reader_, json_head())).status, 200);
  EXPECT_EQ(cloudtrail_->handled, 3);
  const auto found = records();
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[1].at("errorCode"), "ThrottlingException");
}

TEST_F(PipelineTest, RegionsThatAreMadeUpShareOneAllowance) {
  cloudtrail_->operation = operation("LookupEvents", "cloudtrail:LookupEvents");
  SignWith nowhere = reader_;
  nowhere.region = "xx-nowhere-1";
  EXPECT_EQ(send(sign(nowhere, json_head())).status, 200);
  nowhere.region = "xx-nowhere-2";
  EXPECT_EQ(send(sign(nowhere, json_head())).status, 400);
}

TEST_F(PipelineTest, OnlyLookupsAreThrottled) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(send(sign(admin_, json_head())).status, 200);
  }
}

TEST_F(PipelineTest, AKeyThatWasTakenAwayNamesItsOwnerNoMore) {
  EXPECT_TRUE(iam_->delete_access_key(account_, "reader", reader_.key_id));
  EXPECT_EQ(send(sign(reader_, json_head())).status, 403);
  EXPECT_TRUE(records().empty());
}

}  // namespace
}  // namespace opentrail::server
