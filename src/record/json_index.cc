#include "record/json_index.h"

#include "record/json_document.h"
#include "record/record.h"

#include <algorithm>

namespace opentrail::record {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

/// Numbers up to this length without an exponent fit a double and an int64 whatever the digits.
constexpr std::size_t kSafeNumberBytes = 15;

bool is_whole(std::string_view number) { return number.find_first_of(".eE") == number.npos; }

}  // namespace

bool is_too_deep(std::size_t depth) { return depth >= kRecordDepthMax; }

bool JsonIndex::open(std::string_view json) {
  at_ = 0;
  saw_large_number_ = false;
  text_ = json.data();
  parser_ = parser_for(json.size(), own_parser_);
  if (parser_ == nullptr) {
    return false;
  }
  auto& stages = *parser_->implementation;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(json.data());
  if (stages.stage1(bytes, json.size(), simdjson::stage1_mode::regular) != simdjson::SUCCESS) {
    return false;
  }
  places_ = stages.structural_indexes.get();
  count_ = stages.n_structural_indexes;
  has_escapes_ = json.find('\\') != json.npos;
  return count_ >= 2 && byte(0) == '{' && byte(count_ - 1) == '}';
}

/// Only white space can stand between the end of a scalar and the next structural character.
std::size_t JsonIndex::end_of(At at) const {
  std::size_t end = places_[at + 1];
  while (is_space(text_[end - 1])) {
    --end;
  }
  return end;
}

bool JsonIndex::raw_string(At at, std::string_view& raw) const {
  const std::size_t begin = places_[at] + 1;
  const std::size_t end = end_of(at);
  if (end <= begin || text_[end - 1] != '"') {
    return false;
  }
  raw = {text_ + begin, end - 1 - begin};
  return true;
}

bool JsonIndex::unescape(std::string_view raw, std::string& to) const {
  std::string padded;  // simdjson reads on behind the closing quote
  padded.reserve(raw.size() + 1 + simdjson::SIMDJSON_PADDING);
  padded.append(raw).append(1, '"').append(simdjson::SIMDJSON_PADDING, ' ');
  to.resize(raw.size() + simdjson::SIMDJSON_PADDING);
  auto* const begin = reinterpret_cast<std::uint8_t*>(to.data());
  const auto* const end = parser_->implementation->parse_string(
      reinterpret_cast<const std::uint8_t*>(padded.data()), begin);
  if (end == nullptr) {
    return false;
  }
  to.resize(static_cast<std::size_t>(end - begin));
  return true;
}

bool JsonIndex::check_key(std::string_view& key) {
  if (byte(at_) != '"' || !raw_string(at_, key)) {
    return false;
  }
  if (has_escapes(key)) {
    if (!unescape(key, key_)) {
      return false;
    }
    key = key_;
  }
  ++at_;
  return byte(at_++) == ':';
}

std::string_view JsonIndex::key(At at) {
  std::string_view raw;
  if (raw_string(at, raw) && has_escapes(raw) && unescape(raw, key_)) {
    return key_;
  }
  return raw;
}

bool JsonIndex::check_string() {
  std::string_view raw;
  if (!raw_string(at_, raw)) {
    return false;
  }
  ++at_;
  return !has_escapes(raw) || unescape(raw, checked_);
}

bool JsonIndex::check_scalar() {
  const std::string_view value = scalar(at_);
  ++at_;
  if (value == "null" || value == "true" || value == "false") {
    return true;
  }
  if (!is_number(value)) {
    return false;
  }
  saw_large_number_ = saw_large_number_ || value.size() > kSafeNumberBytes ||
                      value.find_first_of("eE") != value.npos;
  return true;
}

bool JsonIndex::check_list(std::size_t depth) {
  ++at_;
  if (byte(at_) == ']') {
    ++at_;
    return true;
  }
  if (is_too_deep(depth)) {
    return false;
  }
  for (;;) {
    if (!check_value(depth + 1) || at_end()) {
      return false;
    }
    const char next = byte(at_++);
    if (next != ',') {
      return next == ']';
    }
  }
}

bool JsonIndex::check_value(std::size_t depth) {
  switch (byte(at_)) {
    case '"':
      return check_string();
    case '{':
      return check_object(depth,
                          [this, depth](std::string_view) { return check_value(depth + 1); });
    case '[':
      return check_list(depth);
    default:
      return check_scalar();
  }
}

std::string_view JsonIndex::text(At at) {
  if (byte(at) == '"') {
    std::string_view raw;
    if (raw_string(at, raw) && has_escapes(raw)) {
      return unescape(raw, checked_) ? kept(checked_) : std::string_view();
    }
    return raw;
  }
  const char first = byte(at);
  if (first != '-' && (first < '0' || first > '9')) {
    return {};
  }
  const std::string_view number = scalar(at);
  if (!is_whole(number)) {
    return {};
  }
  return number == "-0" ? number.substr(1) : number;
}

/// The same text is kept once, so that no list of them makes a record cost more than it should.
std::string_view JsonIndex::kept(std::string_view text) {
  const auto at = std::ranges::find(texts_, text);
  return at != texts_.end() ? *at : texts_.emplace_front(text);
}

JsonIndex::At JsonIndex::behind(At at) const {
  std::size_t open = 0;
  for (;;) {
    const char c = byte(at++);
    if (c == '{' || c == '[') {
      ++open;
    } else if (c == '}' || c == ']') {
      --open;
    }
    if (open == 0) {
      return at;
    }
  }
}

}  // namespace opentrail::record
