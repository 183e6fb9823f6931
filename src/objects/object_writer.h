#pragma once
#include "objects/checksums.h"
#include "objects/embedded_store.h"
#include "objects/store_parts.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// New objects and parts while their bytes come in. Internal to objects.
namespace opentrail::objects {

inline constexpr std::uint64_t kPutBytesMax = std::uint64_t{5} << 30;  ///< S3: 5 GiB a request.

/// Puts a blob whose bytes are durable into the index. An error with a reason() says that the index
/// certainly does not refer to the blob; without one nobody knows.
using Place = std::function<Result<ObjectInfo>(const Digester& digester, const Blob& blob,
                                               const ExpectedBytes& expected)>;

/// `algorithms` must be known ones.
Result<std::unique_ptr<ObjectWriter>> make_object_writer(std::shared_ptr<StoreParts> parts,
                                                         const std::vector<std::string>& algorithms,
                                                         Place place);

/// ETag of bytes that came in one piece, with quotes.
[[nodiscard]] std::string single_etag(const Digester& digester);

}  // namespace opentrail::objects
