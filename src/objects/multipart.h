#pragma once
#include "objects/embedded_store.h"
#include "objects/object_index.h"

#include <cstdint>
#include <string>
#include <vector>

/// The rules of multipart uploads. Pure. Internal to objects. Source: S3 User Guide, "Amazon S3
/// multipart upload limits"; S3 API reference, CompleteMultipartUpload.
namespace opentrail::objects {

inline constexpr int kPartNumberMax = 10000;
inline constexpr std::uint64_t kPartBytesMin = std::uint64_t{5} << 20;    ///< Not of the last one.
inline constexpr std::uint64_t kObjectBytesMax = std::uint64_t{5} << 40;  ///< 5 TiB.

/// InvalidArgument.
[[nodiscard]] Result<void> check_part_number(int number);
/// InvalidRequest when it is neither empty nor one of the two types.
[[nodiscard]] Result<void> check_checksum_type(const std::string& type);

/// Decides what object an upload becomes: `wanted` is what the client lists, `stored` what came in.
/// `id` and `now` are those of the new object. Errors: MalformedXML (no parts), InvalidPartOrder,
/// InvalidPart, EntityTooSmall, EntityTooLarge.
[[nodiscard]] Result<Completion> complete(const Upload& upload,
                                          const std::vector<StoredPart>& stored,
                                          const std::vector<CompletedPart>& wanted, std::string id,
                                          Timestamp now);

}  // namespace opentrail::objects
