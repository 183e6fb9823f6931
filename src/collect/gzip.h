#pragma once
#include "base/error.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

/// Gzip as it comes from outside: read in a stream, so that a small file that unpacks to a large
/// one costs no memory. (Log files that are delivered are packed by `delivery`, which wants speed.)
namespace opentrail::collect {

/// True when `bytes` begins as gzip data does (RFC 1952: 1f 8b). Names are not to be trusted:
/// browsers unpack ".json.gz" on download and keep the name.
[[nodiscard]] bool is_gzip(std::string_view bytes);

/// Unpacks gzip data fed in pieces of any size: one member or several behind each other, as
/// `cat a.gz b.gz` makes them; zero bytes behind the last one are padding (tape blocks) and
/// ignored.
class Gunzip {
 public:
  /// Called with the next unpacked bytes, at most kGunzipChunkBytes at once.
  using Sink = std::function<Result<void>(std::string_view)>;

  explicit Gunzip(Sink sink);
  ~Gunzip();
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  /// Errors: InvalidArgument ("broken gzip data: ..."), or the sink's. Nothing is accepted after.
  Result<void> feed(std::string_view bytes);
  /// The end of the input. InvalidArgument when it ends inside a member.
  Result<void> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

inline constexpr std::size_t kGunzipChunkBytes = 64 << 10;

/// Unpacks all of `bytes`. Errors: InvalidArgument as above; ResourceExhausted as soon as the
/// result is larger than `bytes_max`.
[[nodiscard]] Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max);

/// Packs `bytes` into one member, without a name or a time: equal input makes equal output.
[[nodiscard]] std::string gzip(std::string_view bytes);

}  // namespace opentrail::collect
