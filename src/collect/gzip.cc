#include "collect/gzip.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>
#include <zlib.h>

namespace opentrail::collect {

namespace {

/// 15 bits of window; 16 asks zlib for gzip framing with its CRC and length, nothing else.
constexpr int kGzipWindowBits = 15 + 16;
/// What we pack is unpacked once, on the same machine more often than not: the fastest level.
constexpr int kPackLevel = Z_BEST_SPEED;

Bytef* input_pointer(std::string_view bytes) {
  // zlib's input pointer is not const unless ZLIB_CONST is set; it never writes through it.
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

}  // namespace

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

struct Gunzip::Impl {
  enum class State : std::uint8_t { Start, InMember, BetweenMembers, Failed };

  Sink sink;
  z_stream stream{};
  State state = State::Start;
  std::array<char, kGunzipChunkBytes> out{};

  explicit Impl(Sink sink_in) : sink(std::move(sink_in)) {
    OT_CHECK(inflateInit2(&stream, kGzipWindowBits) == Z_OK);
  }
  ~Impl() { inflateEnd(&stream); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::unexpected<Error> broken(std::string_view what) {
    state = State::Failed;
    return fail(ErrorCode::InvalidArgument, fmt::format("broken gzip data: {}", what));
  }

  /// One step of inflate over what is left of the input; hands on what came out.
  Result<void> step() {
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int outcome = inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = out.size() - stream.avail_out;
    if (made > 0) {
      if (auto taken = sink(std::string_view(out.data(), made)); !taken) {
        state = State::Failed;
        return taken;
      }
    }
    if (outcome == Z_STREAM_END) {
      state = State::BetweenMembers;
      return {};
    }
    // Z_BUF_ERROR says only that no progress was possible: more input is needed.
    if (outcome != Z_OK && outcome != Z_BUF_ERROR) {
      return broken(stream.msg != nullptr ? stream.msg : "cannot be unpacked");
    }
    return {};
  }

  Result<void> feed(std::string_view bytes) {
    OT_CHECK(bytes.size() <= std::numeric_limits<uInt>::max());
    stream.next_in = input_pointer(bytes);
    stream.avail_in = static_cast<uInt>(bytes.size());
    for (;;) {
      if (state == State::BetweenMembers) {
        while (stream.avail_in > 0 && *stream.next_in == 0) {
          ++stream.next_in;
          --stream.avail_in;
        }
      }
      if (stream.avail_in == 0 && (state != State::InMember || stream.avail_out > 0)) {
        return {};
      }
      if (state != State::InMember) {
        OT_CHECK(inflateReset(&stream) == Z_OK);
        state = State::InMember;
      }
      OT_TRY_DO(step());
    }
  }
};

Gunzip::Gunzip(Sink sink) : impl_(std::make_unique<Impl>(std::move(sink))) {}
Gunzip::~Gunzip() = default;

Result<void> Gunzip::feed(std::string_view bytes) {
  constexpr std::size_t kFeedBytesMax = std::numeric_limits<uInt>::max();
  if (impl_->state == Impl::State::Failed) {
    return fail(ErrorCode::InvalidArgument, "broken gzip data: fed after an error");
  }
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kFeedBytesMax);
    OT_TRY_DO(impl_->feed(piece));
    bytes.remove_prefix(piece.size());
  }
  return {};
}

Result<void> Gunzip::finish() {
  switch (impl_->state) {
    case Impl::State::BetweenMembers:
      return {};
    case Impl::State::Failed:
      return fail(ErrorCode::InvalidArgument, "broken gzip data: finished after an error");
    case Impl::State::Start:
      return impl_->broken("there is none");
    case Impl::State::InMember:
      return impl_->broken("it ends in the middle (truncated)");
  }
  return {};
}

Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max) {
  std::string out;
  Gunzip reader([&](std::string_view chunk) -> Result<void> {
    if (chunk.size() > bytes_max - out.size()) {
      return fail(ErrorCode::ResourceExhausted,
                  fmt::format("gzip data unpacks to more than {} bytes", bytes_max));
    }
    out.append(chunk);
    return {};
  });
  OT_TRY_DO(reader.feed(bytes));
  OT_TRY_DO(reader.finish());
  return out;
}

std::string gzip(std::string_view bytes) {
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  OT_CHECK(deflateInit2(&stream, kPackLevel, Z_DEFLATED, kGzipWindowBits, kMemoryLevel,
                        Z_DEFAULT_STRATEGY) == Z_OK);
  OT_CHECK(bytes.size() <= std::numeric_limits<uInt>::max());
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = input_pointer(bytes);
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
