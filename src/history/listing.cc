#include "history/listing.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace opentrail::history {
namespace {

/// The last instant of the second that `time` is in.
Timestamp end_of_second(Timestamp time) {
  using std::chrono::seconds;
  // Room for the arithmetic at both ends of what a client can send.
  time = std::clamp(time, Timestamp::min() + seconds(1), Timestamp::max() - seconds(1));
  return std::chrono::floor<seconds>(time) + seconds(1) - std::chrono::milliseconds(1);
}

}  // namespace

bool matches(const LookupFilter& filter, const record::LookupFields& fields) {
  switch (filter.key) {
    case LookupKey::EventId:
      return fields.event_id == filter.value;
    case LookupKey::EventName:
      return fields.event_name == filter.value;
    case LookupKey::ReadOnly:
      return fields.read_only == filter.value;
    case LookupKey::Username:
      return fields.username == filter.value;
    case LookupKey::ResourceType:
      return std::ranges::find(fields.resources, filter.value, &record::ResourceName::type) !=
             fields.resources.end();
    case LookupKey::ResourceName:
      return std::ranges::find(fields.resources, filter.value, &record::ResourceName::name) !=
             fields.resources.end();
    case LookupKey::EventSource:
      return fields.event_source == filter.value;
    case LookupKey::AccessKeyId:
      return fields.access_key_id == filter.value;
  }
  return false;
}

Result<Listing> Listing::begin(const LookupQuery& query, const Kept& kept,
                               journal::Offset applied) {
  if (query.results_max < 1 || query.results_max > kResultsMax) {
    return fail(ErrorCode::InvalidArgument, "a page has 1 to 50 results", "InvalidMaxResults");
  }
  Listing listing{.query = query, .digest = digest_of(query), .bounds = {}};
  listing.bounds.oldest = std::max(query.start_time.value_or(kept.oldest), kept.oldest);
  listing.bounds.newest = query.end_time ? end_of_second(*query.end_time) : Timestamp::max();
  listing.bounds.first = kept.first;
  listing.bounds.end = applied;
  if (!query.next_token.empty()) {
    OT_TRY(const LookupToken token, decode(query.next_token, listing.digest));
    if (token.end > applied) {
      return std::unexpected(invalid_token());
    }
    listing.bounds.end = token.end;
    listing.before = token.last;
  }
  return listing;
}

std::optional<FoundEvent> Listing::matched(record::Record record) const {
  if (record.category != record::Category::Management || record.account_id != query.account_id ||
      record.region != query.region || record.event_time < bounds.oldest ||
      record.event_time > bounds.newest) {
    return std::nullopt;
  }
  FoundEvent event;
  event.event_time = record.event_time;
  if (auto fields = record::lookup_fields(record.json)) {
    event.fields = *std::move(fields);
  } else {
    event.fields.event_id = record.id;
  }
  if (query.filter && !matches(*query.filter, event.fields)) {
    return std::nullopt;
  }
  event.json = std::move(record.json);
  return event;
}

std::string Listing::token_after(EntryKey last) const {
  return encode({.end = bounds.end, .last = last}, digest);
}

}  // namespace opentrail::history
