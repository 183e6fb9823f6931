// Property: the decoder never crashes, its verdict and its bytes do not depend on how the body was
// cut into pieces, and it hands out fewer bytes than it was given; a signed body of unknown
// signatures is never accepted.
// Input: one byte that chooses the form and the size of the pieces, then the body.
#include "services/aws_chunked.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace sigv4 = opentrail::crypto::sigv4;
using opentrail::services::AwsChunkedDecoder;

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

struct Decoded {
  bool accepted = false;
  std::string bytes;
  AwsChunkedDecoder::Trailers trailers;
};

AwsChunkedDecoder make_decoder(bool has_trailer, bool is_signed) {
  std::optional<sigv4::ChunkVerifier> verifier;
  if (is_signed) {
    sigv4::Claim claim;
    claim.scope = {"20130524", "us-east-1", "s3"};
    claim.amz_date = "20130524T000000Z";
    verifier.emplace("a key that the input cannot know", claim);
  }
  return {has_trailer, std::move(verifier)};
}

Decoded decode(AwsChunkedDecoder decoder, std::string_view body, std::size_t piece_bytes) {
  Decoded decoded;
  while (!body.empty()) {
    const std::string_view piece = body.substr(0, piece_bytes);
    const auto step = decoder.decode(piece, decoded.bytes);
    if (!step) {
      require(!step.error().reason().empty());
      return {};
    }
    body.remove_prefix(piece.size());
  }
  decoded.accepted = decoder.finish().has_value();
  decoded.trailers = decoder.trailers();
  return decoded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr unsigned kTrailerBit = 1;
  constexpr unsigned kSignedBit = 2;
  constexpr unsigned kPieceShift = 2;
  if (size == 0) {
    return 0;
  }
  const unsigned choice = data[0];
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool has_trailer = (choice & kTrailerBit) != 0;
  const bool is_signed = (choice & kSignedBit) != 0;
  const Decoded whole = decode(make_decoder(has_trailer, is_signed), body, body.size() + 1);
  const Decoded pieces =
      decode(make_decoder(has_trailer, is_signed), body, 1 + (choice >> kPieceShift));
  require(whole.accepted == pieces.accepted);
  require(!whole.accepted || (whole.bytes == pieces.bytes && whole.trailers == pieces.trailers));
  require(!whole.accepted || whole.bytes.size() < body.size());
  require(!(is_signed && whole.accepted));
  return 0;
}
