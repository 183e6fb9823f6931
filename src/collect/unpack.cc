#include "collect/unpack.h"

#include "base/text.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

namespace opentrail::collect {

namespace {

/// 15 bits of window; 16 asks zlib for gzip framing with its CRC and length, nothing else.
constexpr int kGzipWindowBits = 15 + 16;
constexpr int kZstdWindowBitsMax = 23;
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

class Verbatim final : public Unpacker {
 public:
  Result<std::string_view> next(std::string_view& packed) override {
    const std::string_view piece = packed.substr(0, kUnpackedBytesMax);
    packed.remove_prefix(piece.size());
    return piece;
  }
  Result<void> finish() override { return {}; }
};

/// What gzip and zstd have in common: a run of members, and the end of everything at an error.
class Members : public Unpacker {
 public:
  Result<std::string_view> next(std::string_view& packed) override {
    if (state_ == State::Failed) {
      return broken("read on after an error");
    }
    for (;;) {
      if (!trouble_.empty()) {
        return broken(trouble_);
      }
      if (state_ == State::Between) {
        skip_padding(packed);
      }
      // A full buffer may mean that there is more of what was taken already.
      if (packed.empty() && (!more_ || state_ != State::Inside)) {
        return std::string_view();
      }
      if (state_ != State::Inside) {
        begin();
        state_ = State::Inside;
      }
      const std::size_t made = step(packed);
      more_ = made == out_.size();
      if (made > 0) {
        return std::string_view(out_.data(), made);
      }
    }
  }

  Result<void> finish() override {
    switch (state_) {
      case State::Between:
        return {};
      case State::Failed:
        return broken("finished after an error");
      case State::Start:
        return broken("there is none");
      case State::Inside:
        return broken("it ends in the middle (truncated)");
    }
    return {};
  }

 protected:
  explicit Members(std::string_view name) : name_(name), out_(kUnpackedBytesMax) {}
  /// Before the first byte of each member.
  virtual void begin() = 0;
  /// Takes from `packed`, fills out() and returns how far. Either makes progress or calls
  /// break_off().
  virtual std::size_t step(std::string_view& packed) = 0;
  virtual void skip_padding(std::string_view& /*packed*/) {}

  /// What was made before is handed out first.
  void break_off(std::string_view what) { trouble_ = what; }
  void end_member() { state_ = State::Between; }

  std::vector<char>& out() { return out_; }

 private:
  enum class State : std::uint8_t { Start, Inside, Between, Failed };

  std::unexpected<Error> broken(std::string_view what) {
    state_ = State::Failed;
    return fail(ErrorCode::InvalidArgument, fmt::format("broken {} data: {}", name_, what));
  }

  std::string_view name_;
  std::vector<char> out_;
  State state_ = State::Start;
  bool more_ = false;
  std::string trouble_;
};

class GzipUnpacker final : public Members {
 public:
  GzipUnpacker() : Members("gzip") { OT_CHECK(inflateInit2(&stream_, kGzipWindowBits) == Z_OK); }
  ~GzipUnpacker() override { inflateEnd(&stream_); }
  GzipUnpacker(const GzipUnpacker&) = delete;
  GzipUnpacker& operator=(const GzipUnpacker&) = delete;

 private:
  void begin() override { OT_CHECK(inflateReset(&stream_) == Z_OK); }
  void skip_padding(std::string_view& packed) override {
    packed.remove_prefix(std::min(packed.find_first_not_of('\0'), packed.size()));
  }
  std::size_t step(std::string_view& packed) override {
    const std::string_view piece = packed.substr(0, std::numeric_limits<uInt>::max());
    // zlib's input pointer is not const unless ZLIB_CONST is set; it never writes through it.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream_.avail_in = static_cast<uInt>(piece.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out().data());
    stream_.avail_out = static_cast<uInt>(out().size());
    const int outcome = inflate(&stream_, Z_NO_FLUSH);
    packed.remove_prefix(piece.size() - stream_.avail_in);
    if (outcome == Z_STREAM_END) {
      end_member();
    } else if (outcome != Z_OK && outcome != Z_BUF_ERROR) {
      // Z_BUF_ERROR says only that no progress was possible: more input is needed.
      break_off(stream_.msg != nullptr ? stream_.msg : "cannot be unpacked");
    }
    return out().size() - stream_.avail_out;
  }

  z_stream stream_{};
};

class ZstdUnpacker final : public Members {
 public:
  ZstdUnpacker() : Members("zstd"), context_(ZSTD_createDCtx()) {
    OT_CHECK(context_ != nullptr);
    OT_CHECK(
        !ZSTD_isError(ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kZstdWindowBitsMax)));
  }
  ~ZstdUnpacker() override { ZSTD_freeDCtx(context_); }
  ZstdUnpacker(const ZstdUnpacker&) = delete;
  ZstdUnpacker& operator=(const ZstdUnpacker&) = delete;

 private:
  void begin() override {
    OT_CHECK(!ZSTD_isError(ZSTD_DCtx_reset(context_, ZSTD_reset_session_only)));
  }
  std::size_t step(std::string_view& packed) override {
    ZSTD_inBuffer in{packed.data(), packed.size(), 0};
    ZSTD_outBuffer made{out().data(), out().size(), 0};
    const std::size_t outcome = ZSTD_decompressStream(context_, &made, &in);
    packed.remove_prefix(in.pos);
    if (ZSTD_isError(outcome) != 0) {
      break_off(ZSTD_getErrorName(outcome));
    } else if (outcome == 0) {
      end_member();
    }
    return made.pos;
  }

  ZSTD_DCtx* context_;
};

}  // namespace

std::string_view to_string(Coding coding) {
  switch (coding) {
    case Coding::Identity:
      return "identity";
    case Coding::Gzip:
      return "gzip";
    case Coding::Zstd:
      return "zstd";
  }
  return "identity";
}

Result<Coding> parse_coding(std::string_view content_encoding) {
  const std::string_view name = trim(content_encoding);
  if (name.empty() || equals_ignore_case(name, "identity")) {
    return Coding::Identity;
  }
  if (equals_ignore_case(name, "gzip") || equals_ignore_case(name, "x-gzip")) {
    return Coding::Gzip;
  }
  if (equals_ignore_case(name, "zstd")) {
    return Coding::Zstd;
  }
  // Header values come back in error texts: bounded and valid, whatever was sent.
  constexpr std::size_t kShownBytesMax = 64;
  return fail(ErrorCode::Unsupported,
              fmt::format("Content-Encoding '{}' is not accepted: send zstd, gzip or identity",
                          to_valid_utf8(cut_utf8(name, kShownBytesMax))));
}

Coding coding_of(std::string_view first_bytes) {
  if (first_bytes.starts_with("\x1f\x8b")) {  // RFC 1952
    return Coding::Gzip;
  }
  return first_bytes.starts_with(kZstdMagic) ? Coding::Zstd : Coding::Identity;
}

std::unique_ptr<Unpacker> Unpacker::make(Coding coding) {
  switch (coding) {
    case Coding::Gzip:
      return std::make_unique<GzipUnpacker>();
    case Coding::Zstd:
      return std::make_unique<ZstdUnpacker>();
    case Coding::Identity:
      break;
  }
  return std::make_unique<Verbatim>();
}

std::string pack_zstd(std::string_view bytes, int level) {
  // Kept by the thread: a context is some hundred KiB to set up.
  thread_local const std::unique_ptr<ZSTD_CCtx,
                                     decltype([](ZSTD_CCtx* context) { ZSTD_freeCCtx(context); })>
      context(ZSTD_createCCtx());
  OT_CHECK(context != nullptr);
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compressCCtx(context.get(), packed.data(), packed.size(),
                                             bytes.data(), bytes.size(), level);
  OT_CHECK(ZSTD_isError(size) == 0);
  packed.resize(size);
  return packed;
}

}  // namespace opentrail::collect
