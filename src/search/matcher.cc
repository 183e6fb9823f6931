#include "search/matcher.h"

#include "search/comparison.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <vector>

namespace opentrail::search {
namespace {

using Kind = Expression::Kind;

/// What is known of an expression over a record.
enum class Verdict : std::uint8_t { No, Open, Yes };

Verdict verdict(bool yes) { return yes ? Verdict::Yes : Verdict::No; }

Verdict opposite(Verdict verdict) {
  switch (verdict) {
    case Verdict::No:
      return Verdict::Yes;
    case Verdict::Yes:
      return Verdict::No;
    case Verdict::Open:
      break;
  }
  return Verdict::Open;
}

/// Searches of one record or block before the rest counts as open: a list of hundreds of values
/// would cost more than what it saves.
constexpr std::size_t kSearchesMax = 16;

/// The verdicts on the tests of one record, by their numbers; absent where none was needed yet.
using Verdicts = std::array<std::optional<Verdict>, kCombinedTestsMax>;

}  // namespace

/// The expression with its tests numbered and compiled.
class Matcher::Program {
 public:
  explicit Program(const Expression& expression) : expression_(simplify(expression)) {
    root_ = compile(expression_);
    OT_CHECK(tests_.size() <= kCombinedTestsMax);
    number_paths();
    // Of all bytes, none rule out more than those in which nothing is found.
    can_rule_out_ = true;
    can_rule_out_ = !may_match({});
  }

  const Expression& expression() const { return expression_; }
  bool can_rule_out() const { return can_rule_out_; }

  bool may_match(std::string_view bytes) const {
    if (!can_rule_out_) {
      return true;
    }
    std::size_t searches = 0;
    return judge(root_, [&](std::size_t test) {
             return verdict_of_bytes(tests_[test], bytes, searches);
           }) != Verdict::No;
  }

  Result<bool> matches(const Subject& subject) const {
    Verdicts verdicts{};
    std::size_t searches = 0;
    const auto judge_test = [&](std::size_t test) {
      auto& known = verdicts[test];
      if (!known) {
        known = verdict_without_parsing(tests_[test], subject, searches);
      }
      return *known;
    };
    Verdict all = judge(root_, judge_test);
    if (all == Verdict::Open) {
      OT_TRY_DO(judge_paths(subject.json, verdicts));
      all = judge(root_, judge_test);
    }
    return all == Verdict::Yes;
  }

 private:
  struct Node {
    Kind kind = Kind::All;
    std::size_t test = 0;
    std::vector<std::size_t> children;
  };

  std::size_t compile(const Expression& expression) {
    Node node{.kind = expression.kind, .test = 0, .children = {}};
    if (expression.kind == Kind::Test) {
      node.test = tests_.size();
      tests_.emplace_back(expression.test);
    }
    for (const Expression& child : expression.children) {
      node.children.push_back(compile(child));
    }
    nodes_.push_back(std::move(node));
    return nodes_.size() - 1;
  }

  /// Each path once, with the tests that ask for it.
  void number_paths() {
    std::vector<record::JsonPath> paths;
    for (std::size_t i = 0; i < tests_.size(); ++i) {
      const Target& target = tests_[i].test().target;
      if (target.kind != Target::Kind::Path) {
        continue;
      }
      const auto known = std::ranges::find(paths, target.path);
      const auto index = static_cast<std::size_t>(known - paths.begin());
      if (known == paths.end()) {
        paths.push_back(target.path);
        tests_of_path_.emplace_back();
      }
      tests_of_path_[index].push_back(i);
    }
    paths_ = record::JsonPathSet(paths);
  }

  /// Kleene's logic: what is open stays open unless the rest decides.
  template <typename JudgeTest>
  Verdict judge(std::size_t at, const JudgeTest& judge_test) const {
    const Node& node = nodes_[at];
    switch (node.kind) {
      case Kind::All:
        return Verdict::Yes;
      case Kind::Test:
        return judge_test(node.test);
      case Kind::Not:
        return opposite(judge(node.children.front(), judge_test));
      case Kind::And:
      case Kind::Or:
        break;
    }
    const Verdict decisive = node.kind == Kind::And ? Verdict::No : Verdict::Yes;
    Verdict all = opposite(decisive);
    for (const std::size_t child : node.children) {
      const Verdict one = judge(child, judge_test);
      if (one == decisive) {
        return one;
      }
      all = one == Verdict::Open ? one : all;
    }
    return all;
  }

  static Verdict verdict_of_bytes(const Comparison& test, std::string_view bytes,
                                  std::size_t& searches) {
    if (!test.shows() || searches == kSearchesMax) {
      return Verdict::Open;
    }
    ++searches;
    return test.is_ruled_out_by(bytes) ? Verdict::No : Verdict::Open;
  }

  static Verdict verdict_without_parsing(const Comparison& compiled, const Subject& subject,
                                         std::size_t& searches) {
    switch (compiled.test().target.kind) {
      case Target::Kind::AnyText:
        return verdict(compiled.holds(subject.json));
      case Target::Kind::EventId:
        return verdict(compiled.holds(subject.id));
      case Target::Kind::Field:
        return verdict(any_term_holds(compiled, subject.terms));
      case Target::Kind::Path:
        break;
    }
    return verdict_of_bytes(compiled, subject.json, searches);
  }

  static bool any_term_holds(const Comparison& compiled, const record::Terms& terms) {
    const record::Field field = compiled.test().target.field;
    for (const record::Terms::Term term : terms) {
      if (term.field == field && compiled.holds(term.value)) {
        return true;
      }
    }
    return false;
  }

  /// Decides every test of a path that is open.
  Result<void> judge_paths(std::string_view json, Verdicts& verdicts) const {
    std::size_t open = 0;
    for (const auto& tests : tests_of_path_) {
      for (const std::size_t test : tests) {
        if (verdicts[test] != Verdict::No) {
          verdicts[test] = Verdict::Open;
          ++open;
        }
      }
    }
    const auto visit = [&](std::size_t path, const record::JsonValue& value) {
      for (const std::size_t test : tests_of_path_[path]) {
        if (verdicts[test] == Verdict::Open && tests_[test].holds(value)) {
          verdicts[test] = Verdict::Yes;
          --open;
        }
      }
      return open == 0 ? record::JsonPathSet::Next::Stop : record::JsonPathSet::Next::GoOn;
    };
    OT_TRY_DO(paths_.visit(json, std::ref(visit)));  // by reference it needs no memory
    for (const auto& tests : tests_of_path_) {
      for (const std::size_t test : tests) {
        if (verdicts[test] == Verdict::Open) {
          verdicts[test] = Verdict::No;
        }
      }
    }
    return {};
  }

  Expression expression_;
  std::vector<Comparison> tests_;
  std::vector<Node> nodes_;
  std::size_t root_ = 0;
  std::vector<std::vector<std::size_t>> tests_of_path_;  ///< By the path's index in paths_.
  record::JsonPathSet paths_;
  bool can_rule_out_ = false;
};

Matcher::Matcher(const Expression& expression)
    : program_(std::make_unique<const Program>(expression)) {}
Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;
Matcher::~Matcher() = default;

Result<bool> Matcher::matches(const Subject& subject) const { return program_->matches(subject); }

Result<bool> Matcher::matches(const record::Record& record) const {
  return matches(Subject{.id = record.id, .json = record.json, .terms = record.terms});
}

bool Matcher::may_match(std::string_view bytes) const { return program_->may_match(bytes); }

bool Matcher::can_rule_out() const { return program_->can_rule_out(); }

const Expression& Matcher::expression() const { return program_->expression(); }

}  // namespace opentrail::search
