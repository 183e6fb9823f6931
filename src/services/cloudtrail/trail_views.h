#pragma once
#include "base/json_writer.h"
#include "catalog/trail_store.h"
#include "delivery/delivery.h"
#include "record/selectors.h"

#include <string>
#include <vector>

/// Trails as the answers show them. Unset members are left out, never null (spec api §1.1).
namespace opentrail::services::cloudtrail {

/// The body of CreateTrail's and UpdateTrail's answer: settings without what only reads show.
[[nodiscard]] std::string trail_settings(const catalog::Trail& trail);
/// The shape Trail, as GetTrail and DescribeTrails have it; one object is written.
void write_trail(JsonWriter& out, const catalog::Trail& trail);
/// The body of GetTrailStatus' answer (spec api §3.5).
[[nodiscard]] std::string trail_status(const catalog::Trail& trail,
                                       const delivery::DeliveryStatus& status);
/// The body of the answers of Put- and GetEventSelectors.
[[nodiscard]] std::string event_selectors(const catalog::Trail& trail);

}  // namespace opentrail::services::cloudtrail
