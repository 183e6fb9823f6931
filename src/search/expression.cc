#include "search/expression.h"

#include <algorithm>

namespace opentrail::search {
namespace {

using Kind = Expression::Kind;

Expression nothing() { return make_not(Expression{}); }

bool is_nothing(const Expression& expression) {
  return expression.kind == Kind::Not && expression.children.front().kind == Kind::All;
}

bool are_opposites(const Expression& a, const Expression& b) {
  return (a.kind == Kind::Not && a.children.front() == b) ||
         (b.kind == Kind::Not && b.children.front() == a);
}

/// And and Or are each other's mirror: `neutral` changes nothing, `decisive` decides alone.
Expression joined(Kind kind, std::vector<Expression> children) {
  const bool is_and = kind == Kind::And;
  std::vector<Expression> kept;
  for (Expression& child : children) {
    const bool decisive = is_and ? is_nothing(child) : child.kind == Kind::All;
    const bool neutral = is_and ? child.kind == Kind::All : is_nothing(child);
    if (decisive) {
      return child;
    }
    if (neutral || std::ranges::find(kept, child) != kept.end()) {
      continue;
    }
    if (std::ranges::any_of(kept, [&](const auto& one) { return are_opposites(one, child); })) {
      return is_and ? nothing() : Expression{};
    }
    kept.push_back(std::move(child));
  }
  return is_and ? make_and(std::move(kept)) : make_or(std::move(kept));
}

/// `expression`, or its negation, with every Not pushed down to the tests.
Expression pushed(Expression expression, bool negated) {
  switch (expression.kind) {
    case Kind::All:
    case Kind::Test:
      return negated ? make_not(std::move(expression)) : expression;
    case Kind::Not:
      return pushed(std::move(expression.children.front()), !negated);
    case Kind::And:
    case Kind::Or:
      break;
  }
  const Kind kind = (expression.kind == Kind::And) != negated ? Kind::And : Kind::Or;
  std::vector<Expression> children;
  for (Expression& child : expression.children) {
    Expression simple = pushed(std::move(child), negated);
    if (simple.kind == kind) {
      std::ranges::move(simple.children, std::back_inserter(children));
    } else {
      children.push_back(std::move(simple));
    }
  }
  return joined(kind, std::move(children));
}

}  // namespace

Expression make_test(Test test) {
  return {.kind = Kind::Test, .children = {}, .test = std::move(test)};
}

Expression make_not(Expression child) {
  Expression made{.kind = Kind::Not, .children = {}, .test = {}};
  made.children.push_back(std::move(child));
  return made;
}

Expression make_and(std::vector<Expression> children) {
  if (children.empty()) {
    return {};
  }
  if (children.size() == 1) {
    return std::move(children.front());
  }
  return {.kind = Kind::And, .children = std::move(children), .test = {}};
}

Expression make_or(std::vector<Expression> children) {
  if (children.empty()) {
    return nothing();
  }
  if (children.size() == 1) {
    return std::move(children.front());
  }
  return {.kind = Kind::Or, .children = std::move(children), .test = {}};
}

Expression simplify(Expression expression) { return pushed(std::move(expression), false); }

}  // namespace opentrail::search
