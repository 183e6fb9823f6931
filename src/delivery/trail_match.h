#pragma once
#include "catalog/trail_store.h"
#include "record/record.h"

#include <span>
#include <string_view>

/// Which trail gets which record. Pure.
namespace opentrail::delivery {

/// True when a trail with this home and configuration collects in `region`.
[[nodiscard]] bool collects_in(const catalog::TrailConfig& config, std::string_view home_region,
                               std::string_view region);

/// True when the trail wants `record` under `config`. Imported records are nobody's: they were
/// delivered where they arose (docs/decisions/012-import.md).
[[nodiscard]] bool wants(const catalog::Trail& trail, const catalog::TrailConfig& config,
                         const record::Record& record);

/// The version in force at `offset`; null before the first one.
[[nodiscard]] const catalog::TrailVersion* version_at(
    std::span<const catalog::TrailVersion> versions, std::uint64_t offset);

}  // namespace opentrail::delivery
