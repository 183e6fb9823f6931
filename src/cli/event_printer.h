#pragma once
#include "base/error.h"
#include "base/json.h"
#include "cli/context.h"
#include "cli/event_columns.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::cli {

/// One event as SearchEvents shows it.
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
  std::string account_id;  ///< Empty when the record names none.
  std::string region;
  // Out of the record; empty when it does not say.
  std::string error_code;
  std::string source_ip_address;
};
/// Errors: InvalidArgument when `value` is not an event of SearchEvents.
[[nodiscard]] Result<LookupEvent> parse_lookup_event(const json::value& value);

/// The names of the resources, ", " between them.
[[nodiscard]] std::string resources_text(const LookupEvent& event);

/// Prints a listing page by page, in one format:
///   table    for people; fits the terminal
///   text     the same columns, whole, between tabs and without titles: for cut and awk
///   json     one array: what SearchEvents said, with the record as an object under
///            "CloudTrailEvent"
///   ndjson   the records alone, one a line
///   csv      RFC 4180, one header line
/// With columns of the caller's own all five show those alone; json and ndjson as objects of
/// strings.
class EventPrinter {
 public:
  virtual ~EventPrinter() = default;
  virtual void page(const std::vector<LookupEvent>& events) = 0;
  /// Once, behind the last page.
  virtual void end() {}
};
struct PrinterOptions {
  std::string_view format;              ///< One of the five.
  std::optional<EventColumns> columns;  ///< Absent: the usual ones.
  bool accounts = false;                ///< The usual table and text show whose event it is,
  bool regions = false;                 ///< and where it was.
};
/// `context` must outlive the printer.
[[nodiscard]] std::unique_ptr<EventPrinter> make_event_printer(PrinterOptions options,
                                                               const Context& context);

}  // namespace opentrail::cli
