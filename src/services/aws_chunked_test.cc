// Goal: what the decoder hands out is what was signed, whatever pieces it comes in; everything else
// is refused. Method: the streams of the S3 API reference, cut at every kind of place, and each of
// their parts broken in turn.
#include "services/aws_chunked.h"

#include <gtest/gtest.h>

namespace opentrail::services {
namespace {

namespace sigv4 = crypto::sigv4;

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const std::string kData = std::string(65536 + 1024, 'a');

sigv4::ChunkVerifier verifier(std::string_view seed_signature) {
  sigv4::Claim claim;
  claim.scope = {"20130524", "us-east-1", "s3"};
  claim.amz_date = "20130524T000000Z";
  claim.signature = seed_signature;
  return {sigv4::signing_key(kSecret, claim.scope), claim};
}

AwsChunkedDecoder signed_decoder() {
  return {false, verifier("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")};
}
AwsChunkedDecoder trailer_decoder() {
  return {true, verifier("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e")};
}
AwsChunkedDecoder unsigned_decoder() { return {true, std::nullopt}; }

std::string signed_chunk(std::string_view size, std::string_view signature, std::size_t bytes) {
  return std::string(size) + ";chunk-signature=" + std::string(signature) + "\r\n" +
         std::string(bytes, 'a') + (bytes > 0 ? "\r\n" : "");
}

// S3 API reference, "Signature calculations: transferring payload in multiple chunks".
std::string documented_stream() {
  return signed_chunk("10000", "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
                      65536) +
         signed_chunk("400", "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
                      1024) +
         signed_chunk("0", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", 0) +
         "\r\n";
}

// The same with trailing headers; `between` stands between the trailer and its signature.
std::string documented_trailer_stream(std::string_view between = "\r\n") {
  return signed_chunk("10000", "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
                      65536) +
         signed_chunk("400", "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
                      1024) +
         signed_chunk("0", "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992", 0) +
         "x-amz-checksum-crc32c:sOO8/Q==" + std::string(between) +
         "x-amz-trailer-signature:"
         "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
}

Result<std::string> decode(AwsChunkedDecoder& decoder, std::string_view body,
                           std::size_t piece_bytes) {
  std::string output;
  for (std::size_t at = 0; at < body.size(); at += piece_bytes) {
    OT_TRY_DO(decoder.decode(body.substr(at, piece_bytes), output));
  }
  OT_TRY_DO(decoder.finish());
  return output;
}

std::string refusal(AwsChunkedDecoder decoder, std::string_view body) {
  const auto decoded = decode(decoder, body, 4096);
  return decoded ? "accepted" : decoded.error().reason();
}

TEST(AwsChunked, DocumentedStreamInPiecesOfAnySize) {
  for (const std::size_t piece : {1UL, 2UL, 7UL, 1000UL, 65536UL, 1UL << 20}) {
    AwsChunkedDecoder decoder = signed_decoder();
    const auto decoded = decode(decoder, documented_stream(), piece);
    ASSERT_TRUE(decoded.has_value()) << piece << ": " << decoded.error().message();
    EXPECT_TRUE(*decoded == kData) << piece;
    EXPECT_TRUE(decoder.trailers().empty());
  }
}

TEST(AwsChunked, DocumentedTrailer) {
  // SDKs send CR LF; AWS's own example has LF, and an empty line before the signature.
  for (const std::string_view between : {"\r\n", "\n", "\n\r\n"}) {
    AwsChunkedDecoder decoder = trailer_decoder();
    const auto decoded = decode(decoder, documented_trailer_stream(between), 13);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message();
    EXPECT_TRUE(*decoded == kData);
    EXPECT_EQ(decoder.trailers(),
              (AwsChunkedDecoder::Trailers{{"x-amz-checksum-crc32c", "sOO8/Q=="}}));
  }
}

TEST(AwsChunked, UnsignedStream) {
  AwsChunkedDecoder decoder = unsigned_decoder();
  const auto decoded = decode(
      decoder, "5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Amz-Checksum-CRC32: AAAA \r\n\r\n", 3);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message();
  EXPECT_EQ(*decoded, "hello world");
  EXPECT_EQ(decoder.trailers(), (AwsChunkedDecoder::Trailers{{"x-amz-checksum-crc32", "AAAA"}}));
}

TEST(AwsChunked, ChangedBytesAreRefused) {
  const std::string stream = documented_stream();
  for (const std::size_t at : {200UL, 66000UL}) {
    std::string changed = stream;
    changed[at] = 'b';
    EXPECT_EQ(refusal(signed_decoder(), changed), "SignatureDoesNotMatch") << at;
  }
  std::string changed = stream;
  changed[25] = changed[25] == '0' ? '1' : '0';  // within the first chunk's signature
  EXPECT_EQ(refusal(signed_decoder(), changed), "SignatureDoesNotMatch");
}

TEST(AwsChunked, ChunksCannotBeLeftOutOrCutOff) {
  const std::string stream = documented_stream();
  const std::size_t second = stream.find("400;");
  const std::size_t last = stream.find("\r\n0;") + 2;
  EXPECT_EQ(refusal(signed_decoder(), stream.substr(second)), "SignatureDoesNotMatch");
  EXPECT_EQ(refusal(signed_decoder(), stream.substr(0, second) + stream.substr(last)),
            "SignatureDoesNotMatch");
  EXPECT_EQ(refusal(signed_decoder(), stream.substr(0, last)), "IncompleteBody");
  EXPECT_EQ(refusal(signed_decoder(), stream.substr(0, second - 10)), "IncompleteBody");
  EXPECT_EQ(refusal(signed_decoder(), ""), "IncompleteBody");
}

TEST(AwsChunked, ChangedTrailerIsRefused) {
  std::string changed = documented_trailer_stream();
  changed.replace(changed.find("sOO8"), 4, "sOO9");
  EXPECT_EQ(refusal(trailer_decoder(), changed), "SignatureDoesNotMatch");
  std::string bare = documented_trailer_stream();
  bare.resize(bare.find("x-amz-trailer-signature"));
  EXPECT_EQ(refusal(trailer_decoder(), bare + "\r\n"), "IncompleteBody");
  EXPECT_EQ(refusal(trailer_decoder(), bare + "\r\n\r\n"), "MalformedTrailerError");
  bare.resize(bare.find("x-amz-checksum"));
  EXPECT_EQ(refusal(trailer_decoder(), bare + "\r\n"), "MalformedTrailerError");
  EXPECT_EQ(refusal(trailer_decoder(), documented_trailer_stream() + "x"), "InvalidRequest");
}

TEST(AwsChunked, BrokenFramingIsRefused) {
  const std::string long_line(kChunkLineBytesMax + 1, '0');
  const std::pair<std::string, std::string> cases[] = {
      {"\r\n", "InvalidRequest"},
      {"g\r\n", "InvalidRequest"},
      {"-1\r\n", "InvalidRequest"},
      {"0x5\r\nhello\r\n0\r\n\r\n", "InvalidRequest"},
      {"ffffffffffffffff\r\n", "InvalidRequest"},
      {"5\nhello\r\n0\r\n\r\n", "InvalidRequest"},
      {"5\r\nhello!\r\n0\r\n\r\n", "InvalidRequest"},
      {"5\r\nhello\n0\r\n\r\n", "InvalidRequest"},
      {"5;a=b\r\nhello\r\n0\r\n\r\n", "InvalidRequest"},
      {long_line, "InvalidRequest"},
      {"0\r\nno colon\r\n\r\n", "MalformedTrailerError"},
      {"0\r\n:x\r\n\r\n", "MalformedTrailerError"},
      {"0\r\nx-amz-trailer-signature:00\r\n\r\n", "MalformedTrailerError"},
      {"0\r\na:1\r\nb:2\r\nc:3\r\nd:4\r\ne:5\r\nf:6\r\ng:7\r\nh:8\r\ni:9\r\n\r\n",
       "MalformedTrailerError"},
      {"0\r\n\r\n0\r\n\r\n", "InvalidRequest"},
  };
  for (const auto& [body, reason] : cases) {
    EXPECT_EQ(refusal(unsigned_decoder(), body), reason) << body;
  }
  EXPECT_EQ(refusal(signed_decoder(), "5\r\nhello\r\n"), "InvalidRequest");
  EXPECT_EQ(refusal(signed_decoder(), "5;chunk-signature=00\r\nhello\r\n"), "InvalidRequest");
  AwsChunkedDecoder without_trailer(false, std::nullopt);
  EXPECT_EQ(refusal(std::move(without_trailer), "0\r\na:1\r\n\r\n"), "MalformedTrailerError");
}

}  // namespace
}  // namespace opentrail::services
