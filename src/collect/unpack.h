#pragma once
#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

/// Packed bytes as they come from outside, unpacked as a stream: a small body that unpacks to a
/// large one costs no memory.
namespace opentrail::collect {

/// How a body is packed (RFC 9110 §8.4.1, RFC 8878).
enum class Coding : std::uint8_t { Identity, Gzip, Zstd };
/// "identity", "gzip", "zstd".
[[nodiscard]] std::string_view to_string(Coding coding);
/// Of a Content-Encoding header: "", "identity", "gzip", "x-gzip" or "zstd", in any case. One
/// coding, not a list. Errors: Unsupported, which names what is accepted.
[[nodiscard]] Result<Coding> parse_coding(std::string_view content_encoding);
/// By the first bytes of a file: names are not to be trusted, as browsers unpack ".json.gz" on
/// download and keep the name.
[[nodiscard]] Coding coding_of(std::string_view first_bytes);

/// What next() hands out at once, at most.
inline constexpr std::size_t kUnpackedBytesMax = 128 << 10;

/// Unpacks one stream. Gzip: one member or several behind each other, as `cat a.gz b.gz` makes
/// them; zero bytes behind the last one are padding (tape blocks) and ignored. Zstd: one frame or
/// several; windows up to 8 MiB, which is what a Content-Encoding may ask for (RFC 9659). One
/// thread at a time.
class Unpacker {
 public:
  [[nodiscard]] static std::unique_ptr<Unpacker> make(Coding coding);
  virtual ~Unpacker() = default;

  /// Takes from the front of `packed` and returns the next unpacked bytes, valid until the next
  /// call (Identity: a part of `packed`). Empty: all of `packed` was taken and more is needed.
  /// Errors: InvalidArgument ("broken gzip data: ..."); nothing is accepted after.
  [[nodiscard]] virtual Result<std::string_view> next(std::string_view& packed) = 0;
  /// The end of the input. InvalidArgument when it ends inside a member or frame, or there was
  /// none.
  [[nodiscard]] virtual Result<void> finish() = 0;
};

/// Packs `bytes` into one zstd frame. Level -5 (fastest) to 3; see unpack_bench.cc.
[[nodiscard]] std::string pack_zstd(std::string_view bytes, int level = 1);

}  // namespace opentrail::collect
