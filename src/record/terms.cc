#include "record/terms.h"

#include "base/text.h"
#include "record/short_bytes.h"

#include <cstddef>

namespace opentrail::record {
namespace {

constexpr std::array<std::string_view, kFieldCount> kNames = {
    "eventName",       "eventSource",   "username",         "userIdentity.accessKeyId",
    "readOnly",        "resourceType",  "resourceName",     "recipientAccountId",
    "awsRegion",       "eventCategory", "eventType",        "errorCode",
    "sourceIPAddress", "userAgent",     "userIdentity.arn", "userIdentity.type"};

constexpr unsigned kLengthBits = 7;  // of each byte; the highest says that more follow
constexpr unsigned char kMore = 1U << kLengthBits;

/// A term's value; `at` stands at its field.
std::string_view value_at(const char* at) {
  std::size_t length = 0;
  unsigned shift = 0;
  unsigned char byte = 0;
  do {
    byte = static_cast<unsigned char>(*++at);
    length |= static_cast<std::size_t>(byte & (kMore - 1U)) << shift;
    shift += kLengthBits;
  } while (byte >= kMore);
  return {at + 1, length};
}

std::uint32_t bit_of(Field field) { return std::uint32_t{1} << static_cast<unsigned>(field); }

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

Terms::Term Terms::Iterator::operator*() const { return {static_cast<Field>(*at_), value_at(at_)}; }

Terms::Iterator& Terms::Iterator::operator++() {
  const std::string_view value = value_at(at_);
  at_ = value.data() + value.size();
  return *this;
}

bool Terms::contains(Field field, std::string_view value) const {
  if ((fields_ & bit_of(field)) == 0) {
    return false;
  }
  for (const Term term : *this) {
    if (term.field == field && equal_short(term.value, value)) {
      return true;
    }
  }
  return false;
}

std::size_t Terms::bytes_of(std::string_view value) {
  std::size_t bytes = value.empty() ? 0 : 2 + value.size();
  for (std::size_t length = value.size(); length >= kMore; length >>= kLengthBits) {
    ++bytes;
  }
  return bytes;
}

void Terms::add(Field field, std::string_view value) {
  if (!contains(field, value)) {
    add_new(field, value);
  }
}

void Terms::add_new(Field field, std::string_view value) {
  if (value.empty()) {
    return;
  }
  const std::size_t old_bytes = bytes_.size();
  const std::size_t all = old_bytes + bytes_of(value);
  // libstdc++ 12 hands on the new capacity where it should be the size: `all` is ours.
  bytes_.resize_and_overwrite(all, [&](char* bytes, std::size_t /*size*/) {
    char* to = bytes + old_bytes;
    *to++ = static_cast<char>(field);
    std::size_t length = value.size();
    for (; length >= kMore; length >>= kLengthBits) {
      *to++ = static_cast<char>(length | kMore);
    }
    *to++ = static_cast<char>(length);
    copy_short(to, value);
    return all;
  });
  fields_ |= bit_of(field);
}

}  // namespace opentrail::record
