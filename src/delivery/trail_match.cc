#include "delivery/trail_match.h"

namespace opentrail::delivery {

bool collects_in(const catalog::TrailConfig& config, std::string_view home_region,
                 std::string_view region) {
  return config.multi_region || region == home_region;
}

bool wants(const catalog::Trail& trail, const catalog::TrailConfig& config,
           const record::Record& record) {
  if (!config.logging || record.origin != record::Origin::Call ||
      record.account_id != trail.account_id ||
      !collects_in(config, trail.home_region, record.region)) {
    return false;
  }
  const auto subject = record::selector_subject(record);
  if (!subject) {
    return false;  // our own records always parse
  }
  if (!config.include_global_service_events && record::is_global_service(subject->event_source)) {
    return false;
  }
  return record::selects(config.selectors, *subject);
}

const catalog::TrailVersion* version_at(std::span<const catalog::TrailVersion> versions,
                                        std::uint64_t offset) {
  const catalog::TrailVersion* found = nullptr;
  for (const auto& version : versions) {
    if (version.effective_from && *version.effective_from <= offset) {
      found = &version;
    }
  }
  return found;
}

}  // namespace opentrail::delivery
