#pragma once
#include "base/error.h"
#include "objects/embedded_store.h"

#include <string>
#include <string_view>

/// The properties column of the index: one compact JSON object, empty members left out
/// (docs/formats/objects.md). Internal to objects.
namespace opentrail::objects {

[[nodiscard]] std::string to_properties(const ObjectInfo& info);
[[nodiscard]] std::string to_properties(const NewObject& object);
[[nodiscard]] std::string to_json(const Checksums& checksums);

/// Errors: Corruption.
Result<void> read_properties(std::string_view json, ObjectInfo& info);
Result<void> read_properties(std::string_view json, NewObject& object);
Result<Checksums> read_checksums(std::string_view json);

}  // namespace opentrail::objects
