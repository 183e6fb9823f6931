#pragma once
#include "base/error.h"
#include "record/json_path.h"
#include "record/terms.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The search language of the event history: text to tree and back (docs/search.md).
namespace opentrail::search {

/// What a test looks at.
struct Target {
  enum class Kind : std::uint8_t {
    AnyText,  ///< The whole record's JSON, byte for byte as it stands.
    EventId,  ///< record::Record::id.
    Field,    ///< The record's terms of `field`: what is indexed.
    Path,     ///< The JSON values behind `path` (record/json_path.h).
  };
  Kind kind = Kind::AnyText;
  record::Field field = record::Field::EventName;  ///< Of Kind::Field.
  record::JsonPath path;                           ///< Of Kind::Path; never empty there.
  bool operator==(const Target&) const = default;
};

/// All compare bytes, so case matters; only ContainsIgnoreCase takes A-Z for a-z.
enum class Operator : std::uint8_t {
  Equals,
  StartsWith,
  EndsWith,
  Contains,
  ContainsIgnoreCase,
  Exists,  ///< There is a value; takes none.
};

/// True when any value of the target compares so. A target with no value passes no test: "is not"
/// and "is missing" are the negations. Objects and arrays behind a path have only their JSON text
/// to look into (Contains, ContainsIgnoreCase, Exists); each element of an array is a value too.
struct Test {
  Target target;
  Operator op = Operator::Contains;
  std::string value;  ///< Empty for Exists.
  bool operator==(const Test&) const = default;
};

struct Expression {
  enum class Kind : std::uint8_t { All, And, Or, Not, Test };
  Kind kind = Kind::All;             ///< All: every record.
  std::vector<Expression> children;  ///< Of And and Or two or more; of Not one.
  search::Test test;                 ///< Of Kind::Test.
  bool operator==(const Expression&) const = default;
};

inline constexpr std::size_t kTextBytesMax = 16 << 10;
inline constexpr std::size_t kDepthMax = 64;  ///< Of parentheses and NOTs in each other.
inline constexpr std::size_t kTestsMax = 256;
/// Of an expression that was put together from a parsed one and others: what a search adds are
/// accounts, Regions and a category.
inline constexpr std::size_t kCombinedTestsMax = 2 * kTestsMax;
inline constexpr std::size_t kPathBytesMax = 1024;  ///< Of all the steps of one path.

/// Reads the language of docs/search.md. Nothing but blanks is All. Pure; any thread.
/// Errors: InvalidArgument with the place (characters, from 1), what was expected and an example:
///   at 13: expected a value after '=', for example eventName = "CreateTrail"
[[nodiscard]] Result<Expression> parse_expression(std::string_view text);

/// The canonical text: every field by its one name, every value in quotes, no parentheses that are
/// not needed. For whatever parse_expression() returned, parse_expression(to_text(e)) == e.
[[nodiscard]] std::string to_text(const Expression& expression);
/// The target alone, as it stands in an expression: "sourceIPAddress", "text".
[[nodiscard]] std::string to_text(const Target& target);

/// An expression that the same records match, made for planning over an index:
///   - Not stands over a test or over All ("nothing") only;
///   - no And in an And, no Or in an Or, no child twice, always two children or more;
///   - All is alone, or alone under a Not: "x and not x" is nothing, "x or not x" is all.
/// Its text can be longer than kTextBytesMax.
[[nodiscard]] Expression simplify(Expression expression);

[[nodiscard]] Expression make_test(Test test);
[[nodiscard]] Expression make_not(Expression child);
/// Of one child the child itself; of none All.
[[nodiscard]] Expression make_and(std::vector<Expression> children);
/// Of one child the child itself; of none "nothing".
[[nodiscard]] Expression make_or(std::vector<Expression> children);

}  // namespace opentrail::search
