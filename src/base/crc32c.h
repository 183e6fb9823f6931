#pragma once
#include "base/text.h"

#include <cstdint>

/// The ways to compute crc32c(), all with the same result; for its test and bench. Others call
/// crc32c() (checksum.h), which takes the fastest one that the processor has.
namespace opentrail {

enum class Crc32cWay : std::uint8_t {
  Plain,    ///< SSE 4.2, one chain: bound by the instruction's latency.
  Streams,  ///< SSE 4.2, three interleaved chains, put together with PCLMULQDQ.
  Folding,  ///< AVX-512 and VPCLMULQDQ, 256 bytes a step.
};

[[nodiscard]] bool is_supported(Crc32cWay way);
/// `way` is supported.
[[nodiscard]] std::uint32_t crc32c_by(Crc32cWay way, ByteSpan bytes, std::uint32_t previous);

}  // namespace opentrail
