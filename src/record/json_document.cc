#include "record/json_document.h"

#include "base/text.h"
#include "record/record.h"

#include <fmt/format.h>

namespace opentrail::record {
namespace {

namespace dom = simdjson::dom;

/// Records up to this size share their thread's parser, whose memory grows with its largest input.
constexpr std::size_t kSharedParserBytesMax = 64 << 10;

dom::parser& shared_parser() {
  thread_local const std::unique_ptr<dom::parser> parser = [] {
    auto made = std::make_unique<dom::parser>(kSharedParserBytesMax);
    // An allocation failure ends the process elsewhere; here the first parse reports it.
    [[maybe_unused]] const auto error = made->allocate(kSharedParserBytesMax, kRecordDepthMax);
    return made;
  }();
  return *parser;
}

simdjson::error_code parse_with(dom::parser& parser, std::string_view json, dom::element& root,
                                bool& has_large_numbers) {
  auto error = parser.parse(json.data(), json.size()).get(root);
  has_large_numbers = error == simdjson::NUMBER_ERROR;
  if (has_large_numbers) {
    const std::string shortened = without_large_numbers(json);
    error = parser.parse(shortened.data(), shortened.size()).get(root);
  }
  return error;
}

bool is_number_byte(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

std::size_t count_digits(std::string_view text, std::size_t from) {
  std::size_t at = from;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
    ++at;
  }
  return at - from;
}

/// The end of the string literal that begins at `from`.
std::size_t end_of_string(std::string_view json, std::size_t from) {
  for (std::size_t at = from + 1; at < json.size(); ++at) {
    if (json[at] == '\\') {
      ++at;
    } else if (json[at] == '"') {
      return at + 1;
    }
  }
  return json.size();
}

}  // namespace

bool is_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t whole = count_digits(text, at);
  if (whole == 0 || (whole > 1 && text[at] == '0')) {
    return false;
  }
  at += whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = count_digits(text, ++at);
    if (fraction == 0) {
      return false;
    }
    at += fraction;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
      ++at;
    }
    const std::size_t exponent = count_digits(text, at);
    if (exponent == 0) {
      return false;
    }
    at += exponent;
  }
  return at == text.size();
}

dom::parser* parser_for(std::size_t bytes, std::unique_ptr<dom::parser>& own) {
  if (bytes > kSharedParserBytesMax) {
    own = std::make_unique<dom::parser>();
    return own->allocate(bytes, kRecordDepthMax) == simdjson::SUCCESS ? own.get() : nullptr;
  }
  dom::parser& shared = shared_parser();
  return shared.capacity() >= bytes ? &shared : nullptr;
}

std::string without_large_numbers(std::string_view json) {
  constexpr std::size_t kSafeDigits = 15;  // fits a double and an int64 whatever the digits
  std::string out;
  out.reserve(json.size());
  std::size_t at = 0;
  while (at < json.size()) {
    std::size_t end = at + 1;
    if (json[at] == '"') {
      end = end_of_string(json, at);
    } else if (is_number_byte(json[at])) {
      while (end < json.size() && is_number_byte(json[end])) {
        ++end;
      }
      const std::string_view number = json.substr(at, end - at);
      const bool large = number.size() > kSafeDigits || number.find_first_of("eE") != number.npos;
      if (large && is_number(number)) {
        out += '0';
        at = end;
        continue;
      }
    }
    out.append(json, at, end - at);
    at = end;
  }
  return out;
}

Result<JsonDocument> JsonDocument::parse(std::string_view json) {
  if (json.size() > kRecordBytesMax) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("a record has at most {} bytes, this one has {}", kRecordBytesMax,
                            json.size()));
  }
  JsonDocument document;
  dom::parser* const parser = parser_for(json.size(), document.own_parser_);
  if (parser == nullptr) {
    return fail(ErrorCode::ResourceExhausted, "no memory to parse a record");
  }
  const auto error = parse_with(*parser, json, document.root_, document.has_large_numbers_);
  if (error == simdjson::DEPTH_ERROR) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("the record is nested deeper than {}", kRecordDepthMax));
  }
  if (error != simdjson::SUCCESS) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("the record is not valid JSON: {}", simdjson::error_message(error)));
  }
  if (!document.root_.is_object()) {
    return fail(ErrorCode::InvalidArgument, "the record is not a JSON object");
  }
  return document;
}

bool is_json_value(std::string_view json) {
  dom::parser parser;
  if (parser.allocate(json.size() + 1, kRecordDepthMax - 2) != simdjson::SUCCESS) {
    return false;
  }
  dom::element root;
  bool has_large_numbers = false;
  return parse_with(parser, json, root, has_large_numbers) == simdjson::SUCCESS;
}

std::optional<dom::element> find(const dom::element& from, std::string_view path) {
  dom::element at = from;
  for (const std::string_view name : split(path, '.')) {
    dom::element next;
    if (!at.is_object() || at.at_key(name).get(next) != simdjson::SUCCESS) {
      return std::nullopt;
    }
    at = next;
  }
  return at;
}

std::optional<std::string> scalar_text(const dom::element& value) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    return std::string(text);
  }
  if (value.is_int64()) {
    return fmt::to_string(value.get_int64().value_unsafe());
  }
  if (value.is_uint64()) {
    return fmt::to_string(value.get_uint64().value_unsafe());
  }
  return std::nullopt;
}

std::string text_at(const dom::element& from, std::string_view path) {
  const auto value = find(from, path);
  return value ? scalar_text(*value).value_or(std::string()) : std::string();
}

}  // namespace opentrail::record
