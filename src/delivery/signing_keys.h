#pragma once
#include "base/error.h"
#include "base/mutex.h"
#include "base/time.h"
#include "catalog/signing_key_store.h"
#include "crypto/keyring.h"
#include "crypto/rsa.h"
#include "io/random.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace opentrail::delivery {

/// Each region's RSA keys: made when first needed, good for 30 days, kept for ever (spec records
/// §4.4). The private halves are sealed in the catalog. Blocking; any thread.
class SigningKeys {
 public:
  struct Key {
    crypto::RsaKey rsa;
    std::string fingerprint;
  };

  SigningKeys(catalog::SigningKeyStore& store, const crypto::Keyring& keyring, io::Random& random)
      : store_(store), keyring_(keyring), random_(random) {}

  /// The key that signs at `now`.
  Result<std::shared_ptr<const Key>> current(const std::string& region, Timestamp now)
      EXCLUDES(mutex_);
  /// NotFound; Corruption when the master key is not the one it was sealed with.
  Result<std::shared_ptr<const Key>> by_fingerprint(const std::string& region,
                                                    const std::string& fingerprint)
      EXCLUDES(mutex_);

 private:
  Result<std::shared_ptr<const Key>> open(const catalog::SigningKeyRow& row) REQUIRES(mutex_);
  Result<std::shared_ptr<const Key>> make(const std::string& region, Timestamp now)
      REQUIRES(mutex_);

  catalog::SigningKeyStore& store_;
  const crypto::Keyring& keyring_;
  io::Random& random_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<const Key>> opened_ GUARDED_BY(mutex_);
};

}  // namespace opentrail::delivery
