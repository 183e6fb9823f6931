#include "search/expression.h"
#include "search/names.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace opentrail::search {
namespace {

using Kind = Expression::Kind;

void append_escaped(std::string& out, std::string_view text, bool with_stars) {
  constexpr unsigned char kFirstPlain = 0x20;
  for (const char c : text) {
    if (c == '"' || c == '\\' || (c == '*' && with_stars)) {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < kFirstPlain) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
}

void append_quoted(std::string& out, std::string_view text, bool with_stars) {
  out += '"';
  append_escaped(out, text, with_stars);
  out += '"';
}

void append_step(std::string& out, std::string_view step, bool plain) {
  if (plain) {
    out += step;
  } else {
    append_quoted(out, step, false);
  }
}

/// The first step stands without quotes only where its reader takes it for a path.
bool reads_as_path(const record::JsonPath& path) {
  if (known_member(path.front()) != path.front()) {
    return false;
  }
  std::string joined;
  for (const std::string& step : path) {
    joined += joined.empty() ? "" : ".";
    joined += step;
  }
  return !named_target(joined);
}

void append_path(std::string& out, const record::JsonPath& path) {
  append_step(out, path.front(), reads_as_path(path));
  for (std::size_t i = 1; i < path.size(); ++i) {
    out += '.';
    append_step(out, path[i], is_plain_step(path[i]));
  }
}

std::string_view symbol(Operator op) {
  switch (op) {
    case Operator::Equals:
      return "=";
    case Operator::StartsWith:
      return "^=";
    case Operator::EndsWith:
      return "$=";
    case Operator::Contains:
      return "~=";
    case Operator::ContainsIgnoreCase:
      return "~*";
    case Operator::Exists:
      break;
  }
  return "exists";
}

void append_test(std::string& out, const Test& test, bool negated) {
  if (test.target.kind == Target::Kind::AnyText && test.op == Operator::Contains && !negated) {
    append_quoted(out, test.value, false);
    return;
  }
  out += to_text(test.target);
  if (test.op == Operator::Exists) {
    out += negated ? " not exists" : " exists";
    return;
  }
  out += negated ? " !" : " ";
  out += symbol(test.op);
  out += ' ';
  append_quoted(out, test.value, test.op == Operator::Equals);
}

/// What stands in a list: all that '=' can say, with stars for the rest.
bool is_listed(const Expression& expression) {
  return expression.kind == Kind::Test && expression.test.target.kind != Target::Kind::AnyText &&
         expression.test.op != Operator::ContainsIgnoreCase;
}

/// "x = a or x = b" reads better, and is shorter, as "x in (a, b)".
bool is_list(const Expression& expression) {
  const auto& children = expression.children;
  return expression.kind == Kind::Or && std::ranges::all_of(children, [&](const auto& child) {
           return is_listed(child) && child.test.target == children.front().test.target;
         });
}

void append_pattern(std::string& out, const Test& test) {
  const bool open_begin = test.op == Operator::EndsWith || test.op == Operator::Contains;
  const bool open_end = test.op == Operator::StartsWith || test.op == Operator::Contains;
  out += '"';
  out += open_begin ? "*" : "";
  append_escaped(out, test.op == Operator::Exists ? "" : test.value, true);
  out += open_end || test.op == Operator::Exists ? "*" : "";
  out += '"';
}

void append_list(std::string& out, const Expression& list, bool negated) {
  out += to_text(list.children.front().test.target);
  out += negated ? " not in (" : " in (";
  for (std::size_t i = 0; i < list.children.size(); ++i) {
    out += i == 0 ? "" : ", ";
    append_pattern(out, list.children[i].test);
  }
  out += ')';
}

void append(std::string& out, const Expression& expression);

/// `child` as an operand of `parent`, in parentheses where it would be read otherwise.
void append_operand(std::string& out, const Expression& child, Kind parent) {
  const bool alone =
      child.kind == Kind::And ? parent == Kind::Or : child.kind != Kind::Or || is_list(child);
  out += alone ? "" : "(";
  append(out, child);
  out += alone ? "" : ")";
}

void append_not(std::string& out, const Expression& child) {
  if (child.kind == Kind::Test) {
    append_test(out, child.test, true);
  } else if (is_list(child)) {
    append_list(out, child, true);
  } else {
    out += "not ";
    append_operand(out, child, Kind::Not);
  }
}

void append(std::string& out, const Expression& expression) {
  switch (expression.kind) {
    case Kind::All:
      out += '*';
      return;
    case Kind::Test:
      append_test(out, expression.test, false);
      return;
    case Kind::Not:
      append_not(out, expression.children.front());
      return;
    case Kind::And:
    case Kind::Or:
      break;
  }
  if (is_list(expression)) {
    append_list(out, expression, false);
    return;
  }
  const std::string_view word = expression.kind == Kind::And ? " and " : " or ";
  for (std::size_t i = 0; i < expression.children.size(); ++i) {
    out += i == 0 ? "" : word;
    append_operand(out, expression.children[i], expression.kind);
  }
}

}  // namespace

std::string to_text(const Expression& expression) {
  std::string out;
  append(out, expression);
  return out;
}

std::string to_text(const Target& target) {
  if (target.kind != Target::Kind::Path) {
    return std::string(canonical_name(target));
  }
  std::string out;
  append_path(out, target.path);
  return out;
}

}  // namespace opentrail::search
