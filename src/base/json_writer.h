#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace opentrail {

/// Appends `text` as a JSON string, quotes included. Control characters, quotes and backslashes
/// are escaped; ill-formed UTF-8 becomes U+FFFD, so the output is always valid JSON.
void append_json_string(std::string& out, std::string_view text);

/// Writes compact JSON in the order of the calls: records, digests and log files are compared byte
/// for byte, so key order matters. The caller keeps begin/end balanced.
///
///   JsonWriter w;
///   w.begin_object().key("a").string("x").key("b").boolean(true).end_object();
///   w.text()  ->  {"a":"x","b":true}
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view value);
  JsonWriter& number(std::int64_t value);
  JsonWriter& boolean(bool value);
  JsonWriter& null() { return raw("null"); }
  /// `json` must be one complete JSON value; it is written as it is.
  JsonWriter& raw(std::string_view json);

  /// key + string, the most frequent pair.
  JsonWriter& field(std::string_view name, std::string_view value) {
    return key(name).string(value);
  }
  /// The same, left out when `value` is empty.
  JsonWriter& optional_field(std::string_view name, std::string_view value) {
    return value.empty() ? *this : field(name, value);
  }

  void reserve(std::size_t bytes) { text_.reserve(bytes); }
  [[nodiscard]] const std::string& text() const& { return text_; }
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  JsonWriter& open(char c);
  JsonWriter& close(char c);
  void separate();

  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace opentrail
