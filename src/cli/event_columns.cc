#include "cli/event_columns.h"

#include "base/text.h"
#include "cli/event_printer.h"
#include "cli/table.h"
#include "record/record.h"

#include <algorithm>

#include <fmt/format.h>

namespace opentrail::cli {

namespace {

using search::Expression;
using search::Target;

/// A name is a target when the language says so: "NAME exists" then is one test of it.
Result<Target> target_of(std::string_view name) {
  const std::string text = fmt::format("{} exists", name);
  auto expression = search::parse_expression(text);
  if (!expression) {
    return fail(ErrorCode::InvalidArgument, fmt::format("--fields {}: {}", one_line(name),
                                                        one_line(expression.error().message())));
  }
  if (expression->kind != Expression::Kind::Test ||
      expression->test.op != search::Operator::Exists) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("--fields {}: expected a name or a path, for example "
                            "time,user,requestParameters.bucketName",
                            one_line(name)));
  }
  return std::move(expression->test.target);
}

void append_value(std::string& text, std::string_view value) {
  text += text.empty() ? "" : ", ";
  text += value;
}

std::string terms_of(const record::Terms& terms, record::Field field) {
  std::string text;
  for (const auto term : terms) {
    if (term.field == field) {
      append_value(text, term.value);
    }
  }
  return text;
}

}  // namespace

Result<void> EventColumns::add(std::string_view name, std::vector<record::JsonPath>& paths) {
  if (name.empty()) {
    return fail(ErrorCode::InvalidArgument,
                "--fields: names between commas, for example time,user,error");
  }
  names_.emplace_back(name);
  Column column;
  if (equals_ignore_case(name, "time") || equals_ignore_case(name, "eventTime")) {
    column.special = Special::Time;
  } else if (equals_ignore_case(name, "resources")) {
    column.special = Special::Resources;
  } else {
    OT_TRY(column.target, target_of(name));
    reads_terms_ = reads_terms_ || column.target.kind == Target::Kind::Field;
    if (column.target.kind == Target::Kind::Path) {
      column.path = paths.size();
      paths.push_back(column.target.path);
    }
  }
  columns_.push_back(std::move(column));
  return {};
}

Result<EventColumns> EventColumns::parse(std::string_view list) {
  constexpr std::size_t kColumnsMax = 64;
  EventColumns columns;
  std::vector<record::JsonPath> paths;
  for (const std::string_view name : split(list, ',')) {
    OT_TRY_DO(columns.add(trim(name), paths));
  }
  if (columns.names_.size() > kColumnsMax) {
    return fail(ErrorCode::InvalidArgument, fmt::format("--fields: at most {}", kColumnsMax));
  }
  columns.path_count_ = paths.size();
  columns.paths_ = record::JsonPathSet(paths);
  return columns;
}

std::vector<std::string> EventColumns::values(const LookupEvent& event) const {
  std::vector<std::string> found(path_count_);
  if (path_count_ > 0) {
    // What cannot be read has no values.
    static_cast<void>(
        paths_.visit(event.record, [&](std::size_t path, const record::JsonValue& value) {
          if (value.kind != record::JsonValue::Kind::Array) {  // its elements come too
            append_value(found[path], value.text);
          }
          return record::JsonPathSet::Next::GoOn;
        }));
  }
  record::Terms terms;
  if (reads_terms_) {
    if (auto record = record::parse_record(event.record, record::Origin::Import, {})) {
      terms = std::move(record->terms);
    }
  }
  std::vector<std::string> values;
  values.reserve(columns_.size());
  for (const Column& column : columns_) {
    if (column.special == Special::Time) {
      values.push_back(event.event_time);
    } else if (column.special == Special::Resources) {
      values.push_back(resources_text(event));
    } else if (column.target.kind == Target::Kind::Field) {
      values.push_back(terms_of(terms, column.target.field));
    } else if (column.target.kind == Target::Kind::Path) {
      values.push_back(found[column.path]);
    } else {
      values.push_back(column.target.kind == Target::Kind::EventId ? event.event_id : event.record);
    }
  }
  return values;
}

}  // namespace opentrail::cli
