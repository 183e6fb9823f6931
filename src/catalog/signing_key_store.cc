#include "catalog/signing_key_store.h"

namespace opentrail::catalog {
namespace {

const std::vector<std::string_view> kSteps = {
    "CREATE TABLE signing_keys ("
    "region TEXT NOT NULL, fingerprint TEXT NOT NULL, public_der TEXT NOT NULL, "
    "sealed_private_der TEXT NOT NULL, valid_from BIGINT NOT NULL, valid_until BIGINT NOT NULL, "
    "PRIMARY KEY (region, fingerprint))",
};

constexpr std::string_view kColumns =
    "SELECT region, fingerprint, public_der, sealed_private_der, valid_from, valid_until "
    "FROM signing_keys ";

std::int64_t to_integer(Timestamp time) { return time.time_since_epoch().count(); }

SigningKeyRow to_key(const sql::Row& row) {
  enum Column : std::size_t { Region, Fingerprint, PublicDer, PrivateDer, From, Until };
  return {row.text(Region),
          row.text(Fingerprint),
          row.text(PublicDer),
          row.text(PrivateDer),
          Timestamp(std::chrono::milliseconds(row.integer(From))),
          Timestamp(std::chrono::milliseconds(row.integer(Until)))};
}

}  // namespace

Result<std::unique_ptr<SigningKeyStore>> SigningKeyStore::open(sql::Database& catalog) {
  OT_TRY_DO(catalog.migrate("signing_keys", kSteps));
  return std::make_unique<SigningKeyStore>(catalog);
}

Result<void> SigningKeyStore::add(const SigningKeyRow& key) {
  OT_TRY_DO(
      catalog_.execute("INSERT INTO signing_keys VALUES (?,?,?,?,?,?)",
                       {key.region, key.fingerprint, key.public_der_base64, key.sealed_private_der,
                        to_integer(key.valid_from), to_integer(key.valid_until)}));
  return {};
}

Result<std::vector<SigningKeyRow>> SigningKeyStore::keys(const std::string& region, Timestamp from,
                                                         Timestamp to) {
  OT_TRY(const auto rows,
         catalog_.query(std::string(kColumns) + "WHERE region = ? AND valid_from <= ? AND "
                                                "valid_until >= ? ORDER BY valid_from",
                        {region, to_integer(to), to_integer(from)}));
  std::vector<SigningKeyRow> keys;
  keys.reserve(rows.size());
  for (const auto& row : rows) {
    keys.push_back(to_key(row));
  }
  return keys;
}

Result<SigningKeyRow> SigningKeyStore::by_fingerprint(const std::string& region,
                                                      const std::string& fingerprint) {
  OT_TRY(const auto rows,
         catalog_.query(std::string(kColumns) + "WHERE region = ? AND fingerprint = ?",
                        {region, fingerprint}));
  if (rows.empty()) {
    return fail(ErrorCode::NotFound,
                "no signing key " + fingerprint + " of region " + region + " in the catalog");
  }
  return to_key(rows.front());
}

}  // namespace opentrail::catalog
