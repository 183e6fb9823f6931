#pragma once
#include "base/json_writer.h"
#include "history/history.h"

namespace opentrail::services {

/// The members by which LookupEvents shows an event, into an object that was begun: EventId,
/// EventName, ReadOnly, AccessKeyId, EventTime, EventSource, Username, Resources and
/// CloudTrailEvent. What the record does not say is left out.
void write_event_members(JsonWriter& out, const history::FoundEvent& event);

}  // namespace opentrail::services
