#include "services/event_view.h"

namespace opentrail::services {

void write_event_members(JsonWriter& out, const history::FoundEvent& event) {
  const record::LookupFields& fields = event.fields;
  out.field("EventId", fields.event_id);
  out.optional_field("EventName", fields.event_name);
  out.optional_field("ReadOnly", fields.read_only);
  out.optional_field("AccessKeyId", fields.access_key_id);
  out.key("EventTime").raw(to_epoch_number(event.event_time));
  out.optional_field("EventSource", fields.event_source);
  out.optional_field("Username", fields.username);
  out.key("Resources").begin_array();
  for (const record::ResourceName& resource : fields.resources) {
    out.begin_object()
        .optional_field("ResourceType", resource.type)
        .field("ResourceName", resource.name)
        .end_object();
  }
  out.end_array().field("CloudTrailEvent", event.json);
}

}  // namespace opentrail::services
