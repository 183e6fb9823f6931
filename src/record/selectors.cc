#include "record/selectors.h"

#include <algorithm>

namespace opentrail::record {
namespace {

constexpr std::string_view kAll = "All";
constexpr std::string_view kReadOnly = "ReadOnly";
constexpr std::string_view kWriteOnly = "WriteOnly";

constexpr std::array<std::string_view, kSelectorOperators.size()> kOperatorNames = {
    "Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith"};

}  // namespace

std::string_view to_string(ReadWriteType type) {
  switch (type) {
    case ReadWriteType::All:
      return kAll;
    case ReadWriteType::ReadOnly:
      return kReadOnly;
    case ReadWriteType::WriteOnly:
      return kWriteOnly;
  }
  return kAll;
}

std::optional<ReadWriteType> parse_read_write_type(std::string_view text) {
  for (const auto type : {ReadWriteType::All, ReadWriteType::ReadOnly, ReadWriteType::WriteOnly}) {
    if (text == to_string(type)) {
      return type;
    }
  }
  return std::nullopt;
}

std::string_view to_string(SelectorOperator op) {
  return kOperatorNames[static_cast<std::size_t>(op)];
}

bool is_global_service(std::string_view event_source) {
  // STS is not one of them: its regional endpoints record in their own region.
  static constexpr std::array<std::string_view, 6> kSources = {
      "iam.amazonaws.com",     "cloudfront.amazonaws.com",    "signin.amazonaws.com",
      "route53.amazonaws.com", "organizations.amazonaws.com", "account.amazonaws.com",
  };
  return std::ranges::find(kSources, event_source) != kSources.end();
}

}  // namespace opentrail::record
