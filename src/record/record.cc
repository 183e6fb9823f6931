#include "record/record.h"

#include "crypto/hash.h"
#include "record/record_walk.h"
#include "record/resource_names.h"
#include "record/short_bytes.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace opentrail::record {
namespace {

/// "" also for values that cannot be an id, an account or a Region: they stay in the record's
/// bytes.
std::string_view routing_value(std::string_view text) {
  return text.size() > kRoutingValueBytesMax ? std::string_view() : text;
}

std::string identity_of(RecordWalk& record, std::string_view json) {
  const std::string_view id = routing_value(record.text(RootKey::EventId));
  return id.empty() ? "sha256:" + crypto::sha256_hex(json) : std::string(id);
}

std::string_view account_of(RecordWalk& record) {
  const std::string_view recipient = routing_value(record.text(RootKey::RecipientAccountId));
  return recipient.empty() ? routing_value(record.text(IdentityKey::AccountId)) : recipient;
}

/// eventCategory is there since version 1.07; older records are told apart by what they have.
Category category_of(RecordWalk& record) {
  const std::string_view name = record.text(RootKey::EventCategory);
  if (!name.empty()) {
    for (const auto category :
         {Category::Management, Category::Data, Category::NetworkActivity, Category::Insight}) {
      if (name == to_string(category)) {
        return category;
      }
    }
    return Category::Other;
  }
  const std::string_view type = record.text(RootKey::EventType);
  if (type == "AwsVpceEvent" || type == "AwsVpceEvents") {
    return Category::NetworkActivity;
  }
  if (type == "AwsCloudTrailInsight") {
    return Category::Insight;
  }
  if (type == "AwsAggregatedEvent") {
    return Category::Other;
  }
  const auto management = record.place(RootKey::ManagementEvent);
  return management != 0 && record.json().is(management, "false") ? Category::Data
                                                                  : Category::Management;
}

std::string_view after_last(std::string_view text, char separator) {
  const auto at = text.rfind(separator);
  return at == text.npos ? std::string_view() : text.substr(at + 1);
}

/// Spec records §7.1. Sessions of a role or a federated user have no userName of their own: the
/// name is what the caller of AssumeRole chose, at the end of principalId and of the ARN.
std::string_view username_of(RecordWalk& record) {
  const std::string_view type = record.text(IdentityKey::Type);
  if (type == "Root") {
    return "root";
  }
  if (type == "AssumedRole" || type == "Role" || type == "FederatedUser") {
    const auto session = after_last(record.text(IdentityKey::PrincipalId), ':');
    return session.empty() ? after_last(record.text(IdentityKey::Arn), '/') : session;
  }
  return record.text(IdentityKey::UserName);
}

/// The terms of one record before they are packed.
class TermList {
 public:
  void add(Field field, std::string_view value) { terms_[count_++] = {field, value}; }
  /// A pair of type and name is there once, its halves may be in other pairs too.
  void add_names(const ResourceNames& names) {
    for (const auto* at = names.begin(); at != names.end(); ++at) {
      const auto is_first = [&](std::string_view ResourceNames::Name::* half) {
        return std::none_of(names.begin(), at, [&](const ResourceNames::Name& earlier) {
          return equal_short(earlier.*half, (*at).*half);
        });
      };
      if (is_first(&ResourceNames::Name::type)) {
        add(Field::ResourceType, at->type);
      }
      if (is_first(&ResourceNames::Name::name)) {
        add(Field::ResourceName, at->name);
      }
    }
  }
  [[nodiscard]] Terms pack() const { return Terms(std::span(terms_).first(count_)); }

 private:
  std::array<Terms::Term, kFieldCount + 2 * kResourceNamesMax> terms_;
  std::size_t count_ = 0;
};

Terms terms_of(RecordWalk& walk, const Record& record) {
  TermList terms;
  terms.add(Field::EventName, walk.text(RootKey::EventName));
  terms.add(Field::EventSource, walk.text(RootKey::EventSource));
  terms.add(Field::Username, username_of(walk));
  terms.add(Field::AccessKeyId, walk.text(IdentityKey::AccessKeyId));
  terms.add(Field::ReadOnly, walk.flag(RootKey::ReadOnly));
  terms.add(Field::AccountId, record.account_id);
  terms.add(Field::Region, record.region);
  terms.add(Field::EventCategory, to_string(record.category));
  terms.add(Field::EventType, walk.text(RootKey::EventType));
  terms.add(Field::ErrorCode, walk.text(RootKey::ErrorCode));
  terms.add(Field::SourceIpAddress, walk.text(RootKey::SourceIpAddress));
  terms.add(Field::UserAgent, walk.text(RootKey::UserAgent));
  terms.add(Field::UserIdentityArn, walk.text(IdentityKey::Arn));
  terms.add(Field::UserIdentityType, walk.text(IdentityKey::Type));
  terms.add_names(resource_names(walk));
  return terms.pack();
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
  RecordWalk walk;
  OT_TRY_DO(walk.read(json));
  Result<Record> result(std::in_place);  // made where it is returned: it is large
  Record& record = *result;
  record.id = identity_of(walk, json);
  record.account_id = account_of(walk);
  record.region = routing_value(walk.text(RootKey::Region));
  const auto event_time = parse_iso(walk.text(RootKey::EventTime));
  record.event_time = event_time.value_or(arrival);
  record.event_time_is_arrival = !event_time.has_value();
  record.category = category_of(walk);
  record.origin = origin;
  record.terms = terms_of(walk, record);
  record.json = std::move(json);
  return result;
}

Result<LookupFields> lookup_fields(std::string_view json) {
  RecordWalk walk;
  OT_TRY_DO(walk.read(json));
  LookupFields fields;
  fields.event_id = identity_of(walk, json);
  fields.event_name = walk.text(RootKey::EventName);
  fields.event_source = walk.text(RootKey::EventSource);
  fields.username = username_of(walk);
  fields.access_key_id = walk.text(IdentityKey::AccessKeyId);
  fields.read_only = walk.flag(RootKey::ReadOnly);
  const ResourceNames names = resource_names(walk);
  fields.resources.reserve(names.size());
  for (const auto& [type, name] : names) {
    fields.resources.emplace_back(std::string(type), std::string(name));
  }
  return fields;
}

}  // namespace opentrail::record
