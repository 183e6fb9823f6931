// Goal: selectors that CloudTrail takes are taken as they are, and one edit away from them they are
// refused with InvalidEventSelectorsException and what is wrong.
// Method: the rules alone, over tables of accepted and refused members.
#include "services/cloudtrail/selector_rules.h"

#include "services/cloudtrail/selector_arns.h"
#include "services/cloudtrail/selector_lists.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace opentrail::services::cloudtrail {
namespace {

json::array parsed(const std::string& text) { return parse_json(text).value().as_array(); }

/// The refusal of advanced selectors; "" when they are taken.
std::string refusal(const std::string& selectors) {
  const auto read = read_advanced_selectors(parsed(selectors));
  if (read) {
    return "";
  }
  EXPECT_EQ(read.error().code, "InvalidEventSelectorsException");
  EXPECT_EQ(read.error().status, 400);
  return read.error().message;
}

/// One selector of the category, with more field selectors.
std::string one(const std::string& category, const std::string& fields = "") {
  return fmt::format(R"([{{"FieldSelectors":[{{"Field":"eventCategory","Equals":["{}"]}}{}{}]}}])",
                     category, fields.empty() ? "" : ",", fields);
}
std::string field(const std::string& name, const std::string& op, const std::string& value) {
  return fmt::format(R"({{"Field":"{}","{}":["{}"]}})", name, op, value);
}
const std::string kObjects = field("resources.type", "Equals", "AWS::S3::Object");
const std::string kKms = field("eventSource", "Equals", "kms.amazonaws.com");

std::string data(const std::string& fields) { return one("Data", kObjects + "," + fields); }
std::string network(const std::string& fields) {
  return one("NetworkActivity", kKms + "," + fields);
}

TEST(AdvancedSelectorRules, KeepWhatIsGiven) {
  const auto read = read_advanced_selectors(parsed(R"([{"Name":"reads","FieldSelectors":[
      {"Field":"eventCategory","Equals":["Data"]},
      {"Field":"resources.type","Equals":["AWS::S3::Object"]},
      {"Field":"eventName","StartsWith":["Get","List"],"NotEndsWith":["Acl"]}]},
      {"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]}])"));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ(read->at(0).name, "reads");
  EXPECT_EQ(read->at(1).name, "");
  const auto& name = read->at(0).field_selectors.at(2);
  EXPECT_EQ(name.field, "eventName");
  using enum record::SelectorOperator;
  EXPECT_EQ(name[StartsWith], (std::vector<std::string>{"Get", "List"}));
  EXPECT_EQ(name[NotEndsWith], std::vector<std::string>{"Acl"});
  EXPECT_TRUE(name[Equals].empty());
}

TEST(AdvancedSelectorRules, TakeTheFieldsOfEachCategory) {
  const std::string accepted[] = {
      one("Management"),
      one("Management", field("readOnly", "Equals", "true")),
      one("Management", field("eventSource", "NotEquals", "kms.amazonaws.com")),
      one("Management", field("eventSource", "NotEquals", "rdsdata.amazonaws.com")),
      one("Data", kObjects),
      data(field("readOnly", "Equals", "false")),
      data(field("eventName", "NotStartsWith", "Get")),
      data(field("resources.ARN", "StartsWith", "arn:aws:s3:::bucket/")),
      data(field("resources.ARN", "Equals", "arn:aws:s3:::bucket/key")),
      data(field("resources.ARN", "EndsWith", ".txt")),
      data(field("eventSource", "EndsWith", ".amazonaws.com")),
      data(field("eventType", "Equals", "AwsApiCall")),
      data(field("sessionCredentialFromConsole", "NotEquals", "true")),
      data(field("userIdentity.arn", "NotEquals", "arn:aws:iam::1:user/a")),
      one("NetworkActivity", kKms),
      network(field("eventName", "EndsWith", "Keys")),
      network(field("errorCode", "Equals", "VpceAccessDenied")),
      network(field("vpcEndpointId", "StartsWith", "vpce-")),
      "[]",
  };
  for (const auto& selectors : accepted) {
    EXPECT_EQ(refusal(selectors), "") << selectors;
  }
}

TEST(AdvancedSelectorRules, RefuseWhatACategoryDoesNotHave) {
  const struct {
    std::string selectors, message;
  } cases[] = {
      {R"([{"FieldSelectors":[]}])", "must have the field eventCategory"},
      {"[{\"FieldSelectors\":[" + kObjects + "]}]", "must have the field eventCategory"},
      {R"([{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data","Management"]}]}])",
       "one value"},
      {R"([{"FieldSelectors":[{"Field":"eventCategory","StartsWith":["Data"]}]}])",
       "must have the field eventCategory"},
      {one("management"), "Value management for the field eventCategory is invalid."},
      {one("Insight"), "Value Insight for the field eventCategory"},
      {one("ConfigurationItem"), "Value ConfigurationItem"},
      {one("Management", field("readOnly", "Equals", "True")), "Value True for the field readOnly"},
      {one("Management", field("readOnly", "NotEquals", "true")), "does not take the operator"},
      {one("Management", field("eventName", "Equals", "x")), "not valid for Management events"},
      {one("Management", kKms), "does not take the operator Equals"},
      {one("Management", field("eventSource", "NotEquals", "iam.amazonaws.com")),
       "Value iam.amazonaws.com"},
      {one("Management", kObjects), "resources.type is not valid for Management"},
      {one("Data"), "must have the field resources.type"},
      {one("Data", field("resources.type", "StartsWith", "AWS::S3")), "operator StartsWith"},
      {one("Data", field("resources.type", "Equals", "AWS::S3::Bucket")), "Value AWS::S3::Bucket"},
      {one("Data", R"({"Field":"resources.type","Equals":["AWS::S3::Object","AWS::SNS::Topic"]})"),
       "one value"},
      {data(field("errorCode", "Equals", "VpceAccessDenied")), "not valid for Data events"},
      {data(field("sessionCredentialFromConsole", "StartsWith", "true")), "operator StartsWith"},
      {data(field("resources.arn", "Equals", "arn:aws:s3:::b/k")), "field resources.arn is not"},
      {data(field("resources.ARN", "Equals", "arn:aws:s3:::bucket")), "not the ARN of a resource"},
      {data(field("resources.ARN", "NotEquals", "arn:aws:sns:us-east-1:1:t")), "AWS::S3::Object"},
      {one("NetworkActivity"), "must have the field eventSource"},
      {one("NetworkActivity", field("eventSource", "NotEquals", "kms.amazonaws.com")),
       "operator NotEquals"},
      {one("NetworkActivity", field("eventSource", "Equals", "iam.amazonaws.com")),
       "Value iam.amazonaws.com"},
      {network(field("errorCode", "Equals", "AccessDenied")), "Value AccessDenied"},
      {network(field("readOnly", "Equals", "true")), "not valid for NetworkActivity"},
      {one("Management", R"({"Field":"readOnly"})"), "at least one operator"},
      {one("Management", R"({"Field":"readOnly","Equals":[]})"), "must have a value"},
      {one("Management", field("", "Equals", "x")), "1 to 1000 characters"},
      {one("Management", field("readOnly", "Equals", "")), "1 to 2048 characters"},
      {data(field("eventName", "Equals", "a") + "," + field("eventName", "EndsWith", "b")),
       "The field eventName can be there once"},
  };
  for (const auto& item : cases) {
    const std::string message = refusal(item.selectors);
    EXPECT_NE(message.find(item.message), std::string::npos)
        << item.selectors << "\n"
        << (message.empty() ? "was taken" : message);
  }
}

TEST(AdvancedSelectorRules, HaveLimits) {
  const auto named = [](std::size_t length) {
    return fmt::format(R"([{{"Name":"{}","FieldSelectors":[{{"Field":"eventCategory",)"
                       R"("Equals":["Management"]}}]}}])",
                       fmt::format("{:x<{}}", "", length));
  };
  EXPECT_EQ(refusal(named(kSelectorNameLengthMax)), "");
  EXPECT_NE(refusal(named(kSelectorNameLengthMax + 1)).find("at most 1000 characters"),
            std::string::npos);
  const auto valued = [](std::size_t length) {
    return data(field("eventName", "Equals", fmt::format("{:x<{}}", "", length)));
  };
  EXPECT_EQ(refusal(valued(kSelectorValueLengthMax)), "");
  EXPECT_NE(refusal(valued(kSelectorValueLengthMax + 1)), "");
  // Two values each are the category and the type of the two selectors.
  const auto with_values = [](std::size_t count) {
    std::string values;
    for (std::size_t i = 0; i < count; ++i) {
      values += fmt::format("{}\"{}\"", i > 0 ? "," : "", i);
    }
    const std::string selector =
        data(R"({"Field":"eventName","Equals":[)" + values + "],\"NotEquals\":[\"x\"]}");
    std::string second = one("Data", kObjects);
    return selector.substr(0, selector.size() - 1) + "," + second.substr(1);
  };
  EXPECT_EQ(refusal(with_values(495)), "");
  EXPECT_NE(refusal(with_values(496)).find("at most 500 values"), std::string::npos);
}

TEST(SelectorLists, HaveWhatTheSpecificationHas) {
  for (const auto* const type :
       {"AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::XRay::Trace",
        "AWS::AIDevOps::AgentSpace", "AWS::Bedrock::Tool", "AWS::QuickSight::FlowSession"}) {
    EXPECT_TRUE(is_resource_type(type)) << type;
  }
  for (const auto* const type :
       {"", "AWS::", "S3::Object", "AWS::S3::object", "AWS::S3::Object "}) {
    EXPECT_FALSE(is_resource_type(type)) << type;
  }
  for (const auto* const source :
       {"s3.amazonaws.com", "ssm-incidents.amazonaws.com", "workmail.amazonaws.com"}) {
    EXPECT_TRUE(is_network_event_source(source)) << source;
  }
  for (const auto* const source : {"", "s3", ".amazonaws.com", "iam.amazonaws.com"}) {
    EXPECT_FALSE(is_network_event_source(source)) << source;
  }
}

TEST(SelectorArns, FollowTheirType) {
  constexpr struct {
    std::string_view type, arn;
    bool is_one;
  } kCases[] = {
      {"AWS::S3::Object", "arn:aws:s3:::bucket/key:with/colons", true},
      {"AWS::S3::Object", "arn:aws-cn:s3:::bucket/", true},
      {"AWS::S3::Object", "arn:aws:s3:::Bucket/key", false},
      {"AWS::S3::Object", "arn:aws:s3:us-east-1::bucket/key", false},
      {"AWS::S3::Object", "arn:aws:s3:::", false},
      {"AWS::S3::AccessPoint", "arn:aws:s3:us-east-1:111122223333:accesspoint/x", true},
      {"AWS::S3::AccessPoint", "arn:aws:s3:::bucket/key", false},
      {"AWS::Lambda::Function", "arn:aws:lambda:us-east-1:111122223333:function:f:alias", true},
      {"AWS::Lambda::Function", "arn:aws:lambda:us-east-1:111122223333:layer:f", false},
      {"AWS::Lambda::Function", "arn:aws:lambda:us-east-1:x:function:f", false},
      {"AWS::Lambda::Function", "arn:aws:lambda", false},
      {"AWS::SNS::Topic", "arn:aws:sns:us-east-1:111122223333:topic", true},
      {"AWS::SNS::Topic", "arn:aws:sqs:us-east-1:111122223333:topic", false},
      {"AWS::SNS::Topic", "arn:aws:sns:us-east-1:111122223333:", false},
      {"AWS::Bedrock::Model", "arn:aws:bedrock:us-east-1::foundation-model/x", true},
      {"AWS::Bedrock::Model", "bedrock", false},
      {"AWS::Bedrock::Model", "arn:other:bedrock:us-east-1::x", false},
  };
  for (const auto& item : kCases) {
    EXPECT_EQ(is_arn_of_type(item.type, item.arn), item.is_one) << item.type << " " << item.arn;
  }
  EXPECT_TRUE(is_data_resource_value("AWS::Lambda::Function", "arn:aws:lambda"));
  EXPECT_TRUE(is_data_resource_value("AWS::S3::Object", "arn:aws:s3"));
  EXPECT_FALSE(is_data_resource_value("AWS::S3::Object", "arn:aws:lambda"));
  EXPECT_FALSE(is_data_resource_value("AWS::S3::Object", "arn:aws:s3:::bucket/*"));
}

}  // namespace
}  // namespace opentrail::services::cloudtrail
