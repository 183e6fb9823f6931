#include "base/text.h"
#include "search/expression.h"
#include "search/lexer.h"
#include "search/names.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace opentrail::search {
namespace {

using Kind = Expression::Kind;

constexpr std::string_view kExample = "for example eventName = \"CreateTrail\"";

/// An operator as it was written.
struct Written {
  Operator op = Operator::Equals;
  bool negated = false;
  bool list = false;      ///< in (...)
  std::string_view sign;  ///< For messages.
};

struct Sign {
  std::string_view text;
  Operator op;
};
/// Longer signs before those that they begin with.
constexpr Sign kSigns[] = {{"==", Operator::Equals},
                           {"=", Operator::Equals},
                           {"^=", Operator::StartsWith},
                           {"$=", Operator::EndsWith},
                           {"~=", Operator::Contains},
                           {"~*=", Operator::ContainsIgnoreCase},
                           {"~*", Operator::ContainsIgnoreCase},
                           {"~", Operator::Contains}};
constexpr Sign kWords[] = {{"contains", Operator::Contains},
                           {"icontains", Operator::ContainsIgnoreCase},
                           {"exists", Operator::Exists}};
constexpr Sign kWithWords[] = {{"starts", Operator::StartsWith}, {"ends", Operator::EndsWith}};

bool is_connective(std::string_view word) {
  return equals_ignore_case(word, "and") || equals_ignore_case(word, "or") ||
         equals_ignore_case(word, "not");
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Result<Expression> parse() {
    lexer_.skip_blanks();
    if (lexer_.at_end()) {
      return Expression{};
    }
    OT_TRY(auto expression, disjunction());
    if (!lexer_.at_end()) {
      return lexer_.fail_at(lexer_.position(), fmt::format("expected AND, OR or the end, found {}",
                                                           lexer_.shown_at(lexer_.position())));
    }
    return expression;
  }

 private:
  /// a or b || c. Leaves the cursor at the first character that is not its own.
  Result<Expression> disjunction() {
    std::vector<Expression> children;
    do {
      OT_TRY(auto child, conjunction());
      children.push_back(std::move(child));
    } while (lexer_.accept("||") || lexer_.accept_word("or"));
    return make_or(std::move(children));
  }

  /// a and b && c d.
  Result<Expression> conjunction() {
    std::vector<Expression> children;
    do {
      OT_TRY(auto child, negation());
      children.push_back(std::move(child));
    } while (goes_on());
    return make_and(std::move(children));
  }

  /// Two terms side by side are joined by AND.
  bool goes_on() {
    return lexer_.accept("&&") || lexer_.accept_word("and") ||
           !(lexer_.at_end() || lexer_.peek() == ')' || lexer_.peek() == ',' ||
             lexer_.at_word("or") || at_sign("||"));
  }

  bool at_sign(std::string_view sign) const {
    Lexer ahead = lexer_;
    return ahead.accept(sign);
  }

  Result<Expression> negation() {
    lexer_.skip_blanks();
    const std::size_t begin = lexer_.position();
    if (lexer_.accept("!") || lexer_.accept_word("not")) {
      OT_TRY_DO(go_deeper(begin));
      OT_TRY(auto child, negation());
      --depth_;
      return make_not(std::move(child));
    }
    if (lexer_.accept("(")) {
      OT_TRY_DO(go_deeper(begin));
      OT_TRY(auto inner, disjunction());
      --depth_;
      if (!lexer_.accept(")")) {
        return lexer_.fail_at(lexer_.position(),
                              fmt::format("expected ')' for the '(' at {}, found {}", begin + 1,
                                          lexer_.shown_at(lexer_.position())));
      }
      lexer_.skip_blanks();
      return inner;
    }
    return term();
  }

  Result<void> go_deeper(std::size_t begin) {
    if (++depth_ > kDepthMax) {
      return lexer_.fail_at(begin, fmt::format("nested deeper than {}", kDepthMax));
    }
    return {};
  }

  /// What stands before an operator, or alone.
  struct Subject {
    std::size_t begin = 0;
    Word word;               ///< The first step if it is in quotes, else all that is not.
    record::JsonPath steps;  ///< Of a path: with the quoted steps that follow.
    bool is_word = true;     ///< No step after `word` is in quotes: it can stand alone.
  };

  /// A test, a word to look for, or "*".
  Result<Expression> term() {
    OT_TRY(auto subject, read_subject());
    lexer_.skip_blanks();
    const std::size_t sign_at = lexer_.position();
    OT_TRY(const auto written, read_operator());
    if (!written) {
      return word_alone(std::move(subject));
    }
    OT_TRY(auto target, resolve(std::move(subject)));
    if (target.kind == Target::Kind::AnyText && written->op != Operator::Contains &&
        written->op != Operator::ContainsIgnoreCase) {
      return lexer_.fail_at(sign_at,
                            "all of a record can only be looked into: expected '~=' or '~*', for "
                            "example text ~= \"AccessDenied\"");
    }
    OT_TRY(auto expression, operand(std::move(target), *written));
    lexer_.skip_blanks();
    return written->negated ? make_not(std::move(expression)) : std::move(expression);
  }

  Result<Subject> read_subject() {
    Subject subject{.begin = lexer_.position(), .word = {}, .steps = {}};
    if (lexer_.at_quote()) {
      OT_TRY(subject.word, lexer_.read_quoted());
      OT_TRY_DO(check_no_star());
      subject.steps.push_back(subject.word.text);
    } else {
      subject.word = lexer_.read_bare(Lexer::Place::Name);
      if (subject.word.text.empty() || is_connective(subject.word.text)) {
        return lexer_.fail_at(subject.begin, fmt::format("expected a test or a word, found {}, {}",
                                                         lexer_.shown_at(subject.begin), kExample));
      }
      append_steps(subject.steps, subject.word.text);
      if (!lexer_.at_quote() || !subject.word.text.ends_with('.')) {
        return subject;
      }
      OT_TRY(auto step, lexer_.read_quoted());
      subject.steps.back() = std::move(step.text);
      subject.is_word = false;
    }
    OT_TRY_DO(read_more_steps(subject));
    return subject;
  }

  static void append_steps(record::JsonPath& steps, std::string_view text) {
    for (const std::string_view step : split(text, '.')) {
      steps.emplace_back(step);
    }
  }

  /// After a quoted step: `.name`, `."odd name"`, as many as there are.
  Result<void> read_more_steps(Subject& subject) {
    while (lexer_.accept(".")) {
      subject.is_word = false;
      if (lexer_.at_quote()) {
        OT_TRY(auto step, lexer_.read_quoted());
        subject.steps.push_back(std::move(step.text));
        continue;
      }
      const std::size_t begin = lexer_.position();
      std::string text = lexer_.read_bare(Lexer::Place::Name).text;
      const bool quote_follows = text.ends_with('.') && lexer_.at_quote();
      if (quote_follows) {
        text.pop_back();
      }
      OT_TRY_DO(check_steps(begin, text));
      append_steps(subject.steps, text);
      if (!quote_follows) {
        return {};
      }
      OT_TRY(auto step, lexer_.read_quoted());
      subject.steps.push_back(std::move(step.text));
    }
    return {};
  }

  Result<void> check_steps(std::size_t begin, std::string_view text) const {
    if (!std::ranges::all_of(split(text, '.'), is_plain_step)) {
      return fail_step(begin);
    }
    return {};
  }

  std::unexpected<Error> fail_step(std::size_t at) const {
    return lexer_.fail_at(at,
                          "expected the next step of a path; a name with other characters than "
                          "letters, digits and _-@:/# stands in quotes, for example "
                          "requestParameters.\"x y\".name = 1");
  }

  Result<Target> resolve(Subject subject) const {
    std::size_t bytes = 0;
    for (const std::string& step : subject.steps) {
      bytes += step.size();
    }
    if (bytes > kPathBytesMax) {
      return lexer_.fail_at(subject.begin,
                            fmt::format("a path has at most {} bytes", kPathBytesMax));
    }
    if (!subject.word.quoted) {
      const std::string_view text = subject.word.text;
      if (subject.is_word) {
        if (auto named = named_target(text)) {
          return *std::move(named);
        }
      }
      OT_TRY_DO(
          check_steps(subject.begin, subject.is_word ? text : text.substr(0, text.size() - 1)));
      OT_TRY(subject.steps.front(), first_step(subject.begin, subject.steps.front()));
    }
    return Target{.kind = Target::Kind::Path, .path = std::move(subject.steps)};
  }

  /// Names are checked where they can be: a misspelt one would find nothing and never say why.
  Result<std::string> first_step(std::size_t begin, const std::string& name) const {
    if (const auto member = known_member(name)) {
      return std::string(*member);
    }
    if (equals_ignore_case(name, "time")) {
      return lexer_.fail_at(begin,
                            "times are not part of an expression: give the start and the end");
    }
    const std::string_view near = nearest_name(name);
    return lexer_.fail_at(
        begin, fmt::format("there is no field '{0}'{1}{2}; a member that only some records have "
                           "stands in quotes: \"{0}\"",
                           name, near.empty() ? "" : ", did you mean ", near));
  }

  /// Absent when no operator stands here.
  Result<std::optional<Written>> read_operator() {
    const std::size_t begin = lexer_.position();
    const Lexer before = lexer_;
    const bool bang = lexer_.accept("!");
    for (const Sign& sign : kSigns) {
      if (lexer_.accept(sign.text)) {
        if (sign.op == Operator::Equals && lexer_.peek() == '~') {
          return lexer_.fail_at(begin,
                                "there are no regular expressions; '~=' finds a part, for example "
                                "userAgent ~= \"Boto3\"");
        }
        return Written{.op = sign.op, .negated = bang, .list = false, .sign = sign.text};
      }
    }
    lexer_ = before;
    if (lexer_.peek() == '<' || lexer_.peek() == '>') {
      return lexer_.fail_at(begin,
                            "values have no order here: expected =, !=, ^=, $=, ~=, ~*, in or "
                            "exists. Times are given as the start and the end of the search");
    }
    auto written = read_word_operator();
    if (!written) {
      lexer_ = before;
    }
    return written;
  }

  std::optional<Written> read_word_operator() {
    Written written;
    if (lexer_.accept_word("not")) {
      written.negated = true;
      lexer_.skip_blanks();
    }
    for (const Sign& word : kWords) {
      if (lexer_.accept_word(word.text)) {
        written.op = word.op;
        written.sign = word.text;
        return written;
      }
    }
    for (const Sign& word : kWithWords) {
      if (lexer_.accept_word(word.text)) {
        lexer_.skip_blanks();
        written.op = word.op;
        written.sign = "with";
        return lexer_.accept_word("with") ? std::optional(written) : std::nullopt;
      }
    }
    written.list = true;
    written.sign = "in";
    if (!lexer_.accept_word("in")) {
      return std::nullopt;
    }
    lexer_.skip_blanks();
    return lexer_.peek() == '(' ? std::optional(written) : std::nullopt;
  }

  Result<Expression> operand(Target target, const Written& written) {
    if (written.list) {
      return list(target);
    }
    Test test{.target = std::move(target), .op = written.op, .value = {}};
    if (written.op == Operator::Exists) {
      return count_test(lexer_.position(), std::move(test));
    }
    lexer_.skip_blanks();
    const std::size_t begin = lexer_.position();
    OT_TRY(Word value, read_value(fmt::format("'{}'", written.sign)));
    return finish_test(begin, std::move(test), std::move(value));
  }

  /// ("a", "b*"): the cursor is at the parenthesis.
  Result<Expression> list(const Target& target) {
    std::vector<Expression> tests;
    lexer_.accept("(");
    do {
      lexer_.skip_blanks();
      const std::size_t begin = lexer_.position();
      OT_TRY(Word value, read_value(tests.empty() ? "'('" : "','"));
      OT_TRY(auto test, finish_test(begin, {.target = target, .op = Operator::Equals, .value = {}},
                                    std::move(value)));
      tests.push_back(std::move(test));
      lexer_.skip_blanks();
    } while (lexer_.accept(","));
    if (!lexer_.accept(")")) {
      return lexer_.fail_at(lexer_.position(),
                            fmt::format("expected ',' or ')', found {}, for example eventName in "
                                        "(\"CreateTrail\", \"DeleteTrail\")",
                                        lexer_.shown_at(lexer_.position())));
    }
    return make_or(std::move(tests));
  }

  Result<Word> read_value(std::string_view after) {
    const std::size_t begin = lexer_.position();
    if (lexer_.at_quote()) {
      OT_TRY(Word quoted, lexer_.read_quoted());
      OT_TRY_DO(check_behind_quotes());
      return quoted;
    }
    Word word = lexer_.read_bare(Lexer::Place::Value);
    if (word.text.empty() || is_connective(word.text)) {
      return lexer_.fail_at(begin, fmt::format("expected a value after {}, found {}, {}", after,
                                               lexer_.shown_at(begin), kExample));
    }
    if (word.text.contains('\\') || lexer_.peek() == '(' || lexer_.peek() == '"') {
      return lexer_.fail_at(begin,
                            fmt::format("a value with any of \\ ( ) , \" or blanks stands in "
                                        "quotes, {}",
                                        kExample));
    }
    return word;
  }

  Result<void> check_no_star() const {
    return lexer_.peek() == '*' ? lexer_.fail_at(lexer_.position(),
                                                 "the '*' stands inside the quotes, for example "
                                                 "eventName = \"Delete*\"")
                                : Result<void>();
  }

  /// Where a quoted text ends, so does the value: what touches it would silently be another term.
  Result<void> check_behind_quotes() const {
    constexpr std::string_view kEnds = " \t\r\n),&|";
    OT_TRY_DO(check_no_star());
    if (!lexer_.at_end() && !kEnds.contains(lexer_.peek())) {
      return lexer_.fail_at(lexer_.position(), fmt::format("expected a blank after the quotes, "
                                                           "found {}",
                                                           lexer_.shown_at(lexer_.position())));
    }
    return {};
  }

  Result<Expression> count_test(std::size_t begin, Test test) {
    if (++tests_ > kTestsMax) {
      return lexer_.fail_at(begin, fmt::format("more than {} tests", kTestsMax));
    }
    return make_test(std::move(test));
  }

  /// Only '=' knows wildcards: what looks for a part takes every character as it is.
  Result<Expression> finish_test(std::size_t begin, Test test, Word value) {
    if (test.op == Operator::Equals) {
      OT_TRY_DO(apply_stars(begin, test, value));
    }
    const bool of_record = test.target.kind != Target::Kind::Path;
    if (value.text.empty() && test.op != Operator::Exists &&
        (of_record || test.op != Operator::Equals)) {
      return lexer_.fail_at(begin,
                            fmt::format("expected a value that is not empty; what is missing "
                                        "is found by 'not exists', for example errorCode not "
                                        "exists"));
    }
    if (test.op == Operator::Equals && test.target.kind == Target::Kind::Field &&
        test.target.field == record::Field::ReadOnly) {
      value.text = to_lower(value.text);
      if (value.text != "true" && value.text != "false") {
        return lexer_.fail_at(begin, "readOnly is true or false, for example readOnly = false");
      }
    }
    test.value = std::move(value.text);
    return count_test(begin, std::move(test));
  }

  Result<void> apply_stars(std::size_t begin, Test& test, Word& value) const {
    if (value.star_inside) {
      return lexer_.fail_at(begin,
                            "a '*' stands at the beginning or the end of a value; a star itself is "
                            "written \\* in quotes, for example \"arn:aws:s3:::logs/\\*\"");
    }
    if (value.star_last) {
      value.text.pop_back();
    }
    if (value.star_first && !value.text.empty()) {
      value.text.erase(0, 1);
    }
    if (!value.star_first && !value.star_last) {
      return {};
    }
    if (value.text.empty()) {
      test.op = Operator::Exists;
    } else if (value.star_first && value.star_last) {
      test.op = Operator::Contains;
    } else {
      test.op = value.star_last ? Operator::StartsWith : Operator::EndsWith;
    }
    return {};
  }

  /// Anywhere in the record.
  Result<Expression> word_alone(Subject subject) {
    Word& word = subject.word;
    if (!subject.is_word) {
      return lexer_.fail_at(lexer_.position(),
                            fmt::format("expected an operator after the path, found {}, {}",
                                        lexer_.shown_at(lexer_.position()), kExample));
    }
    if (!word.quoted) {
      if (word.text == "*") {
        return Expression{};
      }
      OT_TRY_DO(check_bare_word(subject.begin, word));
    }
    if (word.text.empty()) {
      return lexer_.fail_at(subject.begin,
                            "expected a word that is not empty, for example \"AccessDenied\"");
    }
    return count_test(subject.begin,
                      {.target = {}, .op = Operator::Contains, .value = std::move(word.text)});
  }

  Result<void> check_bare_word(std::size_t begin, Word& word) const {
    OT_TRY_DO(refuse_forgotten_operator(begin, word.text));
    if (word.text.contains('\\')) {
      return lexer_.fail_at(begin, "a word with '\\' stands in quotes, for example \"C:\\\\temp\"");
    }
    Test ignored;  // "Delete*" alone says no more than "Delete" does
    return apply_stars(begin, ignored, word);
  }

  /// "errorCode" and "eventName:X" alone are more likely tests gone wrong than words.
  Result<void> refuse_forgotten_operator(std::size_t begin, std::string_view word) const {
    if (named_target(word) || known_member(word)) {
      return lexer_.fail_at(begin, fmt::format("expected an operator after '{0}', found {1}, for "
                                               "example {0} exists; the word itself stands in "
                                               "quotes: \"{0}\"",
                                               word, lexer_.shown_at(lexer_.position())));
    }
    const auto colon = word.find(':');
    if (colon != word.npos && colon + 1 < word.size() && named_target(word.substr(0, colon))) {
      return lexer_.fail_at(begin,
                            fmt::format("expected '=' instead of ':', that is {} = \"{}\"; words "
                                        "with a colon stand in quotes",
                                        word.substr(0, colon), word.substr(colon + 1)));
    }
    return {};
  }

  Lexer lexer_;
  std::size_t depth_ = 0;
  std::size_t tests_ = 0;
};

}  // namespace

Result<Expression> parse_expression(std::string_view text) {
  if (text.size() > kTextBytesMax) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("an expression has at most {} bytes, this one has {}", kTextBytesMax,
                            text.size()));
  }
  if (!is_utf8(text)) {
    return fail(ErrorCode::InvalidArgument, "the expression is not UTF-8");
  }
  OT_TRY(auto expression, Parser(text).parse());
  if (const std::size_t bytes = to_text(expression).size(); bytes > kTextBytesMax) {
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("an expression has at most {} bytes; with all its names and quotes this "
                    "one has {}",
                    kTextBytesMax, bytes));
  }
  return expression;
}

}  // namespace opentrail::search
