#include "search/comparison.h"

#include <algorithm>
#include <array>

namespace opentrail::search {
namespace {

using record::Field;

constexpr std::string_view kRoot = "root";       // Username of a record that says "Root"
constexpr std::string_view kHashed = "sha256:";  // ids of records that have none of their own

/// JSON's escapes, by the character after the backslash, and the character that each can spell.
/// Beside them \u can spell any.
struct Escape {
  char letter;
  char spells;
};
constexpr std::array<Escape, 8> kEscapes = {{{'"', '"'},
                                             {'\\', '\\'},
                                             {'/', '/'},
                                             {'b', '\b'},
                                             {'f', '\f'},
                                             {'n', '\n'},
                                             {'r', '\r'},
                                             {'t', '\t'}}};

const TextFinder& finder_of_escape(char letter) {
  static const std::vector<TextFinder> finders = [] {
    std::vector<TextFinder> made;
    for (const Escape& escape : kEscapes) {
      made.emplace_back(std::string{'\\', escape.letter});
    }
    made.emplace_back("\\u");
    return made;
  }();
  const auto* const found = std::ranges::find(kEscapes, letter, &Escape::letter);
  return finders[static_cast<std::size_t>(found - kEscapes.begin())];
}

std::vector<const TextFinder*> escapes_of(std::string_view value) {
  std::vector<const TextFinder*> escapes = {&finder_of_escape('u')};
  for (const Escape& escape : kEscapes) {
    if (value.contains(escape.spells)) {
      escapes.push_back(&finder_of_escape(escape.letter));
    }
  }
  return escapes;
}

TextFinder::Case case_of(Operator op) {
  return op == Operator::ContainsIgnoreCase ? TextFinder::Case::Ignore : TextFinder::Case::Exact;
}

/// The id is the record's eventID, or "sha256:" and the hash of its bytes, which is not in them.
bool id_shows(const Test& test) {
  const bool begins = test.op == Operator::Equals || test.op == Operator::StartsWith;
  return begins && !kHashed.starts_with(test.value) && !test.value.starts_with(kHashed);
}

/// True when each term of the field is a part of a string or number in the record
/// (record/terms.h); the rest is derived, as "Management" is of a record that says nothing.
bool field_shows(const Comparison& compiled) {
  switch (compiled.test().target.field) {
    case Field::EventName:
    case Field::EventSource:
    case Field::AccessKeyId:
    case Field::AccountId:
    case Field::Region:
    case Field::EventType:
    case Field::ErrorCode:
    case Field::SourceIpAddress:
    case Field::UserAgent:
    case Field::UserIdentityArn:
    case Field::UserIdentityType:
      return true;
    case Field::Username:
      return !compiled.holds(kRoot);
    case Field::ReadOnly:
    case Field::ResourceType:
    case Field::ResourceName:
    case Field::EventCategory:
      return false;
  }
  return false;
}

bool test_shows(const Comparison& compiled) {
  const Test& test = compiled.test();
  if (test.op == Operator::Exists || test.value.empty()) {
    return false;
  }
  // Terms have 0 for a number too large for a machine word, whose digits are others.
  const bool is_zero = test.value == "0";
  switch (test.target.kind) {
    case Target::Kind::AnyText:
    case Target::Kind::Path:
      return true;
    case Target::Kind::EventId:
      return !is_zero && id_shows(test);
    case Target::Kind::Field:
      return !is_zero && field_shows(compiled);
  }
  return false;
}

}  // namespace

Comparison::Comparison(const Test& test) : test_(test) {
  if (test.op != Operator::Exists) {
    finder_.emplace(test.value, case_of(test.op));
  }
  if (test.target.kind !=
      Target::Kind::AnyText) {  // which looks at the bytes, not at what they say
    escapes_ = escapes_of(test.value);
  }
  shows_ = test_shows(*this);
}

bool Comparison::holds(std::string_view value) const {
  switch (test_.op) {
    case Operator::Equals:
      return value == test_.value;
    case Operator::StartsWith:
      return value.starts_with(test_.value);
    case Operator::EndsWith:
      return value.ends_with(test_.value);
    case Operator::Contains:
    case Operator::ContainsIgnoreCase:
      return finder_->is_in(value);
    case Operator::Exists:
      return true;
  }
  return false;
}

bool Comparison::holds(const record::JsonValue& value) const {
  using Kind = record::JsonValue::Kind;
  const bool compares_all = test_.op == Operator::Equals || test_.op == Operator::StartsWith ||
                            test_.op == Operator::EndsWith;
  if (compares_all && (value.kind == Kind::Object || value.kind == Kind::Array)) {
    return false;
  }
  return holds(value.text);
}

bool Comparison::is_ruled_out_by(std::string_view bytes) const {
  return !finder_->is_in(bytes) && std::ranges::none_of(escapes_, [bytes](const auto* escape) {
    return escape->is_in(bytes);
  });
}

}  // namespace opentrail::search
