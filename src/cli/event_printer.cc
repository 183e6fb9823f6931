#include "cli/event_printer.h"

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/csv.h"
#include "cli/table.h"
#include "record/json_path.h"

#include <algorithm>
#include <cmath>
#include <ostream>

#include <fmt/format.h>

namespace opentrail::cli {

namespace {

constexpr std::size_t kRecordDepthMax = 128;  // as records are accepted from outside

/// Epoch seconds, whole or not; "" for anything else.
std::string iso_of_epoch(const json::value* value) {
  constexpr double kMillis = 1000.0;
  constexpr double kSecondsMax = 253'402'300'799.0;  // the year 9999
  if (value == nullptr || !value->is_number()) {
    return {};
  }
  const auto seconds = value->to_number<double>();
  if (!(std::abs(seconds) <= kSecondsMax)) {
    return {};
  }
  return to_iso_seconds(Timestamp(std::chrono::milliseconds(std::llround(seconds * kMillis))));
}

/// JSON in one line: outside of strings a line break is white space, inside there is none.
std::string unbroken(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

/// JSON as it goes out.
std::string shown(std::string json, const Context& context) {
  return context.out_is_terminal ? terminal_json(json) : std::move(json);
}

std::string_view short_source(std::string_view source) {
  constexpr std::string_view kDomain = ".amazonaws.com";
  return source.ends_with(kDomain) ? source.substr(0, source.size() - kDomain.size()) : source;
}

/// The columns of the table and the text.
std::vector<TableColumn> columns_of(const PrinterOptions& options) {
  std::vector<TableColumn> columns;
  if (options.columns) {
    constexpr std::size_t kColumnsMin = 6;
    for (const std::string& name : options.columns->names()) {
      columns.push_back({.title = one_line(name), .columns_min = kColumnsMin});
    }
    return columns;
  }
  columns.push_back({.title = "TIME (UTC)", .columns_min = 20});
  if (options.accounts) {
    columns.push_back({.title = "ACCOUNT", .columns_min = 12});
  }
  if (options.regions) {
    columns.push_back({.title = "REGION", .columns_min = 9});
  }
  columns.push_back({.title = "EVENT", .columns_min = 12});
  columns.push_back({.title = "SOURCE", .columns_min = 6});
  columns.push_back({.title = "USER", .columns_min = 6});
  columns.push_back({.title = "RESOURCES", .columns_min = 9});
  columns.push_back({.title = "ERROR", .columns_min = 5});
  return columns;
}

/// What the table and the text show of an event.
Table::Row to_row(const LookupEvent& event, const PrinterOptions& options) {
  Table::Row row;
  if (options.columns) {
    for (const std::string& value : options.columns->values(event)) {
      row.push_back({.text = one_line(value)});
    }
    return row;
  }
  const bool failed = !event.error_code.empty();
  row.push_back({.text = one_line(event.event_time)});
  if (options.accounts) {
    row.push_back({.text = one_line(event.account_id)});
  }
  if (options.regions) {
    row.push_back({.text = one_line(event.region)});
  }
  row.push_back({.text = one_line(event.event_name), .alarming = failed});
  row.push_back({.text = one_line(short_source(event.event_source))});
  row.push_back({.text = one_line(event.username)});
  row.push_back({.text = one_line(resources_text(event))});
  row.push_back({.text = one_line(event.error_code), .alarming = failed});
  return row;
}

class TablePrinter final : public EventPrinter {
 public:
  TablePrinter(PrinterOptions options, const Context& context)
      : options_(std::move(options)),
        context_(context),
        table_(columns_of(options_),
               {.columns_max = context.out_is_terminal ? context.terminal_columns : 0,
                .colour = context.out_has_colour()}) {}

  void page(const std::vector<LookupEvent>& events) override {
    std::vector<Table::Row> rows;
    rows.reserve(events.size());
    for (const LookupEvent& event : events) {
      rows.push_back(to_row(event, options_));
    }
    context_.out << table_.render(rows);
  }

 private:
  const PrinterOptions options_;
  const Context& context_;
  Table table_;
};

class TextPrinter final : public EventPrinter {
 public:
  TextPrinter(PrinterOptions options, const Context& context)
      : options_(std::move(options)), context_(context) {}

  void page(const std::vector<LookupEvent>& events) override {
    for (const LookupEvent& event : events) {
      std::string_view gap;
      for (const TableCell& cell : to_row(event, options_)) {
        context_.out << gap << cell.text;
        gap = "\t";
      }
      context_.out << '\n';
    }
  }

 private:
  const PrinterOptions options_;
  const Context& context_;
};

/// The chosen columns as an object.
std::string chosen_json(const EventColumns& columns, const LookupEvent& event) {
  JsonWriter writer;
  writer.begin_object();
  const std::vector<std::string> values = columns.values(event);
  for (std::size_t i = 0; i < values.size(); ++i) {
    writer.field(columns.names()[i], values[i]);
  }
  return std::move(writer.end_object()).text();
}

class JsonPrinter final : public EventPrinter {
 public:
  JsonPrinter(PrinterOptions options, const Context& context)
      : options_(std::move(options)), context_(context) {}

  void page(const std::vector<LookupEvent>& events) override {
    for (const LookupEvent& event : events) {
      context_.out << (first_ ? "[\n" : ",\n")
                   << shown(
                          options_.columns ? chosen_json(*options_.columns, event) : to_json(event),
                          context_);
      first_ = false;
    }
  }
  void end() override { context_.out << (first_ ? "[]\n" : "\n]\n"); }

 private:
  static std::string to_json(const LookupEvent& event) {
    JsonWriter writer;
    writer.begin_object().field("EventId", event.event_id).field("EventName", event.event_name);
    writer.optional_field("ReadOnly", event.read_only);
    writer.optional_field("AccessKeyId", event.access_key_id);
    writer.field("EventTime", event.event_time).field("EventSource", event.event_source);
    writer.optional_field("Username", event.username);
    writer.key("Resources").begin_array();
    for (const auto& [type, name] : event.resources) {
      writer.begin_object().optional_field("ResourceType", type);
      writer.optional_field("ResourceName", name).end_object();
    }
    writer.end_array().key("CloudTrailEvent");
    // A record that is no JSON stays the string that it came as.
    if (parse_json(event.record, {.depth_max = kRecordDepthMax})) {
      writer.raw(event.record);
    } else {
      writer.string(event.record);
    }
    writer.optional_field("AccountId", event.account_id).optional_field("Region", event.region);
    return std::move(writer.end_object()).text();
  }

  const PrinterOptions options_;
  const Context& context_;
  bool first_ = true;
};

class NdjsonPrinter final : public EventPrinter {
 public:
  NdjsonPrinter(PrinterOptions options, const Context& context)
      : options_(std::move(options)), context_(context) {}
  void page(const std::vector<LookupEvent>& events) override {
    for (const LookupEvent& event : events) {
      context_.out << shown(options_.columns ? chosen_json(*options_.columns, event)
                                             : unbroken(event.record),
                            context_)
                   << '\n';
    }
  }

 private:
  const PrinterOptions options_;
  const Context& context_;
};

class CsvPrinter final : public EventPrinter {
 public:
  CsvPrinter(PrinterOptions options, const Context& context)
      : options_(std::move(options)), context_(context) {}

  void page(const std::vector<LookupEvent>& events) override {
    header();
    for (const LookupEvent& event : events) {
      write_line(options_.columns ? options_.columns->values(event)
                                  : std::vector<std::string>{
                                        event.event_time, event.event_name, event.event_source,
                                        event.username, event.access_key_id, event.read_only,
                                        event.event_id, resources_text(event), event.error_code,
                                        event.source_ip_address, event.account_id, event.region});
    }
  }
  void end() override { header(); }

 private:
  void write_line(const std::vector<std::string>& fields) {
    context_.out << csv_line(fields, context_.out_is_terminal ? CsvFor::Terminal : CsvFor::File);
  }
  void header() {
    if (!header_written_) {
      header_written_ = true;
      write_line(options_.columns ? options_.columns->names()
                                  : std::vector<std::string>{
                                        "EventTime", "EventName", "EventSource", "Username",
                                        "AccessKeyId", "ReadOnly", "EventId", "Resources",
                                        "ErrorCode", "SourceIPAddress", "AccountId", "Region"});
    }
  }

  const PrinterOptions options_;
  const Context& context_;
  bool header_written_ = false;
};

/// What the answer has no member for. Of a name that stands twice the first counts, as in a search.
void read_record(LookupEvent& event) {
  enum Path : std::uint8_t { ErrorCode, ErrorMessage, SourceIpAddress };
  static const record::JsonPathSet kPaths(
      std::vector<record::JsonPath>{{"errorCode"}, {"errorMessage"}, {"sourceIPAddress"}});
  bool failed = false;
  // What cannot be read says nothing.
  static_cast<void>(
      kPaths.visit(event.record, [&](std::size_t path, const record::JsonValue& value) {
        const bool is_text = value.kind == record::JsonValue::Kind::String;
        failed = failed || path == ErrorMessage;
        if (path == ErrorCode && is_text) {
          event.error_code = value.text;
        } else if (path == SourceIpAddress && is_text) {
          event.source_ip_address = value.text;
        }
        return record::JsonPathSet::Next::GoOn;
      }));
  if (event.error_code.empty() && failed) {
    event.error_code = "failed";  // a ConsoleLogin that failed has a message and no code
  }
}

}  // namespace

std::string resources_text(const LookupEvent& event) {
  std::string text;
  for (const auto& [type, name] : event.resources) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

Result<LookupEvent> parse_lookup_event(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) {
    return fail(ErrorCode::InvalidArgument, "an event of the answer is not an object");
  }
  LookupEvent event;
  event.event_id = string_member(*object, "EventId");
  event.event_name = string_member(*object, "EventName");
  event.event_time = iso_of_epoch(object->if_contains("EventTime"));
  event.event_source = string_member(*object, "EventSource");
  event.username = string_member(*object, "Username");
  event.access_key_id = string_member(*object, "AccessKeyId");
  event.read_only = string_member(*object, "ReadOnly");
  event.record = string_member(*object, "CloudTrailEvent");
  event.account_id = string_member(*object, "AccountId");
  event.region = string_member(*object, "Region");
  const json::value* resources = object->if_contains("Resources");
  if (resources != nullptr && resources->is_array()) {
    for (const json::value& resource : resources->get_array()) {
      if (const json::object* item = resource.if_object()) {
        event.resources.emplace_back(string_member(*item, "ResourceType"),
                                     string_member(*item, "ResourceName"));
      }
    }
  }
  read_record(event);
  return event;
}

std::unique_ptr<EventPrinter> make_event_printer(PrinterOptions options, const Context& context) {
  const std::string_view format = options.format;
  if (format == "text") {
    return std::make_unique<TextPrinter>(std::move(options), context);
  }
  if (format == "json") {
    return std::make_unique<JsonPrinter>(std::move(options), context);
  }
  if (format == "ndjson") {
    return std::make_unique<NdjsonPrinter>(std::move(options), context);
  }
  if (format == "csv") {
    return std::make_unique<CsvPrinter>(std::move(options), context);
  }
  OT_CHECK(format == "table");
  return std::make_unique<TablePrinter>(std::move(options), context);
}

}  // namespace opentrail::cli
