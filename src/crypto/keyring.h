#pragma once
#include "base/error.h"
#include "io/filesystem.h"
#include "io/random.h"

#include <memory>
#include <string>
#include <string_view>

namespace opentrail::crypto {

/// AES-256-GCM. Sealed form: 12-byte nonce, ciphertext, 16-byte tag.
struct AesGcm {
  static constexpr std::size_t kKeyBytes = 32;
  static constexpr std::size_t kNonceBytes = 12;
  static constexpr std::size_t kTagBytes = 16;
  static constexpr std::size_t kPlaintextBytesMax = 1 << 30;  ///< OpenSSL counts in int.
  /// `aad` is authenticated but not stored. The nonce must never repeat under one key.
  [[nodiscard]] static std::string seal(std::string_view key, std::string_view nonce,
                                        std::string_view aad, std::string_view plaintext);
  /// Corruption when any byte of key, aad or sealed text differs.
  [[nodiscard]] static Result<std::string> open(std::string_view key, std::string_view aad,
                                                std::string_view sealed);
};

/// The data folder's master key: 32 random bytes in one file of mode 0600, made on first start.
/// Every use gets a key of its own, derived by HKDF-SHA256 from a label, so that no two purposes
/// share one. Whoever can read the file can read everything in the folder: it belongs on a disk
/// that only the server's user reads.
class Keyring {
 public:
  /// Opens `path`, or makes it. Corruption when the file has another size.
  static Result<Keyring> open(io::Filesystem& files, io::Random& random, const std::string& path);

  /// 32 bytes for `label`, for example "catalog.secret-keys".
  [[nodiscard]] std::string derive(std::string_view label) const;
  /// Seals under the key of `label`, bound to `context` (for example the access key id); base64.
  [[nodiscard]] std::string seal(std::string_view label, std::string_view context,
                                 std::string_view plaintext, io::Random& random) const;
  [[nodiscard]] Result<std::string> unseal(std::string_view label, std::string_view context,
                                           std::string_view sealed) const;

 private:
  explicit Keyring(std::string master) : master_(std::move(master)) {}
  std::string master_;
};

}  // namespace opentrail::crypto
