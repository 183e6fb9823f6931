#include "record/resource_names.h"

#include "record/key_table.h"

#include <algorithm>
#include <array>
#include <utility>

namespace opentrail::record {
namespace {

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

constexpr std::size_t kRuleCount = std::size(kAliasRules);
constexpr std::string_view kInRequest = "requestParameters.";
constexpr std::string_view kInResponse = "responseElements.";

/// A rule's path without its first step.
consteval std::string_view path_in_member(const AliasRule& rule) {
  return rule.path.substr(rule.path.starts_with(kInRequest) ? kInRequest.size()
                                                            : kInResponse.size());
}
consteval std::string_view first_step(std::string_view path) {
  return path.substr(0, path.find('.'));
}

constexpr auto kServices = [] {
  constexpr std::size_t kCount = [] {
    std::size_t count = 1;
    for (std::size_t i = 1; i < kRuleCount; ++i) {
      count += kAliasRules[i].service != kAliasRules[i - 1].service ? 1 : 0;
    }
    return count;
  }();
  std::array<std::string_view, kCount> services;
  std::size_t count = 0;
  for (const AliasRule& rule : kAliasRules) {
    if (count == 0 || services[count - 1] != rule.service) {
      services[count++] = rule.service;
    }
  }
  return services;
}();

/// The names of NamedMembers, at most kNamedMembersMax.
constexpr auto kMembers = [] {
  constexpr auto kCollect = [] {
    std::pair<std::array<std::string_view, kNamedMembersMax>, std::size_t> all{{}, 0};
    for (const AliasRule& rule : kAliasRules) {
      const std::string_view member = first_step(path_in_member(rule));
      const auto end = all.first.begin() + all.second;
      if (std::find(all.first.begin(), end, member) == end) {
        all.first.at(all.second++) = member;
      }
    }
    return all;
  };
  constexpr auto kAll = kCollect();
  std::array<std::string_view, kAll.second> members;
  std::copy_n(kAll.first.begin(), members.size(), members.begin());
  return members;
}();

constexpr KeyTable<kServices.size(), 256> kServiceTable(kServices);
constexpr KeyTable<kMembers.size(), 1024> kMemberTable(kMembers);

/// A rule as it is followed.
struct Step {
  bool in_request;
  std::uint8_t member;    ///< Of NamedMembers.
  std::string_view path;  ///< In requestParameters or responseElements.
  std::string_view rest;  ///< Of the path, behind that member.
};

constexpr auto kSteps = [] {
  std::array<Step, kRuleCount> steps;
  for (std::size_t i = 0; i < kRuleCount; ++i) {
    const std::string_view path = path_in_member(kAliasRules[i]);
    const std::string_view member = first_step(path);
    steps[i] = {
        .in_request = kAliasRules[i].path.starts_with(kInRequest),
        .member = static_cast<std::uint8_t>(std::ranges::find(kMembers, member) - kMembers.begin()),
        .path = path,
        .rest = member.size() == path.size() ? std::string_view() : path.substr(member.size() + 1)};
  }
  return steps;
}();

/// Of each service, by its place in kServices, the first of its rules; and the end of all.
constexpr auto kFirstRules = [] {
  std::array<std::size_t, kServices.size() + 1> first;
  std::size_t service = 0;
  for (std::size_t i = 0; i < kRuleCount; ++i) {
    if (i == 0 || kAliasRules[i].service != kAliasRules[i - 1].service) {
      first[service++] = i;
    }
  }
  first[service] = kRuleCount;
  return first;
}();

class Finder {
 public:
  Finder(RecordWalk& record, ResourceNames& names)
      : record_(record), json_(record.json()), names_(names) {}

  void add_own_resources() {
    const At list = record_.place(RootKey::Resources);
    if (list == 0 || json_.byte(list) != '[') {
      return;
    }
    json_.each_item(list, [this](At item) {
      if (json_.byte(item) != '{' || names_.full()) {
        return json_.behind(item);
      }
      At type = 0;
      At arn = 0;
      const At end = json_.each_member(item, [&](std::string_view key, At value) {
        if (key == "type" && type == 0) {
          type = value;
        } else if (key == "ARN" && arn == 0) {
          arn = value;
        }
        return json_.behind(value);
      });
      if (const std::string_view name = arn == 0 ? "" : json_.text(arn); !name.empty()) {
        names_.add_with_short_name(type == 0 ? "" : json_.text(type), name);
      }
      return end;
    });
  }

  void follow_rules() {
    const std::string_view source = record_.text(RootKey::EventSource);
    const std::size_t service = kServiceTable.find(source.substr(0, source.find('.')));
    if (service == kServices.size()) {
      return;
    }
    const std::string_view event = record_.text(RootKey::EventName);
    for (std::size_t i = kFirstRules[service]; i < kFirstRules[service + 1]; ++i) {
      follow(kAliasRules[i], kSteps[i], event);
    }
  }

 private:
  using At = JsonIndex::At;

  void follow(const AliasRule& rule, const Step& step, std::string_view event) {
    const auto& members = step.in_request ? record_.request_members() : record_.response_members();
    const At whole =
        record_.place(step.in_request ? RootKey::RequestParameters : RootKey::ResponseElements);
    if (const At member = members[step.member]; member != 0) {
      if (event.find(rule.event) != event.npos) {
        add_values(member, step.rest, rule.type);
      }
    } else if (whole != 0 && json_.byte(whole) == '[' && event.find(rule.event) != event.npos) {
      add_values(whole, step.path, rule.type);
    }
  }

  /// Adds every text behind `path`, going through lists where they stand; returns where the value
  /// ends. The depth is bounded by kRecordDepthMax, which the walk has checked.
  At add_values(At at, std::string_view path, std::string_view type) {
    if (json_.byte(at) == '[') {
      return json_.each_item(at, [&](At item) { return add_values(item, path, type); });
    }
    if (path.empty()) {
      if (!names_.full()) {
        names_.add_with_short_name(type, json_.text(at));
      }
      return json_.behind(at);
    }
    if (json_.byte(at) != '{') {
      return json_.behind(at);
    }
    const auto dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    const std::string_view rest = dot == path.npos ? std::string_view() : path.substr(dot + 1);
    bool found = false;
    return json_.each_member(at, [&](std::string_view key, At value) {
      if (found || key != name) {
        return json_.behind(value);
      }
      found = true;
      return add_values(value, rest, type);
    });
  }

  RecordWalk& record_;
  JsonIndex& json_;
  ResourceNames& names_;
};

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

std::size_t named_member(std::string_view key) {
  const std::size_t found = kMemberTable.find(key);
  return found == kMembers.size() ? kNamedMembersMax : found;
}

void ResourceNames::add(std::string_view type, std::string_view name) {
  const Name entry{.type = type, .name = name};
  if (!name.empty() && !full() && std::ranges::find(*this, entry) == end()) {
    names_[count_++] = entry;
  }
}

void ResourceNames::add_with_short_name(std::string_view type, std::string_view name) {
  add(type, name);
  add(type, short_name(name));
}

ResourceNames resource_names(RecordWalk& record) {
  ResourceNames names;
  Finder finder(record, names);
  finder.add_own_resources();
  finder.follow_rules();
  return names;
}

}  // namespace opentrail::record
