#pragma once
#include "base/error.h"
#include "base/json.h"
#include "cli/context.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::cli {

/// One event as LookupEvents shows it.
struct LookupEvent {
  std::string event_id;
  std::string event_name;
  std::string event_time;  ///< ISO, whole seconds.
  std::string event_source;
  std::string username;
  std::string access_key_id;
  std::string read_only;
  std::vector<std::pair<std::string, std::string>> resources;  ///< Type, name.
  std::string record;                                          ///< CloudTrailEvent, as it came.
  // Out of the record; empty when it does not say.
  std::string error_code;
  std::string source_ip_address;
};
/// Errors: InvalidArgument when `value` is not an event of LookupEvents.
[[nodiscard]] Result<LookupEvent> parse_lookup_event(const json::value& value);

/// Prints a listing page by page, in one format:
///   table    for people; fits the terminal
///   text     the same columns, whole, between tabs and without titles: for cut and awk
///   json     one array: what LookupEvents said, with the record as an object under
///            "CloudTrailEvent"
///   ndjson   the records alone, one a line
///   csv      RFC 4180, one header line
class EventPrinter {
 public:
  virtual ~EventPrinter() = default;
  virtual void page(const std::vector<LookupEvent>& events) = 0;
  /// Once, behind the last page.
  virtual void end() {}
};
/// `format` must be one of the five. `context` must outlive the printer.
[[nodiscard]] std::unique_ptr<EventPrinter> make_event_printer(std::string_view format,
                                                               const Context& context);

}  // namespace opentrail::cli
