#include "record/json_index.h"

#include "record/json_document.h"
#include "record/record.h"
#include "record/short_bytes.h"

#include <algorithm>

namespace opentrail::record {
namespace {

/// Numbers up to this length without an exponent fit a double and an int64 whatever the digits.
constexpr std::size_t kSafeNumberBytes = 15;

bool is_whole(std::string_view number) { return number.find_first_of(".eE") == number.npos; }

}  // namespace

bool JsonIndex::open(std::string_view json) {
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

bool JsonIndex::unescape_key(std::string_view& key) {
  const bool done = unescape(key, key_);
  key = key_;
  return done;
}

std::string_view JsonIndex::key(At at) {
  std::string_view raw;
  if (raw_string(at, raw) && has_escapes(raw) && unescape(raw, key_)) {
    return key_;
  }
  return raw;
}

JsonIndex::At JsonIndex::check_string(At at) {
  std::string_view raw;
  if (!raw_string(at, raw) || (has_escapes(raw) && !unescape(raw, checked_))) {
    return kBroken;
  }
  return at + 1;
}

JsonIndex::At JsonIndex::check_scalar(At at) {
  const std::string_view value = scalar(at);
  switch (value.front()) {
    case 'n':
      return equal_short(value, "null") ? at + 1 : kBroken;
    case 't':
      return equal_short(value, "true") ? at + 1 : kBroken;
    case 'f':
      return equal_short(value, "false") ? at + 1 : kBroken;
    default:
      break;
  }
  if (!is_number(value)) {
    return kBroken;
  }
  saw_large_number_ = saw_large_number_ || value.size() > kSafeNumberBytes ||
                      value.find_first_of("eE") != value.npos;
  return at + 1;
}

JsonIndex::At JsonIndex::check_list(At at, std::size_t depth) {
  ++at;
  if (byte(at) == ']') {
    return at + 1;
  }
  if (is_too_deep(depth)) {
    return kBroken;
  }
  for (;;) {
    at = check_value(at, depth + 1);
    if (at == kBroken || at == count_) {
      return kBroken;
    }
    const char next = byte(at++);
    if (next != ',') {
      return next == ']' ? at : kBroken;
    }
  }
}

JsonIndex::At JsonIndex::check_rare_value(At at, std::size_t depth) {
  switch (byte(at)) {
    case '"':
      return check_string(at);
    case '{':
      return check_object(at, depth, [this, depth](std::string_view, At value) {
        return check_value(value, depth + 1);
      });
    case '[':
      return check_list(at, depth);
    default:
      return check_scalar(at);
  }
}

std::string_view JsonIndex::rare_text(At at) {
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
