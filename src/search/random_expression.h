#pragma once
#include "search/expression.h"

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Expressions for property tests: any shape that the parser can return, over few names and values
/// so that they meet.
namespace opentrail::search {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t bound) { return engine_() % bound; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <std::size_t Count>
  std::string_view of(const std::string_view (&choices)[Count]) {
    return choices[below(Count)];
  }

 private:
  std::mt19937 engine_;
};

/// Beside letters all that JSON or the language writes in some other way.
inline constexpr std::string_view kValues[] = {
    "a",          "b",    "ab",   "aB",          "root",   "0",          "17",
    "1.0",        "-5e3", "true", "false",       "null",   "a/b",        "*",
    "a*b",        "*a",   "q\"t", "back\\slash", "\n",     "\x01",       "\u00e9",
    "\U0001F600", "'",    "and",  "not",         "in",     " a ",        "a, b)",
    "sha256:",    "sha",  "Root", "{",           "\"a\":", "Management", "arn:aws:iam::1:user/a"};
inline constexpr std::string_view kNames[] = {"a", "b", "userName", "x y", "\u00e9", "and", "q\"t"};
inline constexpr std::string_view kTops[] = {
    "requestParameters", "responseElements", "eventName", "userIdentity", "odd", "errorCode"};

inline std::string random_value(Random& random) {
  std::string value(random.of(kValues));
  if (random.one_in(4)) {
    value += random.of(kValues);
  }
  return value;
}

inline Target random_target(Random& random) {
  switch (random.below(6)) {
    case 0:
      return {};
    case 1:
      return {.kind = Target::Kind::EventId, .path = {}};
    case 2:
      return {.kind = Target::Kind::Field,
              .field = static_cast<record::Field>(random.below(record::kFieldCount)),
              .path = {}};
    default:
      break;
  }
  Target target{.kind = Target::Kind::Path, .path = {}};
  target.path.emplace_back(random.of(kTops));
  if (target.path.front().starts_with("e") || target.path.front() == "userIdentity") {
    target.path.front() = "requestParameters";  // else some of them are fields
  }
  while (random.below(3) != 0) {
    target.path.emplace_back(random.of(kNames));
  }
  return target;
}

inline Test random_test(Random& random, Target target) {
  Test test{.target = std::move(target), .op = static_cast<Operator>(random.below(6)), .value = {}};
  if (test.target.kind == Target::Kind::AnyText) {
    test.op = random.one_in(2) ? Operator::Contains : Operator::ContainsIgnoreCase;
  }
  if (test.op == Operator::Exists) {
    return test;
  }
  test.value = random_value(random);
  if (test.op == Operator::Equals && test.target.kind == Target::Kind::Path && random.one_in(8)) {
    test.value.clear();
  }
  if (test.op == Operator::Equals && test.target.kind == Target::Kind::Field &&
      test.target.field == record::Field::ReadOnly) {
    test.value = random.one_in(2) ? "true" : "false";
  }
  return test;
}

inline Expression random_expression(Random& random, std::size_t depth) {
  if (depth == 0 || random.one_in(4)) {
    return random.one_in(16) ? Expression{} : make_test(random_test(random, random_target(random)));
  }
  if (random.one_in(3)) {
    return make_not(random_expression(random, depth - 1));
  }
  const Target shared = random_target(random);
  const bool alike = random.one_in(3);
  std::vector<Expression> children;
  for (std::size_t count = 2 + random.below(3); count > 0; --count) {
    children.push_back(alike ? make_test(random_test(random, shared))
                             : random_expression(random, depth - 1));
  }
  return random.one_in(2) ? make_and(std::move(children)) : make_or(std::move(children));
}

}  // namespace opentrail::search
