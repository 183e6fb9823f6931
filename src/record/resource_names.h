#pragma once
#include "record/json_document.h"
#include "record/record.h"

#include <string_view>
#include <vector>

namespace opentrail::record {

/// The names by which LookupEvents finds a record: not the record's `resources` alone (spec records
/// §7.1), but also what its parameters and response name. Each ARN counts twice, whole and by the
/// name at its end. No pair twice; at most kResourceNamesMax, in the order of the table.
[[nodiscard]] std::vector<ResourceName> resource_names(const simdjson::dom::element& record);

/// The name at the end of an ARN: "arn:aws:iam::1:user/path/Bob" -> "Bob"; of an S3 object its
/// whole key. Empty when `arn` is not an ARN or has nothing at its end.
[[nodiscard]] std::string_view short_name(std::string_view arn);

}  // namespace opentrail::record
