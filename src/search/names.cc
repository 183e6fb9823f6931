#include "search/names.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace opentrail::search {
namespace {

using record::Field;

struct Alias {
  std::string_view name;
  Field field;
};

/// Beside record::to_string(Field): LookupEvents' attributes that it does not cover, then the words
/// that people try first.
constexpr Alias kAliases[] = {
    {"accessKeyId", Field::AccessKeyId},
    {"accessKey", Field::AccessKeyId},
    {"key", Field::AccessKeyId},
    {"user", Field::Username},
    {"name", Field::EventName},
    {"event", Field::EventName},
    {"source", Field::EventSource},
    {"service", Field::EventSource},
    {"resource", Field::ResourceName},
    {"account", Field::AccountId},
    {"accountId", Field::AccountId},
    {"region", Field::Region},
    {"category", Field::EventCategory},
    {"error", Field::ErrorCode},
    {"ip", Field::SourceIpAddress},
    {"sourceIp", Field::SourceIpAddress},
    {"agent", Field::UserAgent},
    {"arn", Field::UserIdentityArn},
    {"identityArn", Field::UserIdentityArn},
    {"identityType", Field::UserIdentityType},
};

/// The members of CloudTrail's record reference, up to eventVersion 1.11, and Insights'.
constexpr std::string_view kMembers[] = {"eventVersion",      "userIdentity",
                                         "eventTime",         "eventSource",
                                         "eventName",         "awsRegion",
                                         "sourceIPAddress",   "userAgent",
                                         "errorCode",         "errorMessage",
                                         "requestParameters", "responseElements",
                                         "requestID",         "additionalEventData",
                                         "eventID",           "eventType",
                                         "apiVersion",        "managementEvent",
                                         "readOnly",          "resources",
                                         "sharedEventID",     "recipientAccountId",
                                         "vpcEndpointId",     "serviceEventDetails",
                                         "eventCategory",     "vpcEndpointAccountId",
                                         "addendum",          "sessionCredentialFromConsole",
                                         "insightDetails",    "edgeDeviceDetails",
                                         "eventContext",      "tlsDetails"};

constexpr std::string_view kEventId = "eventID";
constexpr std::string_view kText = "text";

/// Levenshtein's distance, ignoring case.
std::size_t distance(std::string_view a, std::string_view b) {
  const std::string from = to_lower(a);
  const std::string to = to_lower(b);
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + static_cast<std::size_t>(from[i] != to[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::optional<Target> named_target(std::string_view name) {
  if (equals_ignore_case(name, kText)) {
    return Target{};
  }
  if (equals_ignore_case(name, kEventId) || equals_ignore_case(name, "id")) {
    return Target{.kind = Target::Kind::EventId, .path = {}};
  }
  std::optional<Field> field = record::parse_field(name);
  for (const Alias& alias : kAliases) {
    if (!field && equals_ignore_case(name, alias.name)) {
      field = alias.field;
    }
  }
  if (!field) {
    return std::nullopt;
  }
  return Target{.kind = Target::Kind::Field, .field = *field, .path = {}};
}

std::string_view canonical_name(const Target& target) {
  switch (target.kind) {
    case Target::Kind::EventId:
      return kEventId;
    case Target::Kind::Field:
      return record::to_string(target.field);
    case Target::Kind::AnyText:
    case Target::Kind::Path:
      break;
  }
  return kText;
}

std::optional<std::string_view> known_member(std::string_view name) {
  for (const std::string_view member : kMembers) {
    if (equals_ignore_case(name, member)) {
      return member;
    }
  }
  return std::nullopt;
}

std::string_view nearest_name(std::string_view name) {
  constexpr std::size_t kNameBytesMax = 40;
  if (name.size() > kNameBytesMax) {
    return {};
  }
  std::string_view nearest;
  std::size_t nearest_distance = 1 + name.size() / 3;  // more is another word
  const auto consider = [&](std::string_view candidate) {
    if (const std::size_t far = distance(name, candidate); far < nearest_distance) {
      nearest = candidate;
      nearest_distance = far;
    }
  };
  for (std::size_t i = 0; i < record::kFieldCount; ++i) {
    consider(record::to_string(static_cast<Field>(i)));
  }
  std::ranges::for_each(kMembers, consider);
  for (const Alias& alias : kAliases) {
    consider(alias.name);
  }
  return nearest;
}

bool is_plain_step(std::string_view step) {
  return !step.empty() && std::ranges::all_of(step, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-@:/#").contains(c);
  });
}

}  // namespace opentrail::search
