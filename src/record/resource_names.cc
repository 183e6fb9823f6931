#include "record/resource_names.h"

#include "base/text.h"

#include <algorithm>

namespace opentrail::record {
namespace {

namespace dom = simdjson::dom;

/// Where one service puts the name of a resource. Lists on the way are walked through.
struct AliasRule {
  std::string_view service;  ///< The label before ".amazonaws.com".
  std::string_view event;    ///< Part of the eventName, or empty for all.
  std::string_view path;
  std::string_view type;
};

// Type names are those of CloudFormation, which is what the service really answers; the API
// reference's short forms ("Instance") are old (spec records §7.1). Sorted by service.
constexpr AliasRule kAliasRules[] = {
    {"cloudtrail", "Trail", "requestParameters.name", "AWS::CloudTrail::Trail"},
    {"cloudtrail", "Logging", "requestParameters.name", "AWS::CloudTrail::Trail"},
    {"cloudtrail", "", "requestParameters.trailName", "AWS::CloudTrail::Trail"},
    {"cloudtrail", "", "requestParameters.trailARN", "AWS::CloudTrail::Trail"},
    {"cloudtrail", "", "requestParameters.trailNameList", "AWS::CloudTrail::Trail"},
    {"cloudtrail", "Trail", "responseElements.name", "AWS::CloudTrail::Trail"},
    {"cloudtrail", "", "responseElements.trailARN", "AWS::CloudTrail::Trail"},
    {"cloudtrail", "Tags", "requestParameters.resourceId", "AWS::CloudTrail::Trail"},
    {"cloudtrail", "Tags", "requestParameters.resourceIdList", "AWS::CloudTrail::Trail"},
    {"cloudtrail", "Trail", "requestParameters.s3BucketName", "AWS::S3::Bucket"},
    {"cloudtrail", "Trail", "requestParameters.snsTopicName", "AWS::SNS::Topic"},
    {"cloudtrail", "EventDataStore", "requestParameters.name", "AWS::CloudTrail::EventDataStore"},
    {"cloudtrail", "", "requestParameters.eventDataStore", "AWS::CloudTrail::EventDataStore"},
    {"cloudtrail", "EventDataStore", "responseElements.eventDataStoreArn",
     "AWS::CloudTrail::EventDataStore"},
    {"cloudtrail", "", "requestParameters.channel", "AWS::CloudTrail::Channel"},

    {"dynamodb", "", "requestParameters.tableName", "AWS::DynamoDB::Table"},

    {"ec2", "", "requestParameters.instanceId", "AWS::EC2::Instance"},
    {"ec2", "", "requestParameters.instancesSet.items.instanceId", "AWS::EC2::Instance"},
    {"ec2", "", "responseElements.instancesSet.items.instanceId", "AWS::EC2::Instance"},
    {"ec2", "", "requestParameters.groupId", "AWS::EC2::SecurityGroup"},
    {"ec2", "", "requestParameters.groupName", "AWS::EC2::SecurityGroup"},
    {"ec2", "", "requestParameters.groupSet.items.groupId", "AWS::EC2::SecurityGroup"},
    {"ec2", "SecurityGroup", "responseElements.groupId", "AWS::EC2::SecurityGroup"},
    {"ec2", "", "requestParameters.imageId", "AWS::EC2::Ami"},
    {"ec2", "", "requestParameters.instancesSet.items.imageId", "AWS::EC2::Ami"},
    {"ec2", "Image", "responseElements.imageId", "AWS::EC2::Ami"},
    {"ec2", "", "requestParameters.keyName", "AWS::EC2::KeyPair"},
    {"ec2", "", "requestParameters.instancesSet.items.keyName", "AWS::EC2::KeyPair"},
    {"ec2", "", "requestParameters.volumeId", "AWS::EC2::Volume"},
    {"ec2", "", "responseElements.volumeId", "AWS::EC2::Volume"},
    {"ec2", "", "requestParameters.snapshotId", "AWS::EC2::Snapshot"},
    {"ec2", "", "responseElements.snapshotId", "AWS::EC2::Snapshot"},
    {"ec2", "", "requestParameters.vpcId", "AWS::EC2::VPC"},
    {"ec2", "", "responseElements.vpc.vpcId", "AWS::EC2::VPC"},
    {"ec2", "", "requestParameters.subnetId", "AWS::EC2::Subnet"},
    {"ec2", "", "responseElements.subnet.subnetId", "AWS::EC2::Subnet"},
    {"ec2", "", "requestParameters.networkInterfaceId", "AWS::EC2::NetworkInterface"},
    {"ec2", "", "responseElements.networkInterface.networkInterfaceId",
     "AWS::EC2::NetworkInterface"},
    {"ec2", "", "requestParameters.routeTableId", "AWS::EC2::RouteTable"},
    {"ec2", "", "requestParameters.internetGatewayId", "AWS::EC2::InternetGateway"},
    {"ec2", "", "requestParameters.DeleteFlowLogsRequest.FlowLogId.content", "AWS::EC2::FlowLog"},

    {"iam", "", "requestParameters.userName", "AWS::IAM::User"},
    {"iam", "", "responseElements.user.userName", "AWS::IAM::User"},
    {"iam", "", "responseElements.user.arn", "AWS::IAM::User"},
    {"iam", "", "responseElements.user.userId", "AWS::IAM::User"},
    {"iam", "", "responseElements.accessKey.userName", "AWS::IAM::User"},
    {"iam", "", "requestParameters.accessKeyId", "AWS::IAM::AccessKey"},
    {"iam", "", "responseElements.accessKey.accessKeyId", "AWS::IAM::AccessKey"},
    {"iam", "", "requestParameters.roleName", "AWS::IAM::Role"},
    {"iam", "", "responseElements.role.roleName", "AWS::IAM::Role"},
    {"iam", "", "responseElements.role.arn", "AWS::IAM::Role"},
    {"iam", "", "responseElements.role.roleId", "AWS::IAM::Role"},
    {"iam", "", "requestParameters.groupName", "AWS::IAM::Group"},
    {"iam", "", "responseElements.group.arn", "AWS::IAM::Group"},
    {"iam", "", "requestParameters.policyArn", "AWS::IAM::Policy"},
    {"iam", "", "requestParameters.policyName", "AWS::IAM::Policy"},
    {"iam", "", "responseElements.policy.arn", "AWS::IAM::Policy"},
    {"iam", "", "requestParameters.instanceProfileName", "AWS::IAM::InstanceProfile"},
    {"iam", "", "requestParameters.serialNumber", "AWS::IAM::MFADevice"},

    {"kms", "", "requestParameters.keyId", "AWS::KMS::Key"},
    {"kms", "", "responseElements.keyId", "AWS::KMS::Key"},
    {"kms", "", "responseElements.keyMetadata.keyId", "AWS::KMS::Key"},
    {"kms", "", "requestParameters.aliasName", "AWS::KMS::Alias"},

    {"lambda", "", "requestParameters.functionName", "AWS::Lambda::Function"},
    {"lambda", "", "responseElements.functionArn", "AWS::Lambda::Function"},
    {"lambda", "Layer", "requestParameters.layerName", "AWS::Lambda::LayerVersion"},

    {"logs", "", "requestParameters.logGroupName", "AWS::Logs::LogGroup"},

    {"rds", "", "requestParameters.dBInstanceIdentifier", "AWS::RDS::DBInstance"},
    {"rds", "", "requestParameters.dBSnapshotIdentifier", "AWS::RDS::DBSnapshot"},
    {"rds", "", "requestParameters.dBClusterIdentifier", "AWS::RDS::DBCluster"},

    {"s3", "", "requestParameters.bucketName", "AWS::S3::Bucket"},

    {"secretsmanager", "", "requestParameters.secretId", "AWS::SecretsManager::Secret"},
    {"secretsmanager", "CreateSecret", "requestParameters.name", "AWS::SecretsManager::Secret"},
    {"secretsmanager", "", "responseElements.aRN", "AWS::SecretsManager::Secret"},

    {"sns", "", "requestParameters.topicArn", "AWS::SNS::Topic"},
    {"sns", "", "responseElements.topicArn", "AWS::SNS::Topic"},

    {"sqs", "", "requestParameters.queueUrl", "AWS::SQS::Queue"},
    {"sqs", "", "responseElements.queueUrl", "AWS::SQS::Queue"},

    {"ssm", "", "requestParameters.instanceIds", "AWS::EC2::Instance"},
    {"ssm", "", "requestParameters.target", "AWS::EC2::Instance"},
    {"ssm", "", "requestParameters.documentName", "AWS::SSM::Document"},

    {"sts", "", "requestParameters.roleArn", "AWS::IAM::Role"},
    {"sts", "", "requestParameters.roleSessionName", "AWS::STS::AssumedRole"},
    {"sts", "", "responseElements.assumedRoleUser.arn", "AWS::STS::AssumedRole"},
    {"sts", "", "responseElements.assumedRoleUser.assumedRoleId", "AWS::STS::AssumedRole"},
    {"sts", "", "responseElements.credentials.accessKeyId", "AWS::IAM::AccessKey"},
};
static_assert(std::ranges::is_sorted(kAliasRules, {}, &AliasRule::service));

class Names {
 public:
  void add(std::string_view type, std::string_view name) {
    if (name.empty() || names_.size() >= kResourceNamesMax) {
      return;
    }
    ResourceName entry{std::string(type), std::string(name)};
    if (std::ranges::find(names_, entry) == names_.end()) {
      names_.push_back(std::move(entry));
    }
  }
  void add_with_short_name(std::string_view type, std::string_view name) {
    add(type, name);
    add(type, short_name(name));
  }
  [[nodiscard]] std::vector<ResourceName> take() { return std::move(names_); }

 private:
  std::vector<ResourceName> names_;
};

/// Adds every text behind `path`, going through lists where they stand. The depth is bounded by
/// kRecordDepthMax, which the parser has checked.
void add_values(const dom::element& at, std::string_view path, std::string_view type,
                Names& names) {
  if (at.is_array()) {
    for (const dom::element item : at.get_array().value_unsafe()) {
      add_values(item, path, type, names);
    }
    return;
  }
  if (path.empty()) {
    if (const auto text = scalar_text(at)) {
      names.add_with_short_name(type, *text);
    }
    return;
  }
  const auto dot = path.find('.');
  if (const auto next = find(at, path.substr(0, dot))) {
    add_values(*next, dot == path.npos ? std::string_view() : path.substr(dot + 1), type, names);
  }
}

void add_own_resources(const dom::element& record, Names& names) {
  const auto resources = find(record, "resources");
  dom::array items;
  if (!resources || resources->get_array().get(items) != simdjson::SUCCESS) {
    return;
  }
  for (const dom::element item : items) {
    const std::string type = text_at(item, "type");
    names.add_with_short_name(type, text_at(item, "ARN"));
  }
}

}  // namespace

std::string_view short_name(std::string_view arn) {
  if (!arn.starts_with("arn:")) {
    return {};
  }
  const auto end = arn.find_last_of(":/");
  // An object's key is a path of its own: arn:aws:s3:::bucket/a/b is the object "a/b".
  if (constexpr std::string_view kS3 = ":s3:::"; arn.find(kS3) != arn.npos) {
    const auto slash = arn.find('/');
    return arn.substr((slash == arn.npos ? end : slash) + 1);
  }
  return arn.substr(end + 1);
}

std::vector<ResourceName> resource_names(const dom::element& record) {
  Names names;
  add_own_resources(record, names);
  const std::string source = text_at(record, "eventSource");
  const std::string event = text_at(record, "eventName");
  const std::string_view service = std::string_view(source).substr(0, source.find('.'));
  const auto rules = std::ranges::equal_range(kAliasRules, service, {}, &AliasRule::service);
  for (const AliasRule& rule : rules) {
    if (event.find(rule.event) != std::string::npos) {
      add_values(record, rule.path, rule.type, names);
    }
  }
  return names.take();
}

}  // namespace opentrail::record
