#include "base/json_writer.h"

#include "base/json_escape.h"
#include "base/text.h"

namespace opentrail {

void append_json_string(std::string& out, std::string_view text) {
  if (!is_utf8(text)) {
    append_json_string(out, to_valid_utf8(text));
    return;
  }
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

void JsonWriter::separate() {
  if (needs_comma_) {
    text_ += ',';
  }
}

JsonWriter& JsonWriter::open(char c) {
  separate();
  text_ += c;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char c) {
  text_ += c;
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(text_, name);
  text_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  separate();
  append_json_string(text_, value);
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::number(std::int64_t value) { return raw(std::to_string(value)); }

JsonWriter& JsonWriter::boolean(bool value) { return raw(value ? "true" : "false"); }

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  text_ += json;
  needs_comma_ = true;
  return *this;
}

}  // namespace opentrail
