#pragma once
#include "base/error.h"
#include "base/time.h"
#include "catalog/trail_store.h"
#include "crypto/keyring.h"
#include "io/clock.h"
#include "io/random.h"
#include "journal/journal.h"
#include "objects/object_store.h"
#include "sql/database.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Trails' log files and digest files: from the journal into a bucket, each record in exactly one
/// file (docs/decisions/008-delivery-exactly-once.md, docs/formats/delivery.md).
namespace opentrail::delivery {

struct DeliveryOptions {
  std::chrono::seconds delivery_interval{300};
  std::chrono::seconds digest_interval{3600};
  std::vector<std::string> regions;  ///< Where multi-region trails collect.
  std::size_t threads = 2;           ///< Trails delivered at once.
};

/// What GetTrailStatus tells of one trail.
struct DeliveryStatus {
  std::optional<Timestamp> latest_delivery_attempt;
  std::optional<Timestamp> latest_delivery;
  std::string latest_delivery_error;  ///< S3's code, "NoSuchBucket"; empty when the last went well.
  std::optional<Timestamp> latest_digest_delivery;
  std::string latest_digest_delivery_error;
};

struct PublicKey {
  std::string der;  ///< PKCS#1.
  std::string fingerprint;
  Timestamp valid_from;
  Timestamp valid_until;
};

/// Stores and engine stay alive longer than this does.
struct DeliveryParts {
  journal::Journal& journal;
  catalog::TrailStore& trails;
  sql::Database& catalog;
  objects::ObjectStore& objects;
  const crypto::Keyring& keyring;
  io::Random& random;
  const io::Clock& clock;
};

class Delivery {
 public:
  static Result<std::unique_ptr<Delivery>> open(DeliveryParts parts, DeliveryOptions options);
  virtual ~Delivery() = default;

  /// Delivers in the background from now on, at each mark of the interval's grid.
  virtual void start() = 0;
  /// Everything that is due at `now`, on the caller's thread; for tests with a clock of their own,
  /// instead of start().
  virtual void run_due(Timestamp now) = 0;
  /// Ends what is being sent, then stops. Idempotent.
  virtual void stop() = 0;

  [[nodiscard]] virtual DeliveryStatus status(std::int64_t trail_id) const = 0;
  /// True when a trail that logs selects this record now: data events are kept for trails only.
  [[nodiscard]] virtual bool wanted(const record::Record& record) const = 0;
  /// What CreateTrail and UpdateTrail do with a bucket first: is it there, may CloudTrail read its
  /// ACL, may it put (a zero-byte object at PREFIX/AWSLogs/ACCOUNT/CloudTrail/; spec records §3.3).
  /// NotFound when there is no such bucket; PermissionDenied when its policy forbids. Blocking.
  virtual Result<void> check_bucket(const catalog::Trail& trail) = 0;
  /// Keys of a region valid at some moment in [from, to]: ListPublicKeys. Blocking (SQL).
  virtual Result<std::vector<PublicKey>> public_keys(const std::string& region, Timestamp from,
                                                     Timestamp to) = 0;
  /// The journal may drop what is before this offset, as far as delivery is concerned.
  [[nodiscard]] virtual journal::Offset needed_from() const = 0;
};

}  // namespace opentrail::delivery
