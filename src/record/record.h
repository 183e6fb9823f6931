#pragma once
#include "base/error.h"
#include "base/time.h"
#include "record/terms.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::record {

enum class Category : std::uint8_t {
  Management = 0,
  Data = 1,
  NetworkActivity = 2,
  Insight = 3,
  Other = 4
};
inline constexpr std::size_t kCategoryCount = 5;

/// "Management", "Data", "NetworkActivity", "Insight", as eventCategory spells them; "" for Other.
[[nodiscard]] std::string_view to_string(Category category);

/// Where a record came from: made here by a call, or brought in by an importer. Imported records
/// are searched like all others, but no trail delivers them: they were delivered where they arose.
enum class Origin : std::uint8_t { Call = 0, Import = 1 };

/// One audit record: its bytes, never changed once made, and what is needed to route it.
struct Record {
  /// What makes it one record and not another: the record's eventID; when it has none, "sha256:"
  /// and the hex SHA-256 of its bytes. A second record of the same id changes nothing. Set by
  /// whoever made the record, so not proof of anything (docs/decisions/006-record-identity.md).
  std::string id;
  std::string account_id;  ///< recipientAccountId, else userIdentity.accountId, else "".
  std::string region;      ///< awsRegion, else "".
  Timestamp event_time;    ///< eventTime; when it cannot be read, the time of arrival.
  Category category = Category::Management;
  Origin origin = Origin::Call;
  bool event_time_is_arrival = false;  ///< The record's own eventTime is missing or unreadable.
  std::string json;                    ///< One JSON object, UTF-8, bytes as they came.
  /// What it is found by. Set by parse_record() and build_record(); everything above then follows
  /// from `json`, `origin` and, when event_time_is_arrival, `event_time`. Empty in a record that
  /// was put together by hand. Not stored: made again from the bytes.
  Terms terms;
};

/// Reads the routing fields out of a record's bytes. `arrival` stands in for an unreadable time.
/// Tolerant of what the world stores: of a key that stands twice the first counts, a number where a
/// string belongs counts as its digits, and a value that is neither, is empty, or is longer than
/// kRoutingValueBytesMax counts as absent. The bytes are kept whatever they say. Pure; any thread.
/// Errors: InvalidArgument when `json` is not one JSON object, or is nested deeper than
/// kRecordDepthMax, or is larger than kRecordBytesMax.
[[nodiscard]] Result<Record> parse_record(std::string json, Origin origin, Timestamp arrival);

inline constexpr std::size_t kRecordBytesMax = 1 << 20;  ///< Accepted from outside.
inline constexpr std::size_t kRecordDepthMax = 128;
inline constexpr std::size_t kOwnRecordBytesMax = 256 << 10;  ///< Made here (spec records §1.6).
inline constexpr std::size_t kRoutingValueBytesMax = 256;     ///< Of an id, account id or region.
/// Search aliases of one record beyond this many are not indexed.
inline constexpr std::size_t kResourceNamesMax = 20;

struct ResourceName {
  std::string type;  ///< "AWS::CloudTrail::Trail"; may be empty.
  std::string name;
  bool operator==(const ResourceName&) const = default;
};

/// What LookupEvents shows and filters by (spec api §5.1, records §7.1).
struct LookupFields {
  std::string event_id;  ///< As Record::id: what is shown is what is found.
  std::string event_name;
  std::string event_source;
  std::string username;       ///< IAM user name, "root", or the role session name; may be empty.
  std::string access_key_id;  ///< May be empty.
  std::string read_only;      ///< "true", "false", or empty when the record does not say.
  /// The record's own resources, then names from its parameters and response
  /// (resource_names.cc); no pair twice, at most kResourceNamesMax.
  std::vector<ResourceName> resources;
};
/// Pure; any thread. Errors: InvalidArgument, as parse_record.
[[nodiscard]] Result<LookupFields> lookup_fields(std::string_view json);

}  // namespace opentrail::record
