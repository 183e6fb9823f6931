#include "delivery/trail_match.h"

#include <algorithm>

namespace opentrail::delivery {

bool collects_in(const catalog::TrailConfig& config, std::string_view home_region,
                 std::string_view region) {
  return config.multi_region || region == home_region;
}

const record::SelectorSubject* Candidate::subject() {
  if (!subject_) {
    subject_.emplace(record::selector_subject(record_));
  }
  return subject_->has_value() ? &**subject_ : nullptr;
}

TrailFilter::TrailFilter(const catalog::Trail& trail, const catalog::TrailConfig& config)
    : account_id_(trail.account_id),
      region_(config.multi_region ? std::string() : trail.home_region),
      logging_(config.logging),
      include_global_service_events_(config.include_global_service_events),
      selectors_(config.advanced_selectors.empty()
                     ? record::SelectorMatcher(config.selectors)
                     : record::SelectorMatcher(config.advanced_selectors)) {}

bool TrailFilter::wants(Candidate& candidate) const {
  const record::Record& record = candidate.record();
  if (!logging_ || record.origin != record::Origin::Call || record.account_id != account_id_ ||
      (!region_.empty() && record.region != region_)) {
    return false;
  }
  // Most trails want all management events and nothing else: then no record need be read.
  const auto known = selectors_.answer_for(record.category);
  if (known && (!*known || include_global_service_events_)) {
    return *known;
  }
  const record::SelectorSubject* const subject = candidate.subject();
  if (subject == nullptr ||
      (!include_global_service_events_ && record::is_global_service(subject->event_source))) {
    return false;
  }
  return selectors_.matches(*subject);
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
