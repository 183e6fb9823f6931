#pragma once
#include "base/error.h"
#include "record/json_path.h"
#include "record/record.h"
#include "record/terms.h"
#include "search/expression.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

/// Tells which records an expression matches.
namespace opentrail::search {

/// One expression made ready for many records. Immutable: any thread, several at once.
class Matcher {
 public:
  /// A record as it is at hand: what no test looks at may be empty.
  struct Subject {
    std::string_view id;
    std::string_view json;
    const record::Terms& terms;
  };

  /// `expression` has at most kCombinedTestsMax tests.
  explicit Matcher(const Expression& expression);
  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;
  ~Matcher();

  /// Cheapest first: id, terms and searches in the bytes; the JSON is parsed only when they leave
  /// the answer open. Errors: InvalidArgument when it is then not a JSON object, which no record
  /// of parse_record() or build_record() is.
  [[nodiscard]] Result<bool> matches(const Subject& subject) const;
  [[nodiscard]] Result<bool> matches(const record::Record& record) const;

  /// False only if no record whose JSON stands whole in `bytes` can match: one record, or a block
  /// of many with anything between them. Says so without parsing, at the speed of a memory scan,
  /// from the bytes that the values looked for must leave in a record, however it escapes them.
  [[nodiscard]] bool may_match(std::string_view bytes) const;
  /// False when may_match() is true for all bytes there are: not worth calling.
  [[nodiscard]] bool can_rule_out() const;

  /// What is matched, simplified.
  [[nodiscard]] const Expression& expression() const;

 private:
  class Program;
  std::unique_ptr<const Program> program_;
};

}  // namespace opentrail::search
