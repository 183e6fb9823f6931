// Goal: every character that JSON wants escaped is, wherever it stands, and nothing else changes.
#include "base/json_escape.h"

#include <random>

#include <gtest/gtest.h>

namespace opentrail {
namespace {

/// One character after the other, as RFC 8259 §7 has it.
std::string escaped_slowly(std::string_view text) {
  std::string out;
  for (const char c : text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out += {'\\', c == '\n' ? 'n' : c == '\r' ? 'r' : 't'};
    } else if (byte < 0x20) {
      out += std::string("\\u00") + kHex[byte / 16] + kHex[byte % 16];
    } else {
      out += c;
    }
  }
  return out;
}

std::string escaped(std::string_view text) {
  std::string out = "before ";
  append_json_escaped(out, text);
  EXPECT_TRUE(out.starts_with("before "));
  return out.substr(7);
}

TEST(JsonEscape, EscapesEveryByteAtEveryPlace) {
  for (std::size_t at = 0; at < 40; ++at) {
    for (int c = 0; c < 256; ++c) {
      std::string text(40, 'x');
      text[at] = static_cast<char>(c);
      ASSERT_EQ(escaped(text), escaped_slowly(text)) << "byte " << c << " at " << at;
    }
  }
}

TEST(JsonEscape, EscapesTextOfAnyLengthAndMixture) {
  constexpr unsigned kSeed = 20261126;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  constexpr std::string_view kLetters = "\"\"\"\\\\\n\x01 abc{}:,\xC3\xA9";
  for (int i = 0; i < 3000; ++i) {
    std::string text(random() % 1500, ' ');
    for (char& c : text) {
      c = kLetters[random() % kLetters.size()];
    }
    ASSERT_EQ(escaped(text), escaped_slowly(text)) << text;
  }
  const std::string quotes(5000, '"');
  EXPECT_EQ(escaped(quotes), escaped_slowly(quotes));
  const std::string controls(5000, '\x02');
  EXPECT_EQ(escaped(controls), escaped_slowly(controls));
}

}  // namespace
}  // namespace opentrail
