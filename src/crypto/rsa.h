#pragma once
#include "base/error.h"

#include <memory>
#include <string>
#include <string_view>

namespace opentrail::crypto {

/// An RSA-2048 key pair that signs digest files (spec records §4.3, §4.4). Any thread.
class RsaKey {
 public:
  static constexpr int kBits = 2048;

  static Result<RsaKey> generate();
  /// From the private form that private_der() gave.
  static Result<RsaKey> from_private_der(std::string_view der);
  ~RsaKey();
  RsaKey(RsaKey&&) noexcept;
  RsaKey& operator=(RsaKey&&) noexcept;

  /// PKCS#8 DER. Secret: store it sealed only.
  [[nodiscard]] std::string private_der() const;
  /// PKCS#1 RSAPublicKey DER, as ListPublicKeys shows it (270 bytes).
  [[nodiscard]] std::string public_der() const;
  /// Lower-case hex MD5 of public_der().
  [[nodiscard]] std::string fingerprint() const;
  /// RSASSA-PKCS1-v1_5 with SHA-256; deterministic; 256 bytes.
  [[nodiscard]] Result<std::string> sign(std::string_view message) const;

 private:
  struct Impl;
  explicit RsaKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Verifies against a PKCS#1 public key.
[[nodiscard]] bool rsa_verify(std::string_view public_der, std::string_view message,
                              std::string_view signature);

}  // namespace opentrail::crypto
