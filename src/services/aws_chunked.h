#pragma once
#include "base/error.h"
#include "crypto/hash.h"
#include "crypto/sigv4.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace opentrail::services {

inline constexpr std::size_t kChunkLineBytesMax = 1 << 10;  ///< Chunk header or trailer line.
inline constexpr std::size_t kTrailersMax = 8;

/// A Content-Encoding without "aws-chunked", which is the framing of the upload and no coding of
/// what is uploaded: "aws-chunked, gzip" becomes "gzip".
[[nodiscard]] std::string without_aws_chunked(std::string_view content_encoding);

/// Decodes the aws-chunked framing of an upload's body, piece by piece:
///   hex-size[;chunk-signature=64 hex]CRLF data CRLF ... 0[;chunk-signature=...]CRLF
///   [name:value CRLF ... x-amz-trailer-signature:64 hex CRLF] CRLF
/// Source: S3 API reference, "Signature calculations: transferring payload in multiple chunks" and
/// "... including trailing headers". Memory is one line. Bytes are handed out before the signature
/// of their chunk was seen; nothing may be made of them before finish() succeeds, or they are among
/// the verified_bytes().
/// Errors carry S3's code in reason(); after one the decoder must not be used again.
class AwsChunkedDecoder {
 public:
  using Trailers = std::vector<std::pair<std::string, std::string>>;

  /// `verifier`: present when the chunks (and the trailer) are signed.
  AwsChunkedDecoder(bool has_trailer, std::optional<crypto::sigv4::ChunkVerifier> verifier);

  /// Appends the data bytes within `input` to `output`. Errors: InvalidRequest (broken framing),
  /// SignatureDoesNotMatch, MalformedTrailerError.
  Result<void> decode(std::string_view input, std::string& output);
  /// Call at the end of the body. IncompleteBody when the framing is not at its end.
  [[nodiscard]] Result<void> finish() const;

  /// So many of the bytes handed out, from the first on, are of whole chunks whose signature holds
  /// (unsigned bodies: of whole chunks).
  [[nodiscard]] std::uint64_t verified_bytes() const { return verified_bytes_; }

  /// Names in lower case, values trimmed, in order; complete once finish() succeeds.
  [[nodiscard]] const Trailers& trailers() const { return trailers_; }

 private:
  enum class State : unsigned char { ChunkHeader, Data, DataEnd, Trailer, Done };

  Result<void> take_line(std::string_view line);
  Result<void> take_chunk_header(std::string_view line);
  Result<void> take_data_end(std::string_view line);
  Result<void> take_trailer(std::string_view line);
  Result<void> take_trailer_signature(std::string_view signature);
  [[nodiscard]] Result<void> end_trailer();
  void take_data(std::string_view& input, std::string& output);
  Result<void> verify_chunk();

  bool has_trailer_;
  std::optional<crypto::sigv4::ChunkVerifier> verifier_;
  State state_ = State::ChunkHeader;
  std::string line_;
  std::uint64_t chunk_left_ = 0;
  std::uint64_t data_bytes_ = 0;
  std::uint64_t verified_bytes_ = 0;
  std::string chunk_signature_;
  crypto::Hasher chunk_hash_{crypto::HashKind::Sha256};
  Trailers trailers_;
  bool trailer_gap_ = false;  ///< An empty line was seen in it.
  bool trailer_verified_ = false;
};

}  // namespace opentrail::services
