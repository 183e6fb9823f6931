#include "crypto/hash.h"

#include "base/error.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace opentrail::crypto {
namespace {

// Fetched once: in OpenSSL 3 a lookup by name costs more than hashing a short message.
const EVP_MD* algorithm(HashKind kind) {
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static const EVP_MD* const kSha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  static const EVP_MD* const kMd5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  switch (kind) {
    case HashKind::Sha256:
      return kSha256;
    case HashKind::Sha1:
      return kSha1;
    case HashKind::Md5:
      return kMd5;
  }
  return nullptr;
}

template <std::size_t kBytes>
std::array<std::byte, kBytes> digest(HashKind kind, ByteSpan bytes) {
  std::array<std::byte, kBytes> out{};
  unsigned int written = 0;
  OT_CHECK(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()),
                      &written, algorithm(kind), nullptr) == 1);
  OT_CHECK(written == kBytes);
  return out;
}

}  // namespace

Sha256Digest sha256(ByteSpan bytes) { return digest<32>(HashKind::Sha256, bytes); }

std::string sha256_hex(std::string_view bytes) { return to_hex(sha256(as_bytes(bytes))); }

std::array<std::byte, 20> sha1(ByteSpan bytes) { return digest<20>(HashKind::Sha1, bytes); }

std::array<std::byte, 16> md5(ByteSpan bytes) { return digest<16>(HashKind::Md5, bytes); }

Sha256Digest hmac_sha256(ByteSpan key, ByteSpan message) {
  // HMAC() takes a null key to mean "the previous one", which an empty span would give it.
  static constexpr unsigned char kNoBytes = 0;
  const void* key_data = key.empty() ? static_cast<const void*>(&kNoBytes) : key.data();
  Sha256Digest out{};
  unsigned int written = 0;
  OT_CHECK(HMAC(algorithm(HashKind::Sha256), key_data, static_cast<int>(key.size()),
                reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                reinterpret_cast<unsigned char*>(out.data()), &written) != nullptr);
  OT_CHECK(written == out.size());
  return out;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

struct Hasher::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();

  Impl() = default;
  ~Impl() { EVP_MD_CTX_free(context); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
};

Hasher::Hasher(HashKind kind) : impl_(std::make_unique<Impl>()) {
  OT_CHECK(impl_->context != nullptr);
  OT_CHECK(EVP_DigestInit_ex2(impl_->context, algorithm(kind), nullptr) == 1);
}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(ByteSpan bytes) {
  OT_CHECK(EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) == 1);
}

std::string Hasher::finish() {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned int written = 0;
  OT_CHECK(EVP_DigestFinal_ex(impl_->context, reinterpret_cast<unsigned char*>(out.data()),
                              &written) == 1);
  out.resize(written);
  return out;
}

}  // namespace opentrail::crypto
