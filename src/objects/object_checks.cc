#include "objects/object_checks.h"

#include "base/text.h"
#include "objects/checksums.h"
#include "objects/s3_errors.h"

#include <algorithm>
#include <string_view>

namespace opentrail::objects {
namespace {

/// A value that can stand in a header again and in the index's JSON.
bool is_property(std::string_view text) {
  constexpr unsigned char kDelete = 0x7F;
  return is_utf8(text) && std::ranges::none_of(text, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return (byte < ' ' && byte != '\t') || byte == kDelete;
         });
}

Result<void> check_key(const std::string& key) {
  if (key.empty() || !is_utf8(key) || key.find('\0') != std::string::npos) {
    return s3_fail("InvalidArgument", "The object key is not valid.");
  }
  if (key.size() > kKeyBytesMax) {
    return s3_fail("KeyTooLongError");
  }
  return {};
}

Result<void> check_metadata(const std::map<std::string, std::string>& metadata) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : metadata) {
    bytes += name.size() + value.size();
    if (name.empty() || !is_property(name) || !is_property(value)) {
      return s3_fail("InvalidArgument", "The object metadata is not valid.");
    }
  }
  if (bytes > kMetadataBytesMax) {
    return s3_fail("MetadataTooLarge");
  }
  return {};
}

}  // namespace

Result<void> check_new_object(const NewObject& object) {
  OT_TRY_DO(check_key(object.key));
  OT_TRY_DO(check_metadata(object.metadata));
  for (const std::string* text :
       {&object.content_type, &object.content_encoding, &object.cache_control,
        &object.content_disposition, &object.content_language}) {
    if (text->size() > kPropertyBytesMax || !is_property(*text)) {
      return s3_fail("InvalidArgument", "A header of the object is not valid.");
    }
  }
  return {};
}

Result<void> check_algorithms(const std::vector<std::string>& algorithms) {
  if (!std::ranges::all_of(algorithms, is_checksum_algorithm)) {
    return s3_fail("InvalidRequest",
                   "Checksum algorithm provided is unsupported. Please try again with any of the "
                   "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
  }
  return {};
}

Result<void> check_configuration(const std::string& json) {
  if (json.size() > kConfigurationBytesMax || !is_utf8(json)) {
    return s3_fail("InvalidRequest", "The configuration is too long.");
  }
  return {};
}

}  // namespace opentrail::objects
