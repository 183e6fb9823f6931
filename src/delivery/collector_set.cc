#include "delivery/collector_set.h"

#include <algorithm>

namespace opentrail::delivery {

using catalog::Collector;

std::vector<Collector> CollectorSet::all() const {
  const MutexLock lock(mutex_);
  return collectors_;
}

bool CollectorSet::has(const std::string& region) const {
  const MutexLock lock(mutex_);
  return std::ranges::find(collectors_, region, &Collector::region) != collectors_.end();
}

Result<void> CollectorSet::save(const std::vector<Collector>& changed) {
  OT_TRY_DO(store_.save(changed));
  const MutexLock lock(mutex_);
  for (const auto& collector : changed) {
    replace(collector);
  }
  return {};
}

Result<void> CollectorSet::file_delivered(const Collector& changed,
                                          const std::optional<catalog::DeliveredFile>& file) {
  OT_TRY_DO(store_.file_delivered(changed, file));
  const MutexLock lock(mutex_);
  replace(changed);
  return {};
}

Result<void> CollectorSet::digest_delivered(const Collector& changed, std::int64_t files_through) {
  OT_TRY_DO(store_.digest_delivered(changed, files_through));
  const MutexLock lock(mutex_);
  replace(changed);
  return {};
}

void CollectorSet::replace(const Collector& changed) {
  const auto same = [&](const Collector& other) {
    return other.region == changed.region && other.account_id == changed.account_id;
  };
  const auto found = std::ranges::find_if(collectors_, same);
  if (found == collectors_.end()) {
    collectors_.push_back(changed);
  } else {
    *found = changed;
  }
}

DeliveryStatus CollectorSet::status() const {
  const MutexLock lock(mutex_);
  DeliveryStatus status;
  for (const auto& collector : collectors_) {
    status.latest_delivery_attempt =
        std::max(status.latest_delivery_attempt, collector.latest_attempt);
    status.latest_delivery = std::max(status.latest_delivery, collector.latest_delivery);
    status.latest_digest_delivery =
        std::max(status.latest_digest_delivery, collector.latest_digest);
    if (status.latest_delivery_error.empty()) {
      status.latest_delivery_error = collector.latest_error;
    }
    if (status.latest_digest_delivery_error.empty()) {
      status.latest_digest_delivery_error = collector.latest_digest_error;
    }
  }
  return status;
}

std::optional<std::uint64_t> CollectorSet::needed_from() const {
  const MutexLock lock(mutex_);
  if (collectors_.empty()) {
    return std::nullopt;
  }
  return std::ranges::min(collectors_, {}, &Collector::next_offset).next_offset;
}

}  // namespace opentrail::delivery
