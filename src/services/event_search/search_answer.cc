#include "services/event_search/search_answer.h"

#include "base/json_writer.h"
#include "record/json_path.h"
#include "services/event_view.h"

#include <array>

namespace opentrail::services::event_search {
namespace {

using record::JsonPathSet;
using record::JsonValue;

struct Whereabouts {
  std::string account_id;
  std::string region;
};

/// As record::parse_record() takes them from the same bytes.
Whereabouts whereabouts_of(std::string_view json) {
  enum : std::size_t { Recipient, Identity, Region, Count };
  static const JsonPathSet kPaths{std::array<record::JsonPath, Count>{
      {{"recipientAccountId"}, {"userIdentity", "accountId"}, {"awsRegion"}}}};
  std::array<std::string, Count> found;
  const auto take = [&](std::size_t path, const JsonValue& value) {
    const bool fits =
        value.kind == JsonValue::Kind::String || value.kind == JsonValue::Kind::Number;
    if (fits && found.at(path).empty() && value.text.size() <= record::kRoutingValueBytesMax) {
      found.at(path) = value.text;
    }
    return JsonPathSet::Next::GoOn;
  };
  // The history has only records that can be read.
  static_cast<void>(kPaths.visit(json, take));
  return {.account_id = std::move(found[Recipient].empty() ? found[Identity] : found[Recipient]),
          .region = std::move(found[Region])};
}

void write_count(JsonWriter& out, std::string_view name, std::uint64_t count) {
  out.key(name).number(static_cast<std::int64_t>(count));
}

void write_buckets(JsonWriter& out, const std::vector<history::CountBucket>& buckets) {
  out.key("Buckets").begin_array();
  for (const history::CountBucket& bucket : buckets) {
    out.begin_object().key("StartTime").raw(to_epoch_number(bucket.start));
    write_count(out, "Count", bucket.count);
    out.end_object();
  }
  out.end_array();
}

}  // namespace

std::string search_answer(const history::SearchPage& page, std::string_view next_token) {
  JsonWriter out;
  out.begin_object().key("Events").begin_array();
  for (const history::FoundEvent& event : page.events) {
    const Whereabouts at = whereabouts_of(event.json);
    out.begin_object();
    write_event_members(out, event);
    out.optional_field("AccountId", at.account_id).optional_field("Region", at.region);
    out.end_object();
  }
  out.end_array().optional_field("NextToken", next_token).end_object();
  return std::move(out).text();
}

std::string count_answer(const history::Counts& counts, std::chrono::milliseconds bucket,
                         bool by_field) {
  JsonWriter out;
  out.begin_object();
  write_count(out, "Total", counts.total);
  const bool by_time = bucket.count() > 0;
  if (by_time) {
    out.key("BucketSeconds")
        .number(std::chrono::duration_cast<std::chrono::seconds>(bucket).count());
    write_buckets(out, counts.buckets);
  }
  if (by_field) {
    write_count(out, "Values", counts.values);
    out.key("Groups").begin_array();
    for (const history::CountGroup& group : counts.groups) {
      out.begin_object().field("Value", group.value);
      write_count(out, "Count", group.count);
      if (by_time) {
        write_buckets(out, group.buckets);
      }
      out.end_object();
    }
    out.end_array();
  }
  return std::move(out.end_object()).text();
}

}  // namespace opentrail::services::event_search
