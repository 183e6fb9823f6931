#include "base/error.h"
#include "crypto/keyring.h"

#include <memory>

#include <openssl/evp.h>

namespace opentrail::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const EVP_CIPHER* cipher() {
  static const EVP_CIPHER* const kCipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return kCipher;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

int length_of(std::string_view text) {
  OT_CHECK(text.size() <= AesGcm::kPlaintextBytesMax + AesGcm::kTagBytes);
  return static_cast<int>(text.size());
}

}  // namespace

std::string AesGcm::seal(std::string_view key, std::string_view nonce, std::string_view aad,
                         std::string_view plaintext) {
  OT_CHECK(key.size() == kKeyBytes && nonce.size() == kNonceBytes);
  OT_CHECK(plaintext.size() <= kPlaintextBytesMax);
  const Context context(EVP_CIPHER_CTX_new());
  OT_CHECK(context != nullptr);
  OT_CHECK(EVP_EncryptInit_ex2(context.get(), cipher(), bytes_of(key), bytes_of(nonce), nullptr) ==
           1);
  int written = 0;
  OT_CHECK(EVP_EncryptUpdate(context.get(), nullptr, &written, bytes_of(aad), length_of(aad)) == 1);

  std::string sealed(kNonceBytes + plaintext.size() + kTagBytes, '\0');
  nonce.copy(sealed.data(), kNonceBytes);
  unsigned char* out = bytes_of(sealed) + kNonceBytes;
  OT_CHECK(EVP_EncryptUpdate(context.get(), out, &written, bytes_of(plaintext),
                             length_of(plaintext)) == 1);
  OT_CHECK(static_cast<std::size_t>(written) == plaintext.size());
  OT_CHECK(EVP_EncryptFinal_ex(context.get(), out + plaintext.size(), &written) == 1);
  OT_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes,
                               out + plaintext.size()) == 1);
  return sealed;
}

Result<std::string> AesGcm::open(std::string_view key, std::string_view aad,
                                 std::string_view sealed) {
  OT_CHECK(key.size() == kKeyBytes);
  if (sealed.size() < kNonceBytes + kTagBytes ||
      sealed.size() > kNonceBytes + kPlaintextBytesMax + kTagBytes) {
    return fail(ErrorCode::Corruption, "sealed bytes have an impossible length");
  }
  const std::string_view nonce = sealed.substr(0, kNonceBytes);
  const std::string_view body = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));

  const Context context(EVP_CIPHER_CTX_new());
  OT_CHECK(context != nullptr);
  OT_CHECK(EVP_DecryptInit_ex2(context.get(), cipher(), bytes_of(key), bytes_of(nonce), nullptr) ==
           1);
  int written = 0;
  OT_CHECK(EVP_DecryptUpdate(context.get(), nullptr, &written, bytes_of(aad), length_of(aad)) == 1);
  std::string plaintext(body.size(), '\0');
  OT_CHECK(EVP_DecryptUpdate(context.get(), bytes_of(plaintext), &written, bytes_of(body),
                             length_of(body)) == 1);
  OT_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(context.get(), bytes_of(plaintext) + plaintext.size(), &written) != 1) {
    return fail(ErrorCode::Corruption,
                "sealed bytes do not open: another key, another owner, or changed bytes");
  }
  return plaintext;
}

}  // namespace opentrail::crypto
