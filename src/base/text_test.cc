// Goal: encodings agree with their RFC vectors, round trip, and refuse broken input.
#include "base/text.h"

#include <gtest/gtest.h>

namespace opentrail {
namespace {

TEST(Text, Base64VectorsOfRfc4648) {
  constexpr struct {
    std::string_view raw, encoded;
  } kCases[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"}};
  for (const auto& c : kCases) {
    EXPECT_EQ(to_base64(as_bytes(c.raw)), c.encoded);
    EXPECT_EQ(from_base64(c.encoded), c.raw);
  }
  for (const auto* bad : {"Zg=", "Z===", "Zg==Zg==", "Zm9*", "=Zm9"}) {
    EXPECT_FALSE(from_base64(bad)) << bad;
  }
}

TEST(Text, HexRoundTripsAndRefuses) {
  EXPECT_EQ(to_hex(as_bytes("\x01\xff")), "01ff");
  EXPECT_EQ(from_hex("01FF"), "\x01\xff");
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
}

TEST(Text, UriEncodeAsSigV4WantsIt) {
  EXPECT_EQ(uri_encode("a b/c~*+"), "a%20b%2Fc~%2A%2B");
  EXPECT_EQ(uri_encode("a b/c", true), "a%20b/c");
  EXPECT_EQ(uri_decode("a%20b+c"), "a b+c");
  EXPECT_EQ(uri_decode("a%20b+c", true), "a b c");
  EXPECT_FALSE(uri_decode("a%2"));
  EXPECT_FALSE(uri_decode("a%zz"));
}

TEST(Text, GlobMatches) {
  EXPECT_TRUE(glob_match("arn:aws:s3:::b/*", "arn:aws:s3:::b/AWSLogs/1/x"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("a*b*c", "a-b-b-c"));
  EXPECT_TRUE(glob_match("a?c", "abc"));
  EXPECT_FALSE(glob_match("a?c", "ac"));
  EXPECT_FALSE(glob_match("a*b", "abc"));
  EXPECT_FALSE(glob_match("", "a"));
}

TEST(Text, Utf8IsCheckedCutAndMended) {
  EXPECT_TRUE(is_utf8("gr\xC3\xBC\xC3\x9F"));
  EXPECT_FALSE(is_utf8("\xC0\xAF"));          // overlong
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));      // surrogate
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_EQ(cut_utf8("a\xC3\xBC", 2), "a");
  EXPECT_EQ(to_valid_utf8("a\xFF"), "a\xEF\xBF\xBD");
}

}  // namespace
}  // namespace opentrail
