#pragma once
#include "base/text.h"

#include <cstdint>

/// The checksums of our own files (CRC-32C) and of S3's x-amz-checksum-* (all three). Streaming:
/// pass the previous result to go on. Values are the finished ones, most significant byte first
/// when sent (S3 sends base64 of the big-endian bytes).
namespace opentrail {

[[nodiscard]] std::uint32_t crc32c(ByteSpan bytes, std::uint32_t previous = 0);
[[nodiscard]] std::uint32_t crc32(ByteSpan bytes, std::uint32_t previous = 0);
/// CRC-64/NVME, reflected polynomial 0x9a6c9329ac4bc9b5.
[[nodiscard]] std::uint64_t crc64_nvme(ByteSpan bytes, std::uint64_t previous = 0);

}  // namespace opentrail
