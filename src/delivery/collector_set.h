#pragma once
#include "base/error.h"
#include "base/mutex.h"
#include "catalog/delivery_store.h"
#include "delivery/delivery.h"

#include <optional>
#include <string>
#include <vector>

namespace opentrail::delivery {

/// The collectors of one trail: changed by its worker only, each change durable before it counts;
/// read by anyone. Any thread.
class CollectorSet {
 public:
  CollectorSet(catalog::DeliveryStore& store, std::vector<catalog::Collector> collectors)
      : store_(store), collectors_(std::move(collectors)) {}

  [[nodiscard]] std::vector<catalog::Collector> all() const EXCLUDES(mutex_);
  [[nodiscard]] bool has(const std::string& region) const EXCLUDES(mutex_);

  Result<void> save(const std::vector<catalog::Collector>& changed) EXCLUDES(mutex_);
  Result<void> file_delivered(const catalog::Collector& changed,
                              const std::optional<catalog::DeliveredFile>& file) EXCLUDES(mutex_);
  Result<void> digest_delivered(const catalog::Collector& changed, std::int64_t files_through)
      EXCLUDES(mutex_);
  [[nodiscard]] catalog::DeliveryStore& store() const { return store_; }

  /// Of the whole trail: the latest of its collectors, and an error while any has one.
  [[nodiscard]] DeliveryStatus status() const EXCLUDES(mutex_);
  /// The least offset that is still to be delivered; absent without collectors.
  [[nodiscard]] std::optional<std::uint64_t> needed_from() const EXCLUDES(mutex_);

 private:
  void replace(const catalog::Collector& changed) REQUIRES(mutex_);

  catalog::DeliveryStore& store_;
  mutable Mutex mutex_;
  std::vector<catalog::Collector> collectors_ GUARDED_BY(mutex_);
};

}  // namespace opentrail::delivery
