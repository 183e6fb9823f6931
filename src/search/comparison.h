#pragma once
#include "search/expression.h"
#include "search/find_text.h"

#include <optional>
#include <string_view>
#include <vector>

/// One test made ready. Internal to the matcher.
namespace opentrail::search {

/// A test with what it needs to be judged fast.
class Comparison {
 public:
  explicit Comparison(const Test& test);

  [[nodiscard]] const Test& test() const { return test_; }
  /// The comparison alone, with one value of the target.
  [[nodiscard]] bool holds(std::string_view value) const;
  /// As holds(), for what is behind a path.
  [[nodiscard]] bool holds(const record::JsonValue& value) const;
  /// True when a record that passes the test must show it in its bytes.
  [[nodiscard]] bool shows() const { return shows_; }
  /// Of a test that shows: true when nothing in `bytes` passes it.
  [[nodiscard]] bool is_ruled_out_by(std::string_view bytes) const;

 private:
  Test test_;
  std::optional<TextFinder> finder_;        ///< Of the value; of all operators but Exists.
  std::vector<const TextFinder*> escapes_;  ///< By which JSON could spell it otherwise.
  bool shows_ = false;
};

}  // namespace opentrail::search
