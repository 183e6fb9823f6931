#include "record/record.h"

#include "base/text.h"
#include "crypto/hash.h"
#include "record/json_document.h"
#include "record/resource_names.h"

namespace opentrail::record {
namespace {

namespace dom = simdjson::dom;

/// "" also for values that cannot be an id, an account or a Region: they stay in the record's
/// bytes.
std::string routing_value(const dom::element& record, std::string_view path) {
  std::string text = text_at(record, path);
  return text.size() > kRoutingValueBytesMax ? std::string() : text;
}

std::string identity_of(const dom::element& record, std::string_view json) {
  std::string id = routing_value(record, "eventID");
  return id.empty() ? "sha256:" + crypto::sha256_hex(json) : id;
}

/// eventCategory is there since version 1.07; older records are told apart by what they have.
Category category_of(const dom::element& record) {
  const std::string name = text_at(record, "eventCategory");
  if (!name.empty()) {
    for (const auto category :
         {Category::Management, Category::Data, Category::NetworkActivity, Category::Insight}) {
      if (name == to_string(category)) {
        return category;
      }
    }
    return Category::Other;
  }
  const std::string type = text_at(record, "eventType");
  if (type == "AwsVpceEvent" || type == "AwsVpceEvents") {
    return Category::NetworkActivity;
  }
  if (type == "AwsCloudTrailInsight") {
    return Category::Insight;
  }
  if (type == "AwsAggregatedEvent") {
    return Category::Other;
  }
  const auto management = find(record, "managementEvent");
  bool is_management = true;
  if (management && management->get_bool().get(is_management) == simdjson::SUCCESS &&
      !is_management) {
    return Category::Data;
  }
  return Category::Management;
}

std::string after_last(std::string_view text, char separator) {
  const auto at = text.rfind(separator);
  return at == text.npos ? std::string() : std::string(text.substr(at + 1));
}

/// Spec records §7.1. Sessions of a role or a federated user have no userName of their own: the
/// name is what the caller of AssumeRole chose, at the end of principalId and of the ARN.
std::string username_of(const dom::element& record) {
  const auto identity = find(record, "userIdentity");
  if (!identity) {
    return {};
  }
  const std::string type = text_at(*identity, "type");
  if (type == "Root") {
    return "root";
  }
  if (type == "AssumedRole" || type == "Role" || type == "FederatedUser") {
    std::string session = after_last(text_at(*identity, "principalId"), ':');
    return session.empty() ? after_last(text_at(*identity, "arn"), '/') : session;
  }
  return text_at(*identity, "userName");
}

std::string read_only_of(const dom::element& record) {
  const auto value = find(record, "readOnly");
  if (!value) {
    return {};
  }
  bool flag = false;
  if (value->get_bool().get(flag) == simdjson::SUCCESS) {
    return flag ? "true" : "false";
  }
  const std::string text = to_lower(scalar_text(*value).value_or(std::string()));
  return text == "true" || text == "false" ? text : std::string();
}

}  // namespace

std::string_view to_string(Category category) {
  switch (category) {
    case Category::Management:
      return "Management";
    case Category::Data:
      return "Data";
    case Category::NetworkActivity:
      return "NetworkActivity";
    case Category::Insight:
      return "Insight";
    case Category::Other:
      return "";
  }
  return "";
}

Result<Record> parse_record(std::string json, Origin origin, Timestamp arrival) {
  OT_TRY(const auto document, JsonDocument::parse(json));
  const dom::element& root = document.root();
  Record record;
  record.id = identity_of(root, json);
  record.account_id = routing_value(root, "recipientAccountId");
  if (record.account_id.empty()) {
    record.account_id = routing_value(root, "userIdentity.accountId");
  }
  record.region = routing_value(root, "awsRegion");
  const auto event_time = parse_iso(text_at(root, "eventTime"));
  record.event_time = event_time.value_or(arrival);
  record.event_time_is_arrival = !event_time.has_value();
  record.category = category_of(root);
  record.origin = origin;
  record.json = std::move(json);
  return record;
}

Result<LookupFields> lookup_fields(std::string_view json) {
  OT_TRY(const auto document, JsonDocument::parse(json));
  const dom::element& root = document.root();
  LookupFields fields;
  fields.event_id = identity_of(root, json);
  fields.event_name = text_at(root, "eventName");
  fields.event_source = text_at(root, "eventSource");
  fields.username = username_of(root);
  fields.access_key_id = text_at(root, "userIdentity.accessKeyId");
  fields.read_only = read_only_of(root);
  fields.resources = resource_names(root);
  return fields;
}

}  // namespace opentrail::record
