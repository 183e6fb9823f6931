#include "record/value_set.h"

#include "record/short_bytes.h"

#include <algorithm>
#include <utility>

namespace opentrail::record {

ValueSet::ValueSet(Kind kind, std::vector<std::string> values) : kind_(kind) {
  std::ranges::sort(values, [this](const auto& a, const auto& b) { return is_before(a, b); });
  for (std::string& value : values) {
    // Whatever begins with a prefix stands right behind it.
    if (values_.empty() || !covers(values_.back(), value)) {
      values_.push_back(std::move(value));
    }
  }
}

bool ValueSet::hits(std::string_view text) const {
  const auto behind = std::ranges::upper_bound(
      values_, text, [this](std::string_view a, std::string_view b) { return is_before(a, b); });
  return behind != values_.begin() && covers(*std::prev(behind), text);
}

bool ValueSet::is_before(std::string_view a, std::string_view b) const {
  switch (kind_) {
    case Kind::Exact:  // any order will do; most values differ in their lengths
      return a.size() != b.size() ? a.size() < b.size() : a < b;
    case Kind::Prefixes:
      return a < b;
    case Kind::Suffixes:
      return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
  }
  return false;
}

bool ValueSet::covers(std::string_view value, std::string_view text) const {
  switch (kind_) {
    case Kind::Exact:
      return equal_short(value, text);
    case Kind::Prefixes:
      return text.starts_with(value);
    case Kind::Suffixes:
      return text.ends_with(value);
  }
  return false;
}

}  // namespace opentrail::record
