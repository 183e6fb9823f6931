#include "objects/bucket_name.h"

#include "base/text.h"

#include <algorithm>

namespace opentrail::objects {
namespace {

constexpr std::size_t kNameBytesMin = 3;
constexpr std::size_t kNameBytesMax = 63;

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool looks_like_address(std::string_view name) {
  const auto labels = split(name, '.');
  return labels.size() == 4 && std::ranges::all_of(labels, [](std::string_view label) {
           return !label.empty() && is_digits(label);
         });
}

}  // namespace

bool is_bucket_name(std::string_view name) {
  if (name.size() < kNameBytesMin || name.size() > kNameBytesMax) {
    return false;
  }
  if (!is_letter_or_digit(name.front()) || !is_letter_or_digit(name.back())) {
    return false;
  }
  char before = 'a';
  for (const char c : name) {
    if (!is_letter_or_digit(c) && c != '.' && c != '-') {
      return false;
    }
    const bool dot_beside_mark =
        (before == '.' && (c == '.' || c == '-')) || (before == '-' && c == '.');
    if (dot_beside_mark) {
      return false;
    }
    before = c;
  }
  return !looks_like_address(name);
}

}  // namespace opentrail::objects
