#pragma once
#include "base/error.h"
#include "net/http.h"
#include "objects/embedded_store.h"

#include <optional>
#include <string>
#include <string_view>

/// The words of S3's checksums on the wire. Algorithms are named in lower case inside.
/// Source: S3 User Guide, "Checking object integrity".
namespace opentrail::services::s3 {

inline constexpr std::string_view kChecksumAlgorithms[] = {"crc32", "crc32c", "crc64nvme", "sha1",
                                                           "sha256"};
/// What S3 computes when the client asks for nothing.
inline constexpr std::string_view kDefaultAlgorithm = "crc64nvme";

/// "x-amz-checksum-crc32c" -> "crc32c"; absent for other headers.
[[nodiscard]] std::optional<std::string> checksum_algorithm_of_header(std::string_view name);
/// "crc32c" -> "ChecksumCRC32C", the XML element.
[[nodiscard]] std::string checksum_element(std::string_view algorithm);
/// "CRC32C" in any case -> "crc32c". InvalidRequest when it is not an algorithm.
[[nodiscard]] Result<std::string> parse_algorithm(std::string_view text);

/// The checksums in a request's header, at most one. InvalidRequest when there are more, or when
/// x-amz-sdk-checksum-algorithm names another one.
[[nodiscard]] Result<objects::Checksums> sent_checksums(const net::Headers& headers);

/// Adds x-amz-checksum-* and x-amz-checksum-type of an object or part to an answer.
void add_checksum_headers(const objects::Checksums& checksums, std::string_view type,
                          net::Headers& headers);

/// Checks a body that is held in memory against Content-MD5 and x-amz-checksum-*: InvalidDigest,
/// BadDigest.
[[nodiscard]] Result<void> check_body(const net::Headers& headers, std::string_view body);

}  // namespace opentrail::services::s3
