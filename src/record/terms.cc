#include "record/terms.h"

#include "base/text.h"

#include <cstring>

namespace opentrail::record {
namespace {

constexpr std::array<std::string_view, kFieldCount> kNames = {
    "eventName",       "eventSource",   "username",         "userIdentity.accessKeyId",
    "readOnly",        "resourceType",  "resourceName",     "recipientAccountId",
    "awsRegion",       "eventCategory", "eventType",        "errorCode",
    "sourceIPAddress", "userAgent",     "userIdentity.arn", "userIdentity.type"};

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kHeadBytes = 1 + kLengthBytes;

std::size_t length_at(const char* at) {
  std::uint32_t length = 0;
  std::memcpy(&length, at + 1, kLengthBytes);
  return length;
}

}  // namespace

std::string_view to_string(Field field) { return kNames[static_cast<std::size_t>(field)]; }

std::optional<Field> parse_field(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (equals_ignore_case(name, kNames[i])) {
      return static_cast<Field>(i);
    }
  }
  return std::nullopt;
}

Terms::Term Terms::Iterator::operator*() const {
  return {static_cast<Field>(*at_), std::string_view(at_ + kHeadBytes, length_at(at_))};
}

Terms::Iterator& Terms::Iterator::operator++() {
  at_ += kHeadBytes + length_at(at_);
  return *this;
}

bool Terms::contains(Field field, std::string_view value) const {
  for (const Term term : *this) {
    if (term.field == field && term.value == value) {
      return true;
    }
  }
  return false;
}

void Terms::add(Field field, std::string_view value) {
  if (value.empty() || contains(field, value)) {
    return;
  }
  const auto length = static_cast<std::uint32_t>(value.size());
  char head[kHeadBytes];
  head[0] = static_cast<char>(field);
  std::memcpy(head + 1, &length, kLengthBytes);
  bytes_.append(head, kHeadBytes);
  bytes_ += value;
}

}  // namespace opentrail::record
