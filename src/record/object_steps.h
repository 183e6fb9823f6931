#pragma once
#include "record/splitter.h"

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

/// Internal: the splitter's careful way through one object, which knows what object_scan.h leaves
/// in doubt.
namespace opentrail::record {

inline bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

/// Follows the brackets, strings and outermost member names of one object, a byte at a time.
class ObjectSteps {
 public:
  enum class Event : std::uint8_t {
    None,
    ValueBegins,  ///< The first byte of the value of the outermost member key().
    ValueEnds,    ///< The last byte of that value, when it is an object or an array.
    ObjectEnds,
    Broken,  ///< problem() says how.
  };

  /// Before the object's '{'.
  void start() { *this = ObjectSteps(); }
  /// Behind an outermost value that it was not shown.
  void start_behind_value() {
    start();
    depth_ = 1;
  }
  /// How many of the first bytes of `text` are plain characters of the string that is open.
  [[nodiscard]] std::size_t plain_run(std::string_view text) const {
    if (!in_string_ || escaped_ || in_key_) {
      return 0;
    }
    std::size_t run = 0;
    while (run < text.size() && text[run] != '"' && text[run] != '\\' &&
           static_cast<unsigned char>(text[run]) >= 0x20) {
      ++run;
    }
    return run;
  }

  Event step(char c) {
    if (in_string_) {
      return step_in_string(c);
    }
    if (is_space(c)) {
      return Event::None;
    }
    last_ = c;
    if (value_next_ && depth_ == 1) {
      value_next_ = false;
      const Event opened = step_outside(c);
      return opened == Event::None ? Event::ValueBegins : opened;
    }
    return step_outside(c);
  }

  /// Whether a '{' as the next byte would be no JSON. step() does not ask: what an object holds is
  /// for parse_record to judge.
  [[nodiscard]] bool misplaced_brace() const {
    return depth_ > 0 && !in_string_ && last_ != ':' &&
           !(is_list_[depth_ - 1] && (last_ == '[' || last_ == ','));
  }
  [[nodiscard]] std::string_view key() const { return key_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  /// Names of members that matter are shorter; of a longer name the rest is not kept.
  static constexpr std::size_t kKeyBytesKept = 32;

  Event broken(std::string what) {
    problem_ = std::move(what);
    return Event::Broken;
  }

  Event step_in_string(char c) {
    if (static_cast<unsigned char>(c) < 0x20) {
      return broken(c == '\n' ? "a line break inside a string" : "a control character in a string");
    }
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
      in_key_ = false;
      return Event::None;
    }
    if (in_key_ && key_.size() < kKeyBytesKept) {
      key_ += c;
    }
    return Event::None;
  }

  Event step_outside(char c) {
    switch (c) {
      case '"':
        in_string_ = true;
        in_key_ = depth_ == 1 && key_next_;
        if (in_key_) {
          key_.clear();
          key_next_ = false;
        }
        return Event::None;
      case '{':
      case '[':
        return open(c);
      case '}':
      case ']':
        return close(c);
      case ':':
        value_next_ = depth_ == 1;
        return Event::None;
      case ',':
        key_next_ = key_next_ || depth_ == 1;
        return Event::None;
      default:
        return Event::None;
    }
  }

  Event open(char c) {
    if (depth_ == kSplitDepthMax) {
      return broken(fmt::format("nested deeper than {}", kSplitDepthMax));
    }
    is_list_[depth_++] = c == '[';
    key_next_ = depth_ == 1;
    return Event::None;
  }

  Event close(char c) {
    if (depth_ == 0 || is_list_[depth_ - 1] != (c == ']')) {
      return broken(fmt::format("'{}' closes what it did not open", c));
    }
    --depth_;
    if (depth_ == 0) {
      return Event::ObjectEnds;
    }
    return depth_ == 1 ? Event::ValueEnds : Event::None;
  }

  std::bitset<kSplitDepthMax> is_list_;
  std::size_t depth_ = 0;
  char last_ = '\0';  ///< Byte outside of strings that is no space.
  bool in_string_ = false;
  bool escaped_ = false;
  bool in_key_ = false;
  bool key_next_ = false;
  bool value_next_ = false;
  std::string key_;
  std::string problem_;
};

}  // namespace opentrail::record
