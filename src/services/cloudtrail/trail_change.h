#pragma once
#include "services/cloudtrail/request.h"

#include <cstdint>
#include <functional>

namespace opentrail::services::cloudtrail {

/// From which record on a new version of a trail is in force, seen from the record of the call that
/// made it. Calls that begin something are the first record that the trail may get; calls that
/// change or end something are the last one under what was before.
enum class InForce : std::uint8_t { AtItsRecord, AfterItsRecord };

/// Gives the version its place once the call's record has one (Outcome::on_recorded).
[[nodiscard]] std::function<void(journal::Offset)> takes_effect(catalog::TrailStore& trails,
                                                                std::int64_t trail_id,
                                                                std::int64_t version,
                                                                InForce in_force);

}  // namespace opentrail::services::cloudtrail
