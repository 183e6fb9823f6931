#pragma once
#include "delivery/collector_set.h"
#include "delivery/digest_delivery.h"
#include "delivery/log_delivery.h"
#include "delivery/pass.h"

#include <atomic>

namespace opentrail::delivery {

/// Delivers one trail: rounds at the marks of the grid, digests when they are due, and what failed
/// again after a pause that grows. run() is called by one thread at a time; the rest by any.
class TrailWorker {
 public:
  struct Parts {
    journal::Journal& journal;
    objects::ObjectStore& objects;
    catalog::DeliveryStore& store;
    SigningKeys& keys;
    const DeliveryOptions& options;
  };

  /// `first_mark`: rounds begin with the first mark after it. `new_regions_from`: where collectors
  /// begin that the trail did not have when the server started.
  TrailWorker(const Parts& parts, std::vector<catalog::Collector> collectors, Timestamp first_mark,
              std::uint64_t new_regions_from);

  void run(const Pass& pass);
  /// True once a deleted trail has nothing left to deliver.
  [[nodiscard]] bool finished(const Pass& pass) const;
  [[nodiscard]] const CollectorSet& collectors() const { return collectors_; }

  /// Taken by the engine while run() is on its way.
  std::atomic<bool> busy = false;
  /// Set when the trail was forgotten: a job that was already made does nothing any more.
  std::atomic<bool> retired = false;
  /// Of the engine while it holds `busy`: versions that ended before this offset are dropped.
  std::uint64_t forgotten_to = 0;

 private:
  Result<void> add_missing_collectors(const Pass& pass);
  Result<Sent> deliver(const Pass& pass);
  void pause(const Pass& pass);

  const DeliveryOptions& options_;
  CollectorSet collectors_;
  LogDelivery logs_;
  DigestDelivery digests_;
  Timestamp last_mark_;
  std::uint64_t new_regions_from_;
  bool left_over_ = true;  ///< Plans of earlier rounds may be unwritten.
  int failures_ = 0;
  Timestamp not_before_{};
};

}  // namespace opentrail::delivery
