#pragma once
#include "search/expression.h"

#include <optional>
#include <string>
#include <string_view>

/// What the names of the search language stand for (docs/search.md, "Names").
namespace opentrail::search {

/// "user", "EventName", "userIdentity.arn", "text", any case. Absent for anything else.
[[nodiscard]] std::optional<Target> named_target(std::string_view name);
/// The one name by which to_text() calls a target that is no path.
[[nodiscard]] std::string_view canonical_name(const Target& target);
/// A member that CloudTrail records have at their top, spelled as they spell it, from any case.
[[nodiscard]] std::optional<std::string_view> known_member(std::string_view name);
/// The known name that is spelled most like `name`, or "" when none is near.
[[nodiscard]] std::string_view nearest_name(std::string_view name);
/// True when a step of a path can stand without quotes.
[[nodiscard]] bool is_plain_step(std::string_view step);

}  // namespace opentrail::search
