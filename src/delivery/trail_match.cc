#include "delivery/trail_match.h"

#include <algorithm>

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

std::vector<ValidatedRun> validated_runs(const catalog::TrailStore::TrailVersions& subject,
                                         std::string_view region) {
  std::vector<ValidatedRun> runs;
  bool running = false;
  for (const auto& version : subject.versions) {
    if (!version.effective_from) {
      break;
    }
    const bool on = !version.deleted && version.config.logging &&
                    version.config.log_file_validation &&
                    collects_in(version.config, subject.trail.home_region, region);
    if (on && !running) {
      runs.push_back({version.version, version.made_at, *version.effective_from, std::nullopt});
    } else if (!on && running) {
      runs.back().end = version.effective_from;
    }
    running = on;
  }
  return runs;
}

bool is_validated(const catalog::TrailStore::TrailVersions& subject, std::string_view region,
                  std::uint64_t from, std::uint64_t to) {
  return std::ranges::any_of(validated_runs(subject, region), [&](const ValidatedRun& run) {
    return run.begin < to && (!run.end || *run.end > from);
  });
}

}  // namespace opentrail::delivery
