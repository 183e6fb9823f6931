#pragma once
#include "base/time.h"
#include "catalog/delivery_store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Digest files: their JSON and what is signed (spec records §4.1, §4.3). Pure.
namespace opentrail::delivery {

struct DigestFacts {
  std::string account_id;
  Timestamp start;
  Timestamp end;
  std::string bucket;
  std::string key;
  std::string fingerprint;
  std::optional<catalog::PreviousDigest> previous;
  std::vector<catalog::DeliveredFile> files;
};

/// Compact, in AWS's order of members; its bytes are what is hashed.
[[nodiscard]] std::string digest_json(const DigestFacts& facts);

/// `hash`: hex SHA-256 of digest_json().
[[nodiscard]] std::string digest_string_to_sign(const DigestFacts& facts, std::string_view hash);

}  // namespace opentrail::delivery
