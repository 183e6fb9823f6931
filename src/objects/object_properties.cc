#include "objects/object_properties.h"

#include "base/json.h"
#include "base/json_writer.h"

namespace opentrail::objects {
namespace {

using TextMap = std::map<std::string, std::string>;

void write_map(JsonWriter& writer, std::string_view name, const TextMap& map) {
  if (map.empty()) {
    return;
  }
  writer.key(name).begin_object();
  for (const auto& [key, value] : map) {
    writer.field(key, value);
  }
  writer.end_object();
}

TextMap read_map(const json::object& object, std::string_view name) {
  TextMap map;
  const json::value* member = object.if_contains(name);
  if (member != nullptr && member->is_object()) {
    for (const auto& [key, value] : member->get_object()) {
      if (value.is_string()) {
        map.emplace(key, value.get_string());
      }
    }
  }
  return map;
}

/// The members that objects and uploads share.
template <typename Properties>
void write_shared(JsonWriter& writer, const Properties& from) {
  writer.optional_field("contentType", from.content_type)
      .optional_field("contentEncoding", from.content_encoding)
      .optional_field("cacheControl", from.cache_control)
      .optional_field("contentDisposition", from.content_disposition)
      .optional_field("contentLanguage", from.content_language)
      .optional_field("checksumType", from.checksum_type);
  write_map(writer, "metadata", from.metadata);
}

template <typename Properties>
void read_shared(const json::object& object, Properties& into) {
  into.content_type = string_member(object, "contentType");
  into.content_encoding = string_member(object, "contentEncoding");
  into.cache_control = string_member(object, "cacheControl");
  into.content_disposition = string_member(object, "contentDisposition");
  into.content_language = string_member(object, "contentLanguage");
  into.checksum_type = string_member(object, "checksumType");
  into.metadata = read_map(object, "metadata");
}

Result<json::object> parse_object(std::string_view text) {
  auto parsed = parse_json(text);
  if (!parsed || !parsed->is_object()) {
    return fail(ErrorCode::Corruption, "objects: a row's properties are not a JSON object");
  }
  return std::move(parsed->get_object());
}

}  // namespace

std::string to_properties(const ObjectInfo& info) {
  JsonWriter writer;
  writer.begin_object();
  write_shared(writer, info);
  write_map(writer, "checksums", info.checksums);
  writer.end_object();
  return std::move(writer).text();
}

std::string to_properties(const NewObject& object) {
  JsonWriter writer;
  writer.begin_object();
  write_shared(writer, object);
  writer.end_object();
  return std::move(writer).text();
}

std::string to_json(const Checksums& checksums) {
  JsonWriter writer;
  writer.begin_object();
  write_map(writer, "checksums", checksums);
  writer.end_object();
  return std::move(writer).text();
}

Result<void> read_properties(std::string_view json, ObjectInfo& info) {
  OT_TRY(const json::object object, parse_object(json));
  read_shared(object, info);
  info.checksums = read_map(object, "checksums");
  return {};
}

Result<void> read_properties(std::string_view json, NewObject& object) {
  OT_TRY(const json::object parsed, parse_object(json));
  read_shared(parsed, object);
  return {};
}

Result<Checksums> read_checksums(std::string_view json) {
  OT_TRY(const json::object object, parse_object(json));
  return read_map(object, "checksums");
}

}  // namespace opentrail::objects
