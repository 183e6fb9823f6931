#pragma once
#include "base/text.h"
#include "record/json_document.h"
#include "record/record.h"
#include "record/selector_subject.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// For tests and fuzz targets: what a record says, asked of simdjson's tree member by member. Slow
/// and plain, it is what the one quick walk is compared with.
namespace opentrail::record::reference {

inline std::string after_last(const std::string& text, char separator) {
  const auto at = text.rfind(separator);
  return at == text.npos ? std::string() : text.substr(at + 1);
}

inline std::string username(const simdjson::dom::element& root) {
  const std::string type = text_at(root, "userIdentity.type");
  if (type == "Root") {
    return "root";
  }
  if (type == "AssumedRole" || type == "Role" || type == "FederatedUser") {
    const std::string session = after_last(text_at(root, "userIdentity.principalId"), ':');
    return session.empty() ? after_last(text_at(root, "userIdentity.arn"), '/') : session;
  }
  return text_at(root, "userIdentity.userName");
}

inline std::string routing(const simdjson::dom::element& root, std::string_view path) {
  const std::string text = text_at(root, path);
  return text.size() > kRoutingValueBytesMax ? "" : text;
}

inline bool has_only(const Terms& terms, Field field, const std::string& value) {
  for (const Terms::Term term : terms) {
    if (term.field == field) {
      return term.value == value;
    }
  }
  return value.empty();
}

inline std::string flag(const simdjson::dom::element& root, std::string_view name) {
  const auto value = find(root, name);
  bool said = false;
  if (value && value->get_bool().get(said) == simdjson::SUCCESS) {
    return said ? "true" : "false";
  }
  const std::string text = to_lower(text_at(root, name));
  return text == "true" || text == "false" ? text : "";
}

/// The types and ARNs that selector_subject() must give, in their order.
inline std::vector<std::pair<std::string, std::string>> resources(
    const simdjson::dom::element& root) {
  std::vector<std::pair<std::string, std::string>> all;
  simdjson::dom::array items;
  const auto list = find(root, "resources");
  if (!list || list->get_array().get(items) != simdjson::SUCCESS) {
    return all;
  }
  for (const simdjson::dom::element item : items) {
    const std::string type = text_at(item, "type");
    const std::string arn = text_at(item, "ARN");
    const std::string prefix = text_at(item, "ARNPrefix");
    if (!arn.empty() || (!type.empty() && prefix.empty())) {
      all.emplace_back(type, arn);
    }
    if (!prefix.empty()) {
      all.emplace_back(type, prefix);
    }
  }
  return all;
}

/// "" when selector_subject() agrees with the tree, else the part in which it does not.
inline std::string subject_disagreement(const Result<SelectorSubject>& subject,
                                        const Record& record, const simdjson::dom::element& root) {
  if (!subject) {
    return "whether it has a subject";
  }
  const bool agrees =
      subject->category == record.category &&
      subject->read_only == (flag(root, "readOnly") == "true") &&
      subject->event_name == text_at(root, "eventName") &&
      subject->event_source == text_at(root, "eventSource") &&
      subject->event_type == text_at(root, "eventType") &&
      subject->error_code == text_at(root, "errorCode") &&
      subject->vpc_endpoint_id == text_at(root, "vpcEndpointId") &&
      subject->user_identity_arn == text_at(root, "userIdentity.arn") &&
      subject->session_credential_from_console == flag(root, "sessionCredentialFromConsole");
  if (!agrees) {
    return "what selectors look at";
  }
  const bool same = std::ranges::equal(subject->resources, resources(root),
                                       [](const SelectorResource& a, const auto& b) {
                                         return a.type == b.first && a.arn == b.second;
                                       });
  return same ? "" : "the resources that selectors look at";
}

/// "" when parse_record(), lookup_fields() and selector_subject() agree with the tree about `json`,
/// else the part in which they do not.
inline std::string disagreement(const std::string& json) {
  const auto record = parse_record(json, Origin::Import, Timestamp{});
  const auto fields = lookup_fields(json);
  std::optional<Result<SelectorSubject>> subject;  // before the document, which takes the parser
  if (record) {
    subject.emplace(selector_subject(*record));
  }
  const auto document = JsonDocument::parse(json);
  if (record.has_value() != document.has_value() || fields.has_value() != document.has_value()) {
    return "whether it is a record";
  }
  if (!document) {
    return record.error().message() == document.error().message() ? "" : "why it is none";
  }
  const auto& root = document->root();
  const auto account = routing(root, "recipientAccountId");
  const struct {
    Field field;
    std::string value;
  } values[] = {
      {Field::EventName, text_at(root, "eventName")},
      {Field::EventSource, text_at(root, "eventSource")},
      {Field::Username, username(root)},
      {Field::AccessKeyId, text_at(root, "userIdentity.accessKeyId")},
      {Field::ReadOnly, flag(root, "readOnly")},
      {Field::AccountId, account.empty() ? routing(root, "userIdentity.accountId") : account},
      {Field::Region, routing(root, "awsRegion")},
      {Field::EventCategory, std::string(to_string(record->category))},
      {Field::EventType, text_at(root, "eventType")},
      {Field::ErrorCode, text_at(root, "errorCode")},
      {Field::SourceIpAddress, text_at(root, "sourceIPAddress")},
      {Field::UserAgent, text_at(root, "userAgent")},
      {Field::UserIdentityArn, text_at(root, "userIdentity.arn")},
      {Field::UserIdentityType, text_at(root, "userIdentity.type")},
  };
  std::size_t count = 0;
  for (const auto& [field, value] : values) {
    count += value.empty() ? 0 : 1;
    if (!has_only(record->terms, field, value)) {
      return std::string(to_string(field));
    }
  }
  Terms names;
  for (const ResourceName& resource : fields->resources) {
    names.add(Field::ResourceType, resource.type);
    names.add(Field::ResourceName, resource.name);
  }
  for (const Terms::Term term : record->terms) {
    const bool is_name = term.field == Field::ResourceType || term.field == Field::ResourceName;
    count -= is_name ? 0 : 1;
    if (is_name && !names.contains(term.field, term.value)) {
      return "resources";
    }
  }
  for (const Terms::Term term : names) {
    if (!record->terms.contains(term.field, term.value)) {
      return "resources";
    }
  }
  const std::string id = routing(root, "eventID");
  if (count != 0 || (!id.empty() && id != record->id) || fields->event_id != record->id ||
      fields->event_name != values[0].value || fields->event_source != values[1].value ||
      fields->username != values[2].value || fields->access_key_id != values[3].value ||
      fields->read_only != values[4].value || record->account_id != values[5].value ||
      record->region != values[6].value) {
    return "lookup_fields";
  }
  if (record->event_time_is_arrival == parse_iso(text_at(root, "eventTime")).has_value()) {
    return "eventTime";
  }
  return subject_disagreement(*subject, *record, root);
}

}  // namespace opentrail::record::reference
