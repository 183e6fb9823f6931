#pragma once
#include "base/error.h"
#include "collect/signed_client.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace opentrail::collect {

/// What the server says about one batch.
struct UploadReply {
  struct Line {
    std::uint64_t line = 0;  ///< Of the body.
    std::string id;
    std::string status;  ///< "Duplicate", "Conflicting", "Expired", "Invalid".
    std::string message;
  };
  std::uint64_t received = 0;
  std::uint64_t added = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t conflicting = 0;
  std::uint64_t expired = 0;
  std::uint64_t invalid = 0;
  std::uint64_t digests = 0;  ///< Not counted as received.
  std::string oldest_kept;
  std::vector<Line> lines;  ///< Those that are not new, the worst first; bounded by the server.
};
/// Sends one body of records. An error ends the import. One thread at a time.
using Upload = std::function<Result<UploadReply>(const std::string& body)>;
/// POST /opentrail/v1/records over `client`, which outlives it; zstd-packed.
[[nodiscard]] Upload make_upload(SignedClient& client);

}  // namespace opentrail::collect
