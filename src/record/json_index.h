#pragma once
#include "base/error.h"
#include "record/record.h"

#include <cstdint>
#include <forward_list>
#include <memory>
#include <string>
#include <string_view>

#include <simdjson.h>

/// Internal, as json_document.h: reads a record in one walk, without making a tree of it.
/// simdjson's first stage finds the structural characters and checks strings and UTF-8; the walk
/// over them checks the rest of the grammar. It accepts what JsonDocument::parse accepts (a test
/// and a fuzz target compare the two) in half its time.
namespace opentrail::record {

class JsonIndex {
 public:
  /// The number of a structural character: a bracket, ':', ',', or where a string or another scalar
  /// begins. 0 is the outermost '{', so that as the place of a value it can stand for "absent".
  using At = std::uint32_t;

  /// `json` must outlive this. Like JsonDocument, borrows its thread's parser for small records.
  /// False: not JSON, or not an object; JsonDocument::parse says why.
  [[nodiscard]] bool open(std::string_view json);

  // The checking walk. Each check_* is given where its value begins and returns what stands behind
  // it, or kBroken when it is not well-formed. The place goes from hand to hand, because in a
  // member it would go through memory at each step.

  static constexpr At kBroken = 0;
  /// Calls `on_member(key, at)` for each member; it must check the value and return what is behind.
  template <typename OnMember>
  [[nodiscard]] At check_object(At at, std::size_t depth, OnMember&& on_member);
  [[nodiscard]] At check_value(At at, std::size_t depth) {
    std::string_view raw;
    if (byte(at) == '"' && raw_string(at, raw) && !has_escapes(raw)) [[likely]] {
      return at + 1;
    }
    return check_rare_value(at, depth);
  }
  /// How many structural characters there are: what is behind the whole record.
  [[nodiscard]] At count() const { return count_; }
  /// A number was seen of which only JsonDocument can say whether it fits a machine word.
  [[nodiscard]] bool saw_large_number() const { return saw_large_number_; }

  // Reading what was checked.

  [[nodiscard]] char byte(At at) const { return text_[places_[at]]; }
  /// A string without its escapes, a whole number as its digits; anything else gives "". The view
  /// holds as long as this and the record's bytes.
  [[nodiscard]] std::string_view text(At at);
  [[nodiscard]] bool is(At at, std::string_view literal) const { return scalar(at) == literal; }
  /// Where the value at `at` ends: what stands there is ',', '}' or ']'.
  [[nodiscard]] At behind(At at) const;
  /// Calls `on_member(key, value)` for each member of the object; it returns where the value ends.
  template <typename OnMember>
  At each_member(At object, OnMember&& on_member);
  /// Calls `on_item(value)` for each item of the list; it returns where the value ends.
  template <typename OnItem>
  At each_item(At list, OnItem&& on_item);

 private:
  /// Only white space can stand between the end of a scalar and the next structural character.
  [[nodiscard]] std::size_t end_of(At at) const {
    std::size_t end = places_[at + 1];
    while (is_space(text_[end - 1])) {
      --end;
    }
    return end;
  }
  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
  [[nodiscard]] std::string_view scalar(At at) const {
    return {text_ + places_[at], end_of(at) - places_[at]};
  }
  [[nodiscard]] bool has_escapes(std::string_view raw) const {
    return has_escapes_ && raw.find('\\') != raw.npos;
  }
  /// What stands between the quotes; false when the closing one is not where it must be.
  bool raw_string(At at, std::string_view& raw) const {
    const std::size_t begin = places_[at] + 1;
    const std::size_t end = end_of(at);
    raw = {text_ + begin, end - 1 - begin};
    return end > begin && text_[end - 1] == '"';
  }
  /// simdjson takes this many levels that are not empty.
  [[nodiscard]] static bool is_too_deep(std::size_t depth) { return depth >= kRecordDepthMax; }
  /// Into `to`; false when an escape is not one.
  bool unescape(std::string_view raw, std::string& to) const;
  std::string_view kept(std::string_view text);
  std::string_view key(At at);
  /// Replaces the raw key by what it means.
  bool unescape_key(std::string_view& key);
  At check_rare_value(At at, std::size_t depth);  ///< Whatever is no plain string.
  At check_string(At at);
  At check_list(At at, std::size_t depth);
  At check_scalar(At at);

  const char* text_ = nullptr;
  const std::uint32_t* places_ = nullptr;
  At count_ = 0;
  bool has_escapes_ = false;
  bool saw_large_number_ = false;
  simdjson::dom::parser* parser_ = nullptr;
  std::unique_ptr<simdjson::dom::parser> own_parser_;  ///< Of a large record only.
  std::string key_;                                    ///< The last key that had escapes.
  std::string checked_;                                ///< The last string that was only checked.
  std::forward_list<std::string> texts_;               ///< Strings that had escapes.
};

template <typename OnMember>
JsonIndex::At JsonIndex::check_object(At at, std::size_t depth, OnMember&& on_member) {
  ++at;
  if (byte(at) == '}') {
    return at + 1;
  }
  if (is_too_deep(depth)) {
    return kBroken;
  }
  // The last structural character is a '}' (open() has seen to it), so only behind a '}' can the
  // end be: no other step needs a check of the bound.
  for (;;) {
    std::string_view key;
    if (byte(at) != '"' || !raw_string(at, key) || (has_escapes(key) && !unescape_key(key)) ||
        byte(at + 1) != ':') {
      return kBroken;
    }
    at = on_member(key, at + 2);
    if (at == kBroken || at == count_) {
      return kBroken;
    }
    const char next = byte(at++);
    if (next != ',') {
      return next == '}' ? at : kBroken;
    }
  }
}

template <typename OnMember>
JsonIndex::At JsonIndex::each_member(At object, OnMember&& on_member) {
  At at = object + 1;
  while (byte(at) != '}') {
    const std::string_view name = key(at);
    at = on_member(name, at + 2);
    if (byte(at) == ',') {
      ++at;
    }
  }
  return at + 1;
}

template <typename OnItem>
JsonIndex::At JsonIndex::each_item(At list, OnItem&& on_item) {
  At at = list + 1;
  while (byte(at) != ']') {
    at = on_item(at);
    if (byte(at) == ',') {
      ++at;
    }
  }
  return at + 1;
}

}  // namespace opentrail::record
