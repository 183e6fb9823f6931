#pragma once
#include "base/error.h"
#include "base/time.h"
#include "sql/database.h"

#include <memory>
#include <string>
#include <vector>

namespace opentrail::catalog {

/// A region's key pair for digest files, the private half sealed. Rows are kept for ever: old
/// digests must stay verifiable.
struct SigningKeyRow {
  std::string region;
  std::string fingerprint;
  std::string public_der_base64;
  std::string sealed_private_der;
  Timestamp valid_from;
  Timestamp valid_until;
};

/// Any thread.
class SigningKeyStore {
 public:
  static Result<std::unique_ptr<SigningKeyStore>> open(sql::Database& catalog);
  explicit SigningKeyStore(sql::Database& catalog) : catalog_(catalog) {}

  Result<void> add(const SigningKeyRow& key);
  /// Keys of the region whose validity touches [from, to], oldest first.
  Result<std::vector<SigningKeyRow>> keys(const std::string& region, Timestamp from, Timestamp to);
  /// NotFound.
  Result<SigningKeyRow> by_fingerprint(const std::string& region, const std::string& fingerprint);

 private:
  sql::Database& catalog_;
};

}  // namespace opentrail::catalog
