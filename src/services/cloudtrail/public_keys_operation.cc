#include "base/json_writer.h"
#include "base/text.h"
#include "services/cloudtrail/request.h"

namespace opentrail::services::cloudtrail {

/// Without times the current key; the keys are those of the called region.
ApiResult<Answer> list_public_keys(Request& request) {
  if (request.input.contains("NextToken")) {
    return refuse("InvalidTokenException", "The token is not valid: ListPublicKeys has no pages.");
  }
  const Timestamp now = request.parts.clock.now();
  const Timestamp from = time_of(request.input, "StartTime").value_or(now);
  const Timestamp to = time_of(request.input, "EndTime").value_or(now);
  if (from > to) {
    return refuse("InvalidTimeRangeException",
                  "Invalid time range: the start time is later than the end time.");
  }
  const auto keys = request.parts.delivery.public_keys(request.region, from, to);
  if (!keys) {
    return std::unexpected(own_trouble(keys.error()));
  }
  JsonWriter out;
  out.begin_object().key("PublicKeyList").begin_array();
  for (const delivery::PublicKey& key : *keys) {
    out.begin_object().field("Value", to_base64(as_bytes(key.der)));
    out.key("ValidityStartTime").raw(to_epoch_number(key.valid_from));
    out.key("ValidityEndTime").raw(to_epoch_number(key.valid_until));
    out.field("Fingerprint", key.fingerprint).end_object();
  }
  out.end_array().end_object();
  return Answer{std::move(out).text(), {}, {}};
}

}  // namespace opentrail::services::cloudtrail
