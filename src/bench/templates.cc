#include "bench/templates.h"

#include "base/json.h"
#include "base/time.h"
#include "collect/file_walk.h"
#include "collect/record_file.h"
#include "record/record.h"

#include <utility>

namespace opentrail::bench {

namespace {

void take(Templates& templates, std::string_view json) {
  if (templates.records.size() >= kTemplatesMax) {
    return;
  }
  if (!is_replayable(json)) {
    ++templates.unusable;
    return;
  }
  templates.records.push_back(without_white_space(json));
}

Result<void> read_file_into(io::Filesystem& files, const collect::InputFile& file,
                            Templates& templates) {
  collect::RecordFileFacts facts;
  const auto sink = [&](const record::RecordSplitter::Item& item) -> Result<void> {
    take(templates, item.json);
    return {};
  };
  const auto go_on = [](std::uint64_t) -> Result<void> { return {}; };
  auto read = collect::read_record_file(files, file.path, sink, nullptr, go_on, facts);
  if (!read && file.kind != collect::FileKind::MaybeJson) {
    return std::unexpected(std::move(read).error().while_doing("template file " + file.path));
  }
  ++templates.files;
  return {};
}

}  // namespace

std::string without_white_space(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      out.push_back(c);
      if (c == '\\' && i + 1 < json.size()) {
        out.push_back(json[++i]);
      }
      in_string = c != '"';
    } else if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
      out.push_back(c);
      in_string = c == '"';
    }
  }
  return out;
}

bool is_replayable(std::string_view json) {
  const auto parsed = parse_json(json, {.depth_max = record::kRecordDepthMax});
  if (!parsed || !parsed->is_object()) {
    return false;
  }
  const json::object& object = parsed->get_object();
  // A shorter id would be found in texts where it is none.
  constexpr std::size_t kIdBytesMin = 8;
  return string_member(object, "eventID").size() >= kIdBytesMin &&
         !string_member(object, "eventName").empty() &&
         parse_iso(string_member(object, "eventTime")).has_value() &&
         record::lookup_fields(json).has_value();
}

Templates load_builtin_templates() {
  Templates templates;
  for (const std::string_view json : builtin_templates()) {
    take(templates, json);
  }
  return templates;
}

Result<Templates> load_templates(io::Filesystem& files, const std::string& path) {
  Templates templates;
  collect::WalkVisitor visitor;
  visitor.on_file = [&](const collect::InputFile& file) {
    return read_file_into(files, file, templates);
  };
  visitor.on_skipped = [](const collect::SkippedPath&) -> Result<void> { return {}; };
  OT_TRY_DO(collect::walk({path}, visitor));
  if (templates.records.empty()) {
    return fail(ErrorCode::InvalidArgument,
                path + ": holds no record with an eventID, an eventName and an eventTime");
  }
  return templates;
}

}  // namespace opentrail::bench
