#pragma once
#include "base/error.h"
#include "catalog/trail_store.h"
#include "sql/database.h"

#include <string>
#include <string_view>
#include <vector>

/// The trail store's tables, and its values as text. Internal to this folder.
namespace opentrail::catalog {

/// Migration steps of the tables trail_ids, trails and trail_versions.
[[nodiscard]] const std::vector<std::string_view>& trail_tables();

/// A configuration as one JSON object; versions are written once and never queried by their parts.
[[nodiscard]] std::string to_json_text(const TrailConfig& config);
/// Errors: Corruption.
[[nodiscard]] Result<TrailConfig> parse_trail_config(std::string_view text);

[[nodiscard]] std::string to_json_text(const Tags& tags);
/// Errors: Corruption.
[[nodiscard]] Result<Tags> parse_tags(std::string_view text);

/// Milliseconds since 1970, as the tables hold instants; NULL when absent.
[[nodiscard]] std::int64_t to_column(Timestamp time);
[[nodiscard]] sql::Value to_column(const std::optional<Timestamp>& time);
[[nodiscard]] Timestamp from_column(std::int64_t milliseconds);

}  // namespace opentrail::catalog
