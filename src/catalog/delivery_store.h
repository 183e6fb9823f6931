#pragma once
#include "base/error.h"
#include "base/time.h"
#include "sql/database.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What delivery must not forget: how far each collector is, what it was about to write, and where
/// its digest chain stands (docs/decisions/008-delivery-exactly-once.md).
namespace opentrail::catalog {

/// A log file that is about to be written: committed before the PUT, so that a repeat after a crash
/// writes the same bytes under the same name.
struct FileIntent {
  std::uint64_t to = 0;  ///< The file holds the wanted records of [next_offset, to).
  Timestamp stamp;       ///< In the file's name.
  std::string bucket;
  std::string key;
  bool operator==(const FileIntent&) const = default;
};

/// A digest file that is about to be written.
struct DigestIntent {
  Timestamp start;
  Timestamp end;
  std::int64_t files_through = 0;  ///< Lists the delivered files up to this id.
  bool last = false;               ///< Ends the chain.
  std::string fingerprint;         ///< Of the key that signs it.
  std::string bucket;
  std::string key;
  bool operator==(const DigestIntent&) const = default;
};

struct PreviousDigest {
  std::string bucket;
  std::string key;
  std::string hash;
  std::string signature;  ///< Hex.
  bool operator==(const PreviousDigest&) const = default;
};

struct DigestChain {
  /// The trail version that began the chain; absent while there is none.
  std::optional<std::int64_t> version;
  std::int64_t last_version = 0;  ///< The newest version that ever began a chain here.
  Timestamp from;                 ///< Start of the next digest.
  Timestamp last_end;             ///< Of any digest ever written here: names must not repeat.
  std::optional<PreviousDigest> previous;
  std::optional<DigestIntent> intent;
  bool operator==(const DigestChain&) const = default;
};

/// One account and region of one trail.
struct Collector {
  std::int64_t trail_id = 0;
  std::string account_id;
  std::string region;
  std::uint64_t next_offset = 0;  ///< All before it is in the bucket, or not wanted.
  std::optional<FileIntent> intent;
  DigestChain chain;
  std::optional<Timestamp> latest_attempt;
  std::optional<Timestamp> latest_delivery;
  std::string latest_error;
  std::optional<Timestamp> latest_digest;
  std::string latest_digest_error;
  bool operator==(const Collector&) const = default;
};

/// A log file in the bucket that no digest lists yet.
struct DeliveredFile {
  std::int64_t id = 0;
  std::string bucket;
  std::string key;
  std::string hash;  ///< Hex SHA-256 of the uncompressed bytes.
  Timestamp oldest;
  Timestamp newest;
  Timestamp delivered_at;
};

/// Each call is one durable transaction. Any thread.
class DeliveryStore {
 public:
  static Result<std::unique_ptr<DeliveryStore>> open(sql::Database& catalog);
  explicit DeliveryStore(sql::Database& catalog) : catalog_(catalog) {}

  Result<std::vector<Collector>> collectors();
  /// Inserts or replaces these, all or none.
  Result<void> save(const std::vector<Collector>& collectors);
  /// The log file of `collector` (its new state) is in the bucket; `file` is given when a digest
  /// must list it.
  Result<void> file_delivered(const Collector& collector, const std::optional<DeliveredFile>& file);
  /// Files that the next digest lists: delivered at or before `until`, in order.
  Result<std::vector<DeliveredFile>> files(const Collector& collector, Timestamp until);
  /// The files that a digest intent lists.
  Result<std::vector<DeliveredFile>> files_through(const Collector& collector,
                                                   std::int64_t file_id);
  /// The digest is in the bucket: its files are forgotten, `collector` is the new state.
  Result<void> digest_delivered(const Collector& collector, std::int64_t files_through);
  /// Everything about a trail.
  Result<void> forget(std::int64_t trail_id);

 private:
  sql::Database& catalog_;
};

}  // namespace opentrail::catalog
