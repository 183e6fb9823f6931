#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Internal: whether a text is, begins with or ends with one of many values, in a number of steps
/// that grows with the logarithm of how many there are: a trail may list 500.
namespace opentrail::record {

class ValueSet {
 public:
  enum class Kind : std::uint8_t { Exact, Prefixes, Suffixes };

  ValueSet(Kind kind, std::vector<std::string> values);
  /// True when `text` is one of the values, or has one of them as its beginning or end.
  [[nodiscard]] bool hits(std::string_view text) const;

 private:
  [[nodiscard]] bool is_before(std::string_view a, std::string_view b) const;
  [[nodiscard]] bool covers(std::string_view value, std::string_view text) const;

  Kind kind_;
  /// In the order of is_before(), and none that another one covers: the only value that can cover a
  /// text is then the last one that is not behind it.
  std::vector<std::string> values_;
};

}  // namespace opentrail::record
