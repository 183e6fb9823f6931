#include "crypto/keyring.h"

#include "base/text.h"

#include <array>
#include <memory>

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

namespace opentrail::crypto {
namespace {

constexpr std::size_t kMasterBytes = 32;
// Reading a little more than a right file holds tells a wrong file from a right one.
constexpr std::size_t kMasterFileBytesMax = 4096;

struct FreeKdf {
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};

OSSL_PARAM octets(const char* name, std::string& value) {
  return OSSL_PARAM_construct_octet_string(name, value.data(), value.size());
}

/// What a sealed text is bound to: neither another label nor another context opens it.
std::string bound_to(std::string_view label, std::string_view context) {
  std::string aad(label);
  aad += '\0';
  aad += context;
  return aad;
}

}  // namespace

Result<Keyring> Keyring::open(io::Filesystem& files, io::Random& random, const std::string& path) {
  auto master = io::read_file(files, path, kMasterFileBytesMax);
  if (!master && master.error().code() == ErrorCode::NotFound) {
    std::string made = io::random_bytes(random, kMasterBytes);
    OT_TRY_DO(io::write_file_atomically(files, path, made, 0600));
    return Keyring(std::move(made));
  }
  if (!master && master.error().code() != ErrorCode::InvalidArgument) {
    return std::unexpected(std::move(master).error().while_doing("read the master key"));
  }
  if (!master || master->size() != kMasterBytes) {
    return fail(ErrorCode::Corruption,
                fmt::format("master key {}: not a file of {} bytes; restore it from a backup, the "
                            "secrets in this folder cannot be read without it",
                            path, kMasterBytes));
  }
  return Keyring(*std::move(master));
}

std::string Keyring::derive(std::string_view label) const {
  OT_CHECK(!label.empty());
  static EVP_KDF* const kHkdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  const std::unique_ptr<EVP_KDF_CTX, FreeKdf> context(EVP_KDF_CTX_new(kHkdf));
  OT_CHECK(context != nullptr);
  std::string hash = "SHA256";
  std::string secret = master_;
  std::string info(label);
  const std::array parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash.data(), hash.size()),
      octets(OSSL_KDF_PARAM_KEY, secret),
      octets(OSSL_KDF_PARAM_INFO, info),
      OSSL_PARAM_construct_end(),
  };
  std::string key(AesGcm::kKeyBytes, '\0');
  OT_CHECK(EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(key.data()), key.size(),
                          parameters.data()) == 1);
  return key;
}

std::string Keyring::seal(std::string_view label, std::string_view context,
                          std::string_view plaintext, io::Random& random) const {
  const std::string nonce = io::random_bytes(random, AesGcm::kNonceBytes);
  return to_base64(
      as_bytes(AesGcm::seal(derive(label), nonce, bound_to(label, context), plaintext)));
}

Result<std::string> Keyring::unseal(std::string_view label, std::string_view context,
                                    std::string_view sealed) const {
  const auto bytes = from_base64(sealed);
  if (!bytes) {
    return fail(ErrorCode::Corruption, "sealed text is not base64");
  }
  return AesGcm::open(derive(label), bound_to(label, context), *bytes);
}

}  // namespace opentrail::crypto
