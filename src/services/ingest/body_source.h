#pragma once
#include "base/error.h"
#include "collect/unpack.h"
#include "services/aws_chunked.h"
#include "services/ingest/import_batch.h"
#include "services/service.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

namespace opentrail::services::ingest {

/// Whether the body is read by the service, piece by piece, because its header says how it is
/// signed: x-amz-content-sha256 is UNSIGNED-PAYLOAD or one of the STREAMING- forms. Any other body
/// is held until its hash is known, which the signature covers.
[[nodiscard]] bool is_streamed(const net::RequestHead& head);
/// The coding of what the body holds. Errors: Unsupported.
[[nodiscard]] Result<collect::Coding> coding_of(const net::RequestHead& head);
/// What is wrong with the way a body is streamed: a form that is not offered, or bytes that nothing
/// protects on their way (unsigned, without TLS, and not from this machine).
[[nodiscard]] std::optional<ApiError> streaming_error(const net::RequestHead& head);

/// The bytes of a call's body, none before their signature was checked. On the connection's thread
/// read(), on any then take(); one at a time.
class BodySource {
 public:
  /// Both outlive it. The body's head was accepted by streaming_error().
  BodySource(Call& call, const ImportLimits& limits);

  /// Reads the next piece; false at the end of the body. A piece of a slow stream is small: it is
  /// handed on when it is ImportLimits::batch_age_max old. Errors: Timeout, Unavailable (the client
  /// went away), InvalidArgument.
  asio::awaitable<Result<bool>> read();
  /// What may be used by now and was not taken before; valid until the next read(). Computes.
  /// Errors: S3's for broken framing and wrong signatures, with the code in reason();
  /// ResourceExhausted for a chunk that is too large.
  [[nodiscard]] Result<std::string_view> take();
  /// The end of the body: errors when the framing is not at its end, or the length is not what the
  /// header says.
  [[nodiscard]] Result<void> finish() const;
  /// Nothing is left to be read.
  [[nodiscard]] bool ended() const { return ended_ || !streamed_; }

 private:
  Call& call_;
  const ImportLimits& limits_;
  const bool streamed_;
  std::optional<AwsChunkedDecoder> decoder_;
  std::string buffer_;
  std::string_view piece_;  ///< Read, not taken.
  std::string data_;        ///< Out of the framing; from `taken_` on it was not taken.
  std::size_t taken_ = 0;
  std::uint64_t taken_before_ = 0;  ///< Of what is not in `data_` any more.
  std::optional<Error> broken_;
  bool ended_ = false;
};

}  // namespace opentrail::services::ingest
