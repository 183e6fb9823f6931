#include "delivery/signing_keys.h"

#include "base/text.h"

namespace opentrail::delivery {
namespace {

constexpr std::string_view kSealLabel = "catalog.signing-keys";
constexpr std::chrono::days kValidity{30};

std::string context_of(const std::string& region, const std::string& fingerprint) {
  return region + "/" + fingerprint;
}

}  // namespace

Result<std::shared_ptr<const SigningKeys::Key>> SigningKeys::current(const std::string& region,
                                                                     Timestamp now) {
  const MutexLock lock(mutex_);
  OT_TRY(const auto rows, store_.keys(region, now, now));
  // A key that ends this very moment still verifies, but signs nothing new.
  if (!rows.empty() && rows.back().valid_until > now) {
    return open(rows.back());
  }
  return make(region, now);
}

Result<std::shared_ptr<const SigningKeys::Key>> SigningKeys::by_fingerprint(
    const std::string& region, const std::string& fingerprint) {
  const MutexLock lock(mutex_);
  if (const auto found = opened_.find(context_of(region, fingerprint)); found != opened_.end()) {
    return found->second;
  }
  OT_TRY(const auto row, store_.by_fingerprint(region, fingerprint));
  return open(row);
}

Result<std::shared_ptr<const SigningKeys::Key>> SigningKeys::open(
    const catalog::SigningKeyRow& row) {
  const std::string context = context_of(row.region, row.fingerprint);
  if (const auto found = opened_.find(context); found != opened_.end()) {
    return found->second;
  }
  auto der = keyring_.unseal(kSealLabel, context, row.sealed_private_der);
  if (!der) {
    return std::unexpected(
        std::move(der).error().while_doing("open the signing key " + row.fingerprint));
  }
  OT_TRY(auto rsa, crypto::RsaKey::from_private_der(*der));
  auto key = std::make_shared<const Key>(std::move(rsa), row.fingerprint);
  opened_.emplace(context, key);
  return key;
}

Result<std::shared_ptr<const SigningKeys::Key>> SigningKeys::make(const std::string& region,
                                                                  Timestamp now) {
  OT_TRY(auto rsa, crypto::RsaKey::generate());
  const std::string fingerprint = rsa.fingerprint();
  const std::string context = context_of(region, fingerprint);
  // From midnight, so that a question about the hours before the first digest finds it, too.
  const Timestamp from = std::chrono::floor<std::chrono::days>(now);
  OT_TRY_DO(store_.add({region, fingerprint, to_base64(as_bytes(rsa.public_der())),
                        keyring_.seal(kSealLabel, context, rsa.private_der(), random_), from,
                        now + kValidity}));
  auto key = std::make_shared<const Key>(std::move(rsa), fingerprint);
  opened_.emplace(context, key);
  return key;
}

}  // namespace opentrail::delivery
