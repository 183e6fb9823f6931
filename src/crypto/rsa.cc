#include "crypto/rsa.h"

#include "base/text.h"
#include "crypto/hash.h"

#include <functional>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

namespace opentrail::crypto {
namespace {

// A PKCS#8 RSA-2048 key takes about 1.2 KB and its public half 270 bytes.
constexpr std::size_t kDerBytesMax = 16 << 10;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

struct FreeMdContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using MdContext = std::unique_ptr<EVP_MD_CTX, FreeMdContext>;

struct FreePkcs8 {
  void operator()(PKCS8_PRIV_KEY_INFO* info) const { PKCS8_PRIV_KEY_INFO_free(info); }
};
using Pkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreePkcs8>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// Runs one of OpenSSL's i2d functions: first for the length, then for the bytes.
std::string encode(const std::function<int(unsigned char**)>& i2d) {
  const int length = i2d(nullptr);
  OT_CHECK(length > 0);
  std::string der(static_cast<std::size_t>(length), '\0');
  auto* end = reinterpret_cast<unsigned char*>(der.data());
  OT_CHECK(i2d(&end) == length);
  return der;
}

}  // namespace

struct RsaKey::Impl {
  Key key;
};

RsaKey::RsaKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RsaKey::~RsaKey() = default;
RsaKey::RsaKey(RsaKey&&) noexcept = default;
RsaKey& RsaKey::operator=(RsaKey&&) noexcept = default;

Result<RsaKey> RsaKey::generate() {
  Key key(EVP_RSA_gen(static_cast<unsigned>(kBits)));
  if (key == nullptr) {
    return fail(ErrorCode::Internal, "OpenSSL made no RSA key");
  }
  return RsaKey(std::make_unique<Impl>(Impl{std::move(key)}));
}

Result<RsaKey> RsaKey::from_private_der(std::string_view der) {
  if (der.size() > kDerBytesMax) {
    return fail(ErrorCode::InvalidArgument, "RSA private key: too long");
  }
  const unsigned char* position = bytes_of(der);
  const Pkcs8 info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &position, static_cast<long>(der.size())));
  if (info == nullptr || position != bytes_of(der) + der.size()) {
    return fail(ErrorCode::InvalidArgument, "RSA private key: not PKCS#8 DER");
  }
  Key key(EVP_PKCS82PKEY(info.get()));
  if (key == nullptr || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA ||
      EVP_PKEY_get_bits(key.get()) != kBits) {
    return fail(ErrorCode::InvalidArgument, "RSA private key: not an RSA-2048 key");
  }
  return RsaKey(std::make_unique<Impl>(Impl{std::move(key)}));
}

std::string RsaKey::private_der() const {
  const Pkcs8 info(EVP_PKEY2PKCS8(impl_->key.get()));
  OT_CHECK(info != nullptr);
  return encode([&](unsigned char** out) { return i2d_PKCS8_PRIV_KEY_INFO(info.get(), out); });
}

std::string RsaKey::public_der() const {
  return encode([&](unsigned char** out) { return i2d_PublicKey(impl_->key.get(), out); });
}

std::string RsaKey::fingerprint() const { return to_hex(md5(as_bytes(public_der()))); }

Result<std::string> RsaKey::sign(std::string_view message) const {
  const MdContext context(EVP_MD_CTX_new());
  OT_CHECK(context != nullptr);
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(impl_->key.get())), '\0');
  std::size_t written = signature.size();
  // PKCS#1 v1.5 is what an RSA key signs with when no padding is named.
  if (EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, impl_->key.get(),
                            nullptr) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &written,
                     bytes_of(message), message.size()) != 1) {
    return fail(ErrorCode::Internal, "OpenSSL refused to sign with the RSA key");
  }
  signature.resize(written);
  return signature;
}

bool rsa_verify(std::string_view public_der, std::string_view message, std::string_view signature) {
  if (public_der.size() > kDerBytesMax) {
    return false;
  }
  const unsigned char* position = bytes_of(public_der);
  const Key key(
      d2i_PublicKey(EVP_PKEY_RSA, nullptr, &position, static_cast<long>(public_der.size())));
  if (key == nullptr || position != bytes_of(public_der) + public_der.size()) {
    return false;
  }
  const MdContext context(EVP_MD_CTX_new());
  OT_CHECK(context != nullptr);
  return EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(),
                                 nullptr) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message),
                          message.size()) == 1;
}

}  // namespace opentrail::crypto
