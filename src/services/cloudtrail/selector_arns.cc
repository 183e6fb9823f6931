#include "services/cloudtrail/selector_arns.h"

#include "base/text.h"
#include "objects/bucket_name.h"

#include <algorithm>
#include <array>
#include <optional>

namespace opentrail::services::cloudtrail {
namespace {

constexpr std::string_view kObjectType = "AWS::S3::Object";

struct Arn {
  std::string_view partition, service, region, account, resource;
};

/// "arn:partition:service:region:account:resource"; the resource may have more colons.
std::optional<Arn> parse_arn(std::string_view text) {
  constexpr std::size_t kParts = 5;
  std::array<std::string_view, kParts> parts;
  for (auto& part : parts) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) {
      return std::nullopt;
    }
    part = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (parts[0] != "arn" || !parts[1].starts_with("aws") || parts[2].empty() || text.empty()) {
    return std::nullopt;
  }
  return Arn{parts[1], parts[2], parts[3], parts[4], text};
}

bool has_more_than(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) && text.size() > prefix.size();
}

/// How the ARNs of a type look.
struct TypeForm {
  std::string_view type, service, resource_prefix;
};
/// S3 objects have a rule of their own. Source: Service Authorization Reference, resource types.
constexpr std::array<TypeForm, 9> kForms = {{
    {"AWS::CloudTrail::Channel", "cloudtrail", "channel/"},
    {"AWS::DynamoDB::Stream", "dynamodb", "table/"},
    {"AWS::DynamoDB::Table", "dynamodb", "table/"},
    {"AWS::Kinesis::Stream", "kinesis", "stream/"},
    {"AWS::Lambda::Function", "lambda", "function:"},
    {"AWS::RDS::DBCluster", "rds", "cluster:"},
    {"AWS::S3::AccessPoint", "s3", "accesspoint/"},
    {"AWS::SNS::Topic", "sns", ""},
    {"AWS::SQS::Queue", "sqs", ""},
}};

bool has_form(const Arn& arn, const TypeForm& form) {
  return arn.service == form.service && !arn.region.empty() && is_digits(arn.account) &&
         has_more_than(arn.resource, form.resource_prefix);
}

/// "arn:aws:s3:::bucket/" with or without a key behind it.
bool is_object_arn(const Arn& arn) {
  const auto slash = arn.resource.find('/');
  return arn.service == "s3" && arn.region.empty() && arn.account.empty() &&
         slash != std::string_view::npos && objects::is_bucket_name(arn.resource.substr(0, slash));
}

/// The value that stands for everything of the type's service.
bool is_everything(std::string_view type, std::string_view value) {
  if (type == kObjectType) {
    return value == "arn:aws:s3" || value == "arn:aws:s3:::";
  }
  return value == (type == "AWS::Lambda::Function" ? "arn:aws:lambda" : "arn:aws:dynamodb");
}

}  // namespace

bool is_data_resource_value(std::string_view type, std::string_view value) {
  if (is_everything(type, value)) {
    return true;
  }
  return value.find('*') == std::string_view::npos && is_arn_of_type(type, value);
}

bool is_arn_of_type(std::string_view type, std::string_view arn) {
  const auto parsed = parse_arn(arn);
  if (!parsed) {
    return false;
  }
  if (type == kObjectType) {
    return is_object_arn(*parsed);
  }
  const auto* const form = std::ranges::find(kForms, type, &TypeForm::type);
  return form == kForms.end() || has_form(*parsed, *form);
}

}  // namespace opentrail::services::cloudtrail
