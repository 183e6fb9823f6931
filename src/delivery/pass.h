#pragma once
#include "catalog/trail_store.h"
#include "delivery/delivery.h"
#include "objects/object_store.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>

namespace opentrail::delivery {

/// One look at one trail: all decisions in it are made from this.
struct Pass {
  const catalog::TrailStore::TrailVersions& subject;
  /// Durable end of the journal, read before the versions were: a call whose record stands before
  /// it has its version among them.
  std::uint64_t journal_end = 0;
  Timestamp now;
  const std::atomic<bool>& stopping;
  /// Digests that are not written by then wait for the next pass, so that log files do not wait for
  /// them: the first digests of a trail need a new key in each region.
  std::chrono::steady_clock::time_point give_way = std::chrono::steady_clock::time_point::max();
  /// A deleted trail, whose digests have the same names, is not done yet.
  bool has_namesake = false;

  [[nodiscard]] const catalog::Trail& trail() const { return subject.trail; }
  [[nodiscard]] const catalog::TrailVersion& newest() const { return subject.versions.back(); }
};

/// How an attempt to write to the bucket went.
enum class Sent : std::uint8_t {
  Yes,
  No,           ///< Refused for this object; others of the trail may be taken.
  Unreachable,  ///< The same will happen to every object of the trail now.
};

[[nodiscard]] objects::ServicePrincipal principal_of(const catalog::Trail& trail);
/// What GetTrailStatus shows for `error`: S3's own code where there is one.
[[nodiscard]] std::string status_code(const Error& error);
[[nodiscard]] Sent judge(const Error& error);

/// Regions whose planned object was not stored, for certain, when it was last tried: only then may
/// it go to another place instead. What was never tried, or had another outcome, may be in the
/// bucket already.
using RefusedRegions = std::set<std::string>;
void note_outcome(RefusedRegions& refused, const std::string& region, const Error& error);

}  // namespace opentrail::delivery
