#include "delivery/current_trails.h"

#include <algorithm>

namespace opentrail::delivery {

bool CurrentTrails::want(const record::Record& record) const {
  const auto now = snapshot();
  const auto found = now->by_account.find(record.account_id);
  if (found == now->by_account.end()) {
    return false;
  }
  Candidate candidate(record);
  return std::ranges::any_of(found->second,
                             [&](const TrailFilter& trail) { return trail.wants(candidate); });
}

std::shared_ptr<const CurrentTrails::Snapshot> CurrentTrails::snapshot() const {
  const MutexLock lock(mutex_);
  if (!snapshot_ || snapshot_->generation != trails_.generation()) {
    snapshot_ = compile();
  }
  return snapshot_;
}

std::shared_ptr<const CurrentTrails::Snapshot> CurrentTrails::compile() const {
  auto made = std::make_shared<Snapshot>();
  // Before the trails: a change that comes in between is then looked at again.
  made->generation = trails_.generation();
  for (const auto& [trail, versions] : trails_.all_versions()) {
    if (!versions.empty() && !versions.back().deleted && trail.config.logging) {
      made->by_account[trail.account_id].emplace_back(trail, trail.config);
    }
  }
  return made;
}

}  // namespace opentrail::delivery
