#pragma once
#include "base/error.h"
#include "objects/embedded_store.h"
#include "services/s3/s3_request.h"
#include "services/service.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

/// The bytes of an upload on their way from the connection to the store.
namespace opentrail::services::s3 {

inline constexpr std::size_t kPieceBytes = 64 << 10;          ///< Held in memory at once.
inline constexpr std::uint64_t kUploadBytesMax = 5ULL << 30;  ///< S3's bound of one request.

/// How a body is framed (header x-amz-content-sha256).
enum class Framing : unsigned char {
  Plain,                  ///< The bytes themselves.
  SignedChunks,           ///< STREAMING-AWS4-HMAC-SHA256-PAYLOAD
  SignedChunksTrailer,    ///< STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
  UnsignedChunksTrailer,  ///< STREAMING-UNSIGNED-PAYLOAD-TRAILER
};

/// What a request's header says of its body.
struct PayloadPlan {
  Framing framing = Framing::Plain;
  objects::ExpectedBytes expected;               ///< What the header alone tells.
  std::vector<std::string> algorithms;           ///< To compute: the client's, or S3's default.
  std::optional<std::string> trailer_algorithm;  ///< Its checksum follows the body.
};

/// Errors: InvalidRequest, InvalidArgument, MissingContentLength, EntityTooLarge, NotImplemented
/// (framings of other signature algorithms).
[[nodiscard]] Result<PayloadPlan> plan_payload(const net::RequestHead& head);

/// Reads the call's body into `writer` and commits it. `bytes_in` counts the bytes as they come,
/// also when it fails. Errors: those of the framing and of ObjectWriter::commit; RequestTimeout and
/// IncompleteBody when the client stops.
asio::awaitable<Result<objects::ObjectInfo>> receive(Call& call, objects::ObjectWriter& writer,
                                                     PayloadPlan plan, asio::thread_pool& workers,
                                                     std::uint64_t& bytes_in);

}  // namespace opentrail::services::s3
