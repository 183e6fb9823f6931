#include "search/lexer.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace opentrail::search {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

void append_utf8(std::string& out, char32_t c) {
  const auto byte = [&out](char32_t bits) { out += static_cast<char>(bits); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | (c >> 6));
    byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | (c >> 12));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | (c >> 18));
    byte(0x80 | ((c >> 12) & 0x3F));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  }
}

/// Marks a wildcard that was just appended to `word`.
void note_star(Word& word, bool last) {
  const bool first = word.text.size() == 1;
  word.star_first |= first;
  word.star_last |= last;
  word.star_inside |= !first && !last;
}

/// What one character after a backslash stands for; '\0' for none.
char simple_escape(char c) {
  switch (c) {
    case '"':
    case '\'':
    case '\\':
    case '/':
    case '*':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return '\0';
  }
}

}  // namespace

void Lexer::skip_blanks() {
  while (!at_end() && is_blank(text_[at_])) {
    ++at_;
  }
}

bool Lexer::accept(std::string_view symbol) {
  if (!text_.substr(at_).starts_with(symbol)) {
    return false;
  }
  at_ += symbol.size();
  return true;
}

bool Lexer::at_word(std::string_view keyword) const {
  Lexer ahead = *this;
  return equals_ignore_case(ahead.read_bare(Place::Name).text, keyword);
}

bool Lexer::accept_word(std::string_view keyword) {
  if (!at_word(keyword)) {
    return false;
  }
  at_ += keyword.size();
  return true;
}

bool Lexer::ends_bare(Place place) const {
  const std::string_view rest = text_.substr(at_);
  if (rest.empty() || is_blank(rest.front()) || std::string_view("(),\"").contains(rest.front()) ||
      rest.starts_with("&&") || rest.starts_with("||")) {
    return true;
  }
  return place == Place::Name &&
         (std::string_view("=!^~<>").contains(rest.front()) || rest.starts_with("$="));
}

Word Lexer::read_bare(Place place) {
  Word word;
  const auto at_quoted_step = [&] {
    return place == Place::Name && peek() == '\'' && word.text.ends_with('.');
  };
  while (!ends_bare(place) && !at_quoted_step()) {
    word.text += text_[at_++];
    if (word.text.back() == '*') {
      note_star(word, ends_bare(place));
    }
  }
  return word;
}

Result<char32_t> Lexer::read_hex() {
  constexpr std::size_t kDigits = 4;
  constexpr int kBase = 16;
  std::uint32_t code = 0;
  const std::string_view digits = text_.substr(at_, kDigits);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), code, kBase);
  if (digits.size() < kDigits || error != std::errc() || end != digits.data() + kDigits) {
    return fail_at(at_, "expected four hexadecimal digits after '\\u', for example \\u002a");
  }
  at_ += kDigits;
  return static_cast<char32_t>(code);
}

/// The backslash has been read.
Result<void> Lexer::read_escape(Word& word) {
  const std::size_t begin = at_ - 1;
  if (!accept("u")) {
    const char plain = simple_escape(peek());
    if (plain == '\0') {
      return fail_at(begin,
                     "no such escape; there are \\\" \\' \\\\ \\* \\/ \\b \\f \\n \\r \\t and "
                     "\\u002a, for example \"C:\\\\temp\"");
    }
    word.text += plain;
    ++at_;
    return {};
  }
  OT_TRY(char32_t code, read_hex());
  if (code >= 0xD800 && code < 0xDC00 && accept("\\u")) {
    OT_TRY(const char32_t low, read_hex());
    if (low < 0xDC00 || low > 0xDFFF) {
      return fail_at(begin, "half of a surrogate pair, for example \\ud83d\\ude00 is whole");
    }
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  } else if (code >= 0xD800 && code <= 0xDFFF) {
    return fail_at(begin, "half of a surrogate pair, for example \\ud83d\\ude00 is whole");
  }
  append_utf8(word.text, code);
  return {};
}

Result<Word> Lexer::read_quoted() {
  constexpr unsigned char kFirstPlain = 0x20;
  const std::size_t begin = at_;
  const char quote = text_[at_++];
  Word word{.text = {}, .quoted = true};
  while (!at_end() && text_[at_] != quote) {
    const char c = text_[at_++];
    if (c == '\\') {
      OT_TRY_DO(read_escape(word));
      continue;
    }
    if (static_cast<unsigned char>(c) < kFirstPlain) {
      return fail_at(at_ - 1, "a control character is written as an escape, for example \\n");
    }
    word.text += c;
    if (c == '*') {
      note_star(word, peek() == quote);
    }
  }
  if (at_end()) {
    return fail_at(begin, fmt::format("expected a closing {0} for the one here, for example "
                                      "eventName = {0}CreateTrail{0}",
                                      quote));
  }
  ++at_;
  return word;
}

std::unexpected<Error> Lexer::fail_at(std::size_t position, std::string message) const {
  const auto before = text_.substr(0, position);
  const auto characters =
      before.size() - static_cast<std::size_t>(std::ranges::count_if(before, is_continuation));
  return fail(ErrorCode::InvalidArgument, fmt::format("at {}: {}", characters + 1, message));
}

std::string Lexer::shown_at(std::size_t position) const {
  constexpr std::size_t kShownBytesMax = 40;
  Lexer ahead = *this;
  ahead.go_to(position);
  ahead.skip_blanks();
  if (ahead.at_end()) {
    return "the end";
  }
  const std::string word = ahead.read_bare(Place::Name).text;
  return word.empty() ? fmt::format("'{}'", ahead.peek())
                      : fmt::format("'{}'", cut_utf8(word, kShownBytesMax));
}

}  // namespace opentrail::search
