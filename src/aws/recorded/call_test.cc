// Goal: parameters, answers and errors stand on the record as CloudTrail writes them. Method:
// requests of every protocol, with what must and must not be kept of them.
#include "aws/recorded/call.h"

#include "aws/recorded/cbor.h"

#include <gtest/gtest.h>

namespace opentrail::aws::recorded {
namespace {

struct Request {
  std::string method = "POST";
  std::string target = "/";
  std::vector<net::Headers::Field> fields;
  std::string body;
  std::string signing_name;

  [[nodiscard]] net::RequestHead head() const {
    net::RequestHead head;
    head.method = method;
    head.target = target;
    for (const auto& [name, value] : fields) {
      head.headers.add(name, value);
    }
    return head;
  }
  [[nodiscard]] model::RecognisedCall call() const {
    auto call = model::recognise(head(), body, {signing_name, ""});
    EXPECT_TRUE(call) << method << " " << target << " " << body;
    return *call;
  }
  [[nodiscard]] Parameters parameters() const { return request_parameters(call(), head(), body); }
  [[nodiscard]] std::string recorded() const { return to_text(parameters().value); }
};

Request json(std::string signing_name, std::string target, std::string body) {
  return {
      "POST", "/", {{"X-Amz-Target", std::move(target)}}, std::move(body), std::move(signing_name)};
}
Request form(std::string signing_name, std::string body) {
  return {"POST",
          "/",
          {{"Content-Type", "application/x-www-form-urlencoded"}},
          std::move(body),
          std::move(signing_name)};
}

TEST(RecordedCall, JsonParametersInCloudTrailsCase) {
  EXPECT_EQ(
      json("kms", "TrentService.CreateKey",
           R"({"Description":"d","MultiRegion":false,"Tags":[{"TagKey":"K","TagValue":"V"}]})")
          .recorded(),
      R"({"description":"d","multiRegion":false,"tags":[{"tagKey":"K","tagValue":"V"}]})");
  EXPECT_EQ(json("kms", "TrentService.ListKeys", "{}").recorded(), "null");
  EXPECT_EQ(json("kms", "TrentService.ListKeys", "").recorded(), "null");
}

TEST(RecordedCall, SecretsAreNotKept) {
  EXPECT_EQ(json("secretsmanager", "secretsmanager.CreateSecret",
                 R"({"Name":"n","SecretString":"hush","SecretBinary":"aHVzaA=="})")
                .recorded(),
            R"({"name":"n","secretString":"HIDDEN_DUE_TO_SECURITY_REASONS",)"
            R"("secretBinary":"HIDDEN_DUE_TO_SECURITY_REASONS"})");
  EXPECT_EQ(form("iam", "Action=CreateLoginProfile&Version=2010-05-08&UserName=u&Password=hush")
                .recorded(),
            R"({"userName":"u","password":"HIDDEN_DUE_TO_SECURITY_REASONS"})");
  EXPECT_EQ(form("ec2", "Action=RunInstances&Version=2016-11-15&UserData=aHVzaA%3D%3D").recorded(),
            R"({"userData":"<sensitiveDataRemoved>"})");
}

TEST(RecordedCall, UnknownMembersAreNamedWithoutTheirValues) {
  const Parameters parameters =
      json("kms", "TrentService.CreateKey", R"({"Description":"d","Novelty":"hush"})").parameters();
  EXPECT_EQ(to_text(parameters.value), R"({"description":"d"})");
  EXPECT_EQ(parameters.unknown, std::vector<std::string>{"Novelty"});
}

TEST(RecordedCall, BytesThatAreNoTextAreReplaced) {
  const std::string form_text =
      form("sns",
           "Action=CreateTopic&Version=2010-03-31&Name=%ff&Attributes.entry.1.key=%fe"
           "&Attributes.entry.1.value=\xFD")
          .recorded();
  EXPECT_TRUE(parse_json(form_text)) << form_text;
  const Request xml{"PUT",
                    "/b?versioning",
                    {{"Host", "h"}},
                    "<VersioningConfiguration><Status>\xFF</Status></VersioningConfiguration>",
                    "s3"};
  EXPECT_TRUE(parse_json(xml.recorded())) << xml.recorded();
  std::string body = "\xA1";
  body +=
      "\x69"
      "AlarmName"
      "\x61\xFF";
  const Request cbor{"POST",
                     "/service/GraniteServiceVersion20100801/operation/SetAlarmState",
                     {},
                     body,
                     "monitoring"};
  EXPECT_TRUE(parse_json(cbor.recorded())) << cbor.recorded();
}

TEST(RecordedCall, BrokenBodiesAreMarked) {
  const Parameters parameters = json("kms", "TrentService.CreateKey", "{\"Descr").parameters();
  EXPECT_TRUE(parameters.value.is_null());
  EXPECT_EQ(parameters.defect, "the body is not JSON");
}

TEST(RecordedCall, QueryListsAndMaps) {
  EXPECT_EQ(form("iam",
                 "Action=CreateUser&Version=2010-05-08&UserName=u&Tags.member.2.Key=b"
                 "&Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.10.Key=j")
                .recorded(),
            R"({"userName":"u","tags":[{"key":"a","value":"1"},{"key":"b"},{"key":"j"}]})");
  EXPECT_EQ(form("sns",
                 "Action=CreateTopic&Version=2010-03-31&Name=t&Attributes.entry.1.key=A"
                 "&Attributes.entry.1.value=x")
                .recorded(),
            R"({"name":"t","attributes":{"A":"x"}})");
  EXPECT_EQ(form("iam", "Action=UpdateRole&Version=2010-05-08&RoleName=r&MaxSessionDuration=3600")
                .recorded(),
            R"({"roleName":"r","maxSessionDuration":3600})");
}

TEST(RecordedCall, Ec2ListsAreItems) {
  EXPECT_EQ(
      form("ec2", "Action=DescribeVpcs&Version=2016-11-15&Filter.1.Name=cidr&Filter.1.Value.1=x")
          .recorded(),
      R"({"filterSet":{"items":[{"name":"cidr","valueSet":{"items":[{"value":"x"}]}}]}})");
}

TEST(RecordedCall, CborParameters) {
  // {"Namespace": "n", "MetricData": [...]} would be a data event; SetAlarmState is none.
  std::string body = "\xA2";
  body +=
      "\x69"
      "AlarmName"
      "\x61"
      "a";
  body +=
      "\x6A"
      "StateValue"
      "\x62"
      "OK";
  const Request request{"POST",
                        "/service/GraniteServiceVersion20100801/operation/SetAlarmState",
                        {{"smithy-protocol", "rpc-v2-cbor"}},
                        body,
                        "monitoring"};
  EXPECT_EQ(request.recorded(), R"({"alarmName":"a","stateValue":"OK"})");
}

TEST(RecordedCall, RestParametersFromEverywhere) {
  const Request request{"POST",
                        "/2015-03-31/functions/f/policy?Qualifier=1",
                        {},
                        R"({"StatementId":"s","Action":"lambda:InvokeFunction","Principal":"*"})",
                        "lambda"};
  EXPECT_EQ(request.recorded(), R"({"functionName":"f","qualifier":"1","statementId":"s",)"
                                R"("action":"lambda:InvokeFunction","principal":"*"})");
}

TEST(RecordedCall, SomeServicesKeepTheWiresNames) {
  EXPECT_EQ(json("ce", "AWSInsightsIndexService.GetCostAndUsage",
                 R"({"TimePeriod":{"Start":"2025-10-12","End":"2025-11-01"},"Metrics":["A"]})")
                .recorded(),
            R"({"TimePeriod":{"Start":"2025-10-12","End":"2025-11-01"},"Metrics":["A"]})");
}

TEST(RecordedCall, DataEventsKeepNoContent) {
  EXPECT_EQ(json("dynamodb", "DynamoDB_20120810.PutItem",
                 R"({"TableName":"t","Item":{"id":{"S":"hush"}}})")
                .recorded(),
            R"({"tableName":"t"})");
}

TEST(RecordedCall, S3InRawNames) {
  const Request request{
      "PUT",
      "/b?versioning",
      {{"Host", "s3.localhost"}, {"x-amz-date", "d"}, {"x-amz-acl", "private"}},
      R"(<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)"
      R"(<Status>Enabled</Status></VersioningConfiguration>)",
      "s3"};
  EXPECT_EQ(request.recorded(),
            R"({"versioning":"","x-amz-acl":"private","VersioningConfiguration":{)"
            R"("xmlns":"http://s3.amazonaws.com/doc/2006-03-01/","Status":"Enabled"},)"
            R"("bucketName":"b","Host":"s3.localhost"})");
  const Request presigned{
      "GET",
      "/b/k?X-Amz-Algorithm=A&X-Amz-Credential=C&X-Amz-Signature=hush&X-Amz-Expires=1"
      "&X-Amz-SignedHeaders=host&X-Amz-Date=d&X-Amz-Security-Token=hush&versionId=v",
      {{"Host", "h"}},
      "",
      "s3"};
  EXPECT_EQ(presigned.recorded(), R"({"versionId":"v","bucketName":"b","key":"k","Host":"h"})");
}

TEST(RecordedCall, AnswersOfWrites) {
  const net::Headers none;
  const auto create_user = form("iam", "Action=CreateUser&Version=2010-05-08&UserName=u").call();
  EXPECT_EQ(to_text(response_elements(
                create_user, none,
                "<CreateUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"
                "<CreateUserResult><User><UserName>u</UserName>"
                "<CreateDate>2026-11-24T08:46:13Z</CreateDate></User></CreateUserResult>"
                "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
                "</CreateUserResponse>")),
            R"({"user":{"userName":"u","createDate":"Nov 24, 2026, 8:46:13 AM"}})");
  const auto create_key = form("iam", "Action=CreateAccessKey&Version=2010-05-08").call();
  EXPECT_EQ(to_text(response_elements(create_key, none,
                                      "<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey>"
                                      "<AccessKeyId>A</AccessKeyId>"
                                      "<SecretAccessKey>hush</SecretAccessKey></AccessKey>"
                                      "</CreateAccessKeyResult></CreateAccessKeyResponse>")),
            R"({"accessKey":{"accessKeyId":"A",)"
            R"("secretAccessKey":"HIDDEN_DUE_TO_SECURITY_REASONS"}})");
  const auto read = form("iam", "Action=GetUser&Version=2010-05-08").call();
  EXPECT_TRUE(response_elements(read, none, "<GetUserResponse/>").is_null());
}

TEST(RecordedCall, ErrorsOfEveryProtocol) {
  net::Headers none;
  net::Headers typed;
  typed.add("x-amzn-ErrorType", "NotFoundException:http://internal.amazon.com/");
  const auto text = [](const AnswerError& error) { return error.code + "|" + error.message; };
  EXPECT_EQ(
      text(answer_error(nullptr, 400, none, R"({"__type":"com.x#AException","message":"m"})")),
      "AException|m");
  EXPECT_EQ(text(answer_error(nullptr, 404, typed, R"({"Message":"m"})")), "NotFoundException|m");
  EXPECT_EQ(text(answer_error(nullptr, 404, none,
                              "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code>"
                              "<Message>m</Message></Error></ErrorResponse>")),
            "NoSuchEntity|m");
  EXPECT_EQ(text(answer_error(nullptr, 404, none,
                              "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code>"
                              "<Message>m</Message></Error>")),
            "NoSuchKey|m");
  const auto ec2 = form("ec2", "Action=DescribeVpcs&Version=2016-11-15").call();
  EXPECT_EQ(text(answer_error(&ec2, 400, none,
                              "<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code>"
                              "<Message>m</Message></Error></Errors></Response>")),
            "Client.InvalidVpcID.NotFound|m");
  EXPECT_EQ(text(answer_error(nullptr, 404, none, "")), "NotFound|");
  net::Headers compatible;
  compatible.add("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender");
  EXPECT_EQ(text(answer_error(nullptr, 400, compatible,
                              R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"m"})")),
            "AWS.SimpleQueueService.NonExistentQueue|m");
  EXPECT_EQ(text(answer_error(nullptr, 502, none, "<html>bad gateway")), "BadGateway|");
}

TEST(RecordedCall, RequestIds) {
  net::Headers headers;
  EXPECT_EQ(request_id(headers, "<a><RequestId>r-1</RequestId></a>"), "r-1");
  headers.add("X-Amzn-RequestId", "r-2");
  EXPECT_EQ(request_id(headers, ""), "r-2");
}

TEST(Cbor, ReadsWhatRfc8949Shows) {
  const auto text = [](std::string_view bytes) {
    const auto value = json_from_cbor(bytes);
    return value ? to_text(*value) : "broken";
  };
  using namespace std::string_view_literals;
  EXPECT_EQ(text("\x00"sv), "0");
  EXPECT_EQ(text("\x18\x64"sv), "100");
  EXPECT_EQ(text("\x39\x03\xE7"sv), "-1000");
  EXPECT_EQ(text("\xF9\x3C\x00"sv), to_text(json::value(1.0)));
  EXPECT_EQ(text("\x9F\x01\x02\xFF"sv), "[1,2]");
  EXPECT_EQ(text("\xBF\x61\x61\x01\xFF"sv), R"({"a":1})");
  EXPECT_EQ(text("\x7F\x61\x61\x61\x62\xFF"sv), R"("ab")");
  EXPECT_EQ(text("\x42hi"sv), R"("aGk=")");
  EXPECT_EQ(text("\xC1\x1A\x51\x4B\x67\xB0"sv), "1363896240");
  EXPECT_EQ(text("\xF6"sv), "null");
  EXPECT_EQ(text("\x82\x01"sv), "broken");
  EXPECT_EQ(text("\x5B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"sv), "broken");
  EXPECT_EQ(text("\x9B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"sv), "broken");
  EXPECT_EQ(text(std::string(200, '\x81')), "broken");
  EXPECT_EQ(text("\x00\x00"sv), "broken");
}

}  // namespace
}  // namespace opentrail::aws::recorded
