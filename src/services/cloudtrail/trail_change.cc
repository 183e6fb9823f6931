#include "services/cloudtrail/trail_change.h"

#include "base/log.h"

namespace opentrail::services::cloudtrail {

std::function<void(journal::Offset)> takes_effect(catalog::TrailStore& trails,
                                                  std::int64_t trail_id, std::int64_t version,
                                                  InForce in_force) {
  return [&trails, trail_id, version, in_force](journal::Offset record) {
    const std::uint64_t from =
        journal::value(record) + (in_force == InForce::AtItsRecord ? 0U : 1U);
    const auto placed = trails.set_effective(trail_id, version, from);
    if (!placed) {
      // The version waits, and with it the trail's delivery (TrailStore::save_places).
      log::error(
          "trail {}, version {}: its place in the journal was not saved: {}; it is tried "
          "again",
          trail_id, version, placed.error().message());
    }
  };
}

}  // namespace opentrail::services::cloudtrail
