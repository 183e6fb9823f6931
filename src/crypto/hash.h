#pragma once
#include "base/text.h"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

/// Hashes over OpenSSL. Pure; any thread.
namespace opentrail::crypto {

using Sha256Digest = std::array<std::byte, 32>;

[[nodiscard]] Sha256Digest sha256(ByteSpan bytes);
[[nodiscard]] std::string sha256_hex(std::string_view bytes);
[[nodiscard]] std::array<std::byte, 20> sha1(ByteSpan bytes);
/// For ETags, Content-MD5 and key fingerprints only; not for security.
[[nodiscard]] std::array<std::byte, 16> md5(ByteSpan bytes);
[[nodiscard]] Sha256Digest hmac_sha256(ByteSpan key, ByteSpan message);
/// Time depends on the lengths only.
[[nodiscard]] bool constant_time_equal(std::string_view a, std::string_view b);

enum class HashKind : unsigned char { Sha256, Sha1, Md5 };

/// Streaming form.
class Hasher {
 public:
  explicit Hasher(HashKind kind);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  void update(ByteSpan bytes);
  /// The raw digest; the hasher is spent afterwards.
  [[nodiscard]] std::string finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace opentrail::crypto
