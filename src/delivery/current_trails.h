#pragma once
#include "base/mutex.h"
#include "catalog/trail_store.h"
#include "delivery/trail_match.h"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace opentrail::delivery {

/// What trails want now, for records that are not made unless one wants them. The trails' selectors
/// are compiled when a trail has changed, not for each record. Any thread.
class CurrentTrails {
 public:
  explicit CurrentTrails(const catalog::TrailStore& trails) : trails_(trails) {}
  [[nodiscard]] bool want(const record::Record& record) const EXCLUDES(mutex_);

 private:
  struct Snapshot {
    std::uint64_t generation = 0;  ///< Of the trail store.
    std::unordered_map<std::string, std::vector<TrailFilter>> by_account;
  };
  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const EXCLUDES(mutex_);
  [[nodiscard]] std::shared_ptr<const Snapshot> compile() const;

  const catalog::TrailStore& trails_;
  mutable Mutex mutex_;
  mutable std::shared_ptr<const Snapshot> snapshot_ GUARDED_BY(mutex_);
};

}  // namespace opentrail::delivery
