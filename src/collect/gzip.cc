#include "collect/gzip.h"

#include "collect/unpack.h"

#include <limits>

#include <fmt/format.h>
#include <zlib.h>

namespace opentrail::collect {

namespace {

/// 15 bits of window; 16 asks zlib for gzip framing with its CRC and length, nothing else.
constexpr int kGzipWindowBits = 15 + 16;
/// What we pack is unpacked once, on the same machine more often than not: the fastest level.
constexpr int kPackLevel = Z_BEST_SPEED;

}  // namespace

bool is_gzip(std::string_view bytes) { return coding_of(bytes) == Coding::Gzip; }

Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max) {
  const auto unpacker = Unpacker::make(Coding::Gzip);
  std::string out;
  for (;;) {
    OT_TRY(const std::string_view chunk, unpacker->next(bytes));
    if (chunk.empty()) {
      break;
    }
    if (chunk.size() > bytes_max - out.size()) {
      return fail(ErrorCode::ResourceExhausted,
                  fmt::format("gzip data unpacks to more than {} bytes", bytes_max));
    }
    out.append(chunk);
  }
  OT_TRY_DO(unpacker->finish());
  return out;
}

std::string gzip(std::string_view bytes) {
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  OT_CHECK(deflateInit2(&stream, kPackLevel, Z_DEFLATED, kGzipWindowBits, kMemoryLevel,
                        Z_DEFAULT_STRATEGY) == Z_OK);
  OT_CHECK(bytes.size() <= std::numeric_limits<uInt>::max());
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  // zlib never writes through it; see collect/unpack.cc.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  // deflateBound promises room for all of it in one call.
  OT_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace opentrail::collect
